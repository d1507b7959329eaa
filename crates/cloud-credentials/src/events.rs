//! Events for operators.

use std::fmt;

use crate::Error;

/// Receives events of credentials besides the outcome of calls. All methods do nothing by
/// default. They are called inline and should be quick. No event holds a secret.
pub trait Events: fmt::Debug + Send + Sync + 'static {
    /// Called when tokens were issued but could not be saved, or when a login took the place of the
    /// record that they belong to. This process uses them, and tries again, except for what a
    /// developer token was redeemed for, which can be redeemed again. If it ends before that
    /// succeeds, a refresh token that the server has rotated is lost. See
    /// [`Credentials::flush`](crate::Credentials::flush). Called for the first failure; while saving
    /// goes on to fail, at most every second and then every 32 seconds.
    fn unsaved(&self, profile: &str, error: &Error) {
        let _ = (profile, error);
    }

    /// Called when tokens were saved, immediately or later.
    fn saved(&self, profile: &str) {
        let _ = profile;
    }

    /// Called when a refresh token was refused: a user has to log in again.
    fn reauthorization_needed(&self, profile: &str, error: &Error) {
        let _ = (profile, error);
    }
}
