//! Events for operators.

use std::fmt;

use crate::Error;

/// Receives events of credentials besides the outcome of calls. All methods do nothing by
/// default. No event holds a secret.
///
/// They are called inline, in the middle of a refresh or a save, and should be quick. A method that
/// waits for a call of the same credentials, such as
/// [`write`](crate::Credentials::write), [`flush`](crate::Credentials::flush) or
/// [`refresh`](crate::Credentials::refresh), waits for ever, since that waits for the refresh: start a
/// task for it.
pub trait Events: fmt::Debug + Send + Sync + 'static {
    /// Called when tokens were issued but could not be saved, or when a login took the place of the
    /// record that they belong to. This process uses them, and tries again, except for what a
    /// developer token was redeemed for, which can be redeemed again. If it ends before that
    /// succeeds, a refresh token that a login issued, or that the server has rotated, is lost. See
    /// [`Credentials::flush`](crate::Credentials::flush). A login is not put over a later one, nor, except by
    /// `flush`, where the record was not read since before it:
    /// [`Credentials::write`](crate::Credentials::write) does that. Called for the first failure; while
    /// saving goes on to fail, at most every second and then every 32 seconds.
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
