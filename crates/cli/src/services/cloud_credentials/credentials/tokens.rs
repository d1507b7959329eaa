//! Commands that call the server: `token`, `refresh` and `revoke`.

use clap::ValueEnum;
use serde_json::json;
use vouchsafe::cloud_credentials::{Credentials, TokenSource as _};
use vouchsafe::core::timestamp;

use super::reach::Reach;
use crate::failure::Failure;
use crate::output::Answer;
use crate::terminal::clean;

/// Which token is revoked.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Which {
    /// The access token
    Access,
    /// The refresh token. The profile then has no access token either
    Refresh,
}

pub(super) async fn token(reach: &Reach) -> Result<Answer, Failure> {
    let credentials = reach.credentials()?;
    let token = credentials.token().await.map_err(|error| {
        // With the service's own message about missing values, and a hint.
        Failure::from(vouchsafe::cloud_credentials::Error::from(error))
    })?;
    let value = json!({
        "access_token": token.secret().expose(),
        "expires_at": token.expiry().map(timestamp::format),
    });
    Ok(saved(&credentials, Answer::new(token.secret().expose(), value)).await)
}

pub(super) async fn refresh(reach: &Reach) -> Result<Answer, Failure> {
    let credentials = reach.credentials()?;
    credentials.refresh().await?;
    let token = credentials.token().await.ok();
    let expires_at = token
        .and_then(|token| token.expiry())
        .map(timestamp::format);
    let profile = credentials.profile();
    let human = match &expires_at {
        Some(at) => format!("refreshed the profile {profile}; the access token expires at {at}"),
        None => format!("refreshed the profile {profile}"),
    };
    let value = json!({"refreshed": true, "profile": profile, "expires_at": expires_at});
    Ok(saved(&credentials, Answer::new(human, value)).await)
}

/// Makes sure that the tokens outlive this process. The command fails, after its result, only if that
/// loses a refresh token.
pub(in crate::services::cloud_credentials) async fn saved(
    credentials: &Credentials,
    answer: Answer,
) -> Answer {
    match lost(credentials).await {
        Some(failure) => answer.with_failure(failure),
        None => answer,
    }
}

/// Saves the tokens before this process ends. Returns a failure if that loses a refresh token.
pub(in crate::services::cloud_credentials) async fn lost(
    credentials: &Credentials,
) -> Option<Failure> {
    let error = credentials.flush().await.err()?;
    if !credentials.has_unsaved_refresh_token() {
        tracing::warn!(
            "the access token was not saved: {}",
            clean(&error.to_string())
        );
        return None;
    }
    Some(Failure::from(error).hint(
        "the server replaced the refresh token, and the new one could not be saved: log in again",
    ))
}

pub(super) async fn revoke(reach: &Reach, which: Which) -> Result<Answer, Failure> {
    let credentials = reach.credentials()?;
    let what = match which {
        Which::Access => {
            credentials.revoke_access_token().await?;
            "access token"
        }
        Which::Refresh => {
            credentials.revoke_refresh_token().await?;
            "refresh token"
        }
    };
    Ok(Answer::new(
        format!(
            "revoked the {what} of the profile {}",
            credentials.profile()
        ),
        json!({"revoked": what.replace(' ', "_")}),
    ))
}
