//! The authorization server that a fleet meets: the emulator, which counts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vouchsafe::cloud_credentials::mock::{Rotation, Seed, Server};
use vouchsafe::core::mock::Serving;
use vouchsafe::core::transport::Transport;
use vouchsafe::core::{Clock as _, Secret, SystemClock};

use super::record::{CLIENT_ID, CLIENT_SECRET, FIRST};

/// What an access token that is of no use looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Dead {
    /// It says so itself.
    Expired,
    /// Only the API says so.
    Refused,
}

impl Dead {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Refused => "refused",
        }
    }

    /// Returns such a token.
    pub(super) fn token(self) -> String {
        let now = now();
        jwt(&match self {
            Self::Expired => json!({"exp": now - 60, "iat": now - 3660, "n": 0}),
            Self::Refused => json!({"exp": now + LIFE.as_secs(), "iat": now - 60, "n": 0}),
        })
    }
}

/// The server. Clones share everything.
#[derive(Clone, Debug)]
pub(super) struct Issuer(Server);

/// What the server was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) requests: u64,
    pub(super) refusals: u64,
}

impl Issuer {
    pub(super) fn new(rotation: Rotation) -> Result<Self, String> {
        let seed = json!({
            "clients": [{"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}],
            "tokens": [{"client_id": CLIENT_ID, "refresh_token": FIRST}],
        });
        let seed = Seed::parse(&seed.to_string()).map_err(|fault| fault.to_string())?;
        let seed = seed.settings(|settings| {
            settings.rotation = rotation;
            settings.access_token_lifetime = LIFE;
        });
        Ok(Self(Server::from_seed(&seed)))
    }

    /// Delays each answer, so that callers meet.
    pub(super) fn slow(self) -> Self {
        self.0.host().set_latency(Duration::from_millis(30));
        self
    }

    pub(super) async fn serve(&self, address: SocketAddr) -> Result<Serving, String> {
        let serving = self.0.serve(address).await;
        serving.map_err(|fault| fault.to_string())
    }

    pub(super) fn transport(&self) -> Arc<dyn Transport> {
        self.0.host().transport()
    }

    pub(super) fn counts(&self) -> Counts {
        let counts = self.0.counts();
        Counts {
            requests: counts.refreshes(),
            refusals: counts.refused(),
        }
    }

    /// Returns whether a refresh token would be taken.
    pub(super) fn takes(&self, refresh_token: &str) -> bool {
        self.0.takes_refresh_token(&Secret::from(refresh_token))
    }

    /// Returns whether an access token is one that was issued.
    pub(super) fn issued(&self, access_token: &str) -> bool {
        self.0.takes_access_token(&Secret::from(access_token))
    }
}

/// How long an access token lasts: longer than any clock here is wrong.
const LIFE: Duration = Duration::from_secs(12 * 3600);

fn now() -> u64 {
    let since = SystemClock::new().now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({"alg": "none"})), part(claims))
}
