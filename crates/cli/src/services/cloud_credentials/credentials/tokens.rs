//! Commands that call the server: `token`, `refresh` and `revoke`.

use clap::ValueEnum;
use serde_json::json;
use vouchsafe::cloud_credentials::{Credentials, TokenSource as _};
use vouchsafe::core::timestamp;

use super::reach::Reach;
use super::show::claimed_expiry;
use crate::failure::Failure;
use crate::output::Answer;

/// Which token is revoked.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Which {
    /// The access token
    Access,
    /// The refresh token, and the access token with it
    Refresh,
}

pub(super) async fn token(reach: &Reach) -> Result<Answer, Failure> {
    let credentials = reach.credentials()?;
    let token = credentials.token().await.map_err(|error| {
        // With the service's own message about missing values, and a hint.
        Failure::from(vouchsafe::cloud_credentials::Error::from(error))
    })?;
    flush(&credentials).await?;
    let value = json!({
        "access_token": token.secret().expose(),
        "expires_at": token.expiry().map(timestamp::format),
    });
    Ok(Answer::new(token.secret().expose(), value))
}

pub(super) async fn refresh(reach: &Reach) -> Result<Answer, Failure> {
    let credentials = reach.credentials()?;
    let token = credentials.refresh().await?;
    flush(&credentials).await?;
    let expires_at = claimed_expiry(&token).map(timestamp::format);
    let profile = credentials.profile();
    let human = match &expires_at {
        Some(at) => format!("refreshed the profile {profile}; the access token expires at {at}"),
        None => format!("refreshed the profile {profile}"),
    };
    let value = json!({"refreshed": true, "profile": profile, "expires_at": expires_at});
    Ok(Answer::new(human, value))
}

/// Makes sure that the tokens outlive this process.
async fn flush(credentials: &Credentials) -> Result<(), Failure> {
    credentials.flush().await.map_err(|error| {
        Failure::from(error).hint(
            "the server issued tokens that could not be saved: if it replaces refresh tokens, log in \
             again",
        )
    })
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
