//! The behaviour of the emulated service.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// The configuration of the emulated service. In a seed, times are whole seconds, and their names
/// end in `_s`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// The issuer in the metadata and in `iss`. Default: the scheme and authority of the request.
    pub issuer: Option<String>,
    /// What happens when a user comes to the authorization page. Default: [`Consent::Grants`].
    pub consent: Consent,
    /// Whether a login must be bound to the program that started it, by PKCE. Default: no.
    pub is_pkce_required: bool,
    /// Whether redirects name the issuer (RFC 9207). Default: yes.
    pub sends_issuer: bool,
    /// How clients may authenticate. Default: all ways.
    pub client_authentication: Vec<Method>,
    /// The lifetime of access tokens. Default: an hour.
    #[serde(rename = "access_token_lifetime_s", deserialize_with = "seconds")]
    pub access_token_lifetime: Duration,
    /// The lifetime of refresh tokens. Default: until they are revoked.
    #[serde(rename = "refresh_token_lifetime_s", deserialize_with = "seconds_opt")]
    pub refresh_token_lifetime: Option<Duration>,
    /// The lifetime of authorization codes. Default: a minute.
    #[serde(rename = "code_lifetime_s", deserialize_with = "seconds")]
    pub code_lifetime: Duration,
    /// How long a user has to enter the code of a device. Default: ten minutes.
    #[serde(rename = "device_code_lifetime_s", deserialize_with = "seconds")]
    pub device_code_lifetime: Duration,
    /// The minimum time between two polls of a device. Default: five seconds.
    #[serde(rename = "device_interval_s", deserialize_with = "seconds")]
    pub device_interval: Duration,
    /// The format of access tokens. Default: [`TokenFormat::Jwt`].
    pub token_format: TokenFormat,
    /// The form of `expires_in` in answers. Default: [`ExpiresIn::Text`], as this service does.
    pub expires_in: ExpiresIn,
    /// The effect of a refresh on the refresh token. Default: [`Rotation::Keeps`].
    pub rotation: Rotation,
    /// How long a refresh token is good at most after another took its place, if they overlap.
    /// Default: until that one is used.
    #[serde(rename = "refresh_token_overlap_s", deserialize_with = "seconds_opt")]
    pub refresh_token_overlap: Option<Duration>,
    /// Whether access tokens can be revoked separately. Default: yes.
    pub revokes_access_tokens: bool,
    /// The limit of requests to the token, revocation and device endpoints. Default: unlimited.
    pub token_rate: Option<Rate>,
    /// The limit of requests to the services. Default: unlimited.
    pub api_rate: Option<Rate>,
}

/// What happens when a user comes to the authorization page, or to the one for devices with the
/// code of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Consent {
    /// The user agrees at once, as if logged in before.
    #[default]
    Grants,
    /// The user refuses at once.
    Denies,
    /// A page asks; its form is posted to the same URL, with `decision` set to `allow` or `deny`.
    Asks,
}

/// How a client authenticates, by the name in the metadata (RFC 8414).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// Its secret is in the body.
    ClientSecretPost,
    /// Its id and secret are Basic credentials.
    ClientSecretBasic,
    /// It has no secret.
    None,
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::None => "none",
        }
    }
}

/// The format of access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenFormat {
    /// JSON Web Tokens with the claims of RFC 9068. The signature is random.
    #[default]
    Jwt,
    /// Random text.
    Opaque,
}

/// The form of `expires_in` in answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExpiresIn {
    /// As text, such as `"3600"`.
    #[default]
    Text,
    /// As a number, as in the standard.
    Number,
    /// Not at all.
    Absent,
}

/// The effect of a refresh on the refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rotation {
    /// Nothing: it can be used again.
    #[default]
    Keeps,
    /// Replaces it, and the old one stays good until the new one is used, or the
    /// [time](Settings::refresh_token_overlap) is over: so a client whose answer was lost can ask
    /// again.
    Overlaps,
    /// Replaces it: the old one is refused from then on.
    Rotates,
    /// Replaces it, and treats the old one as stolen: if it is used again, all tokens of the same
    /// login are revoked (RFC 9700, 4.14.2).
    Revokes,
}

/// The name in a seed.
impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keeps => "keeps",
            Self::Overlaps => "overlaps",
            Self::Rotates => "rotates",
            Self::Revokes => "revokes",
        })
    }
}

/// A limit of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "tests write it")]
pub struct Rate {
    /// How many requests are answered within the time. The others get 429 with `Retry-After`.
    pub requests: u64,
    /// The time, which starts with the first request.
    #[serde(rename = "per_s", deserialize_with = "seconds")]
    pub per: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: None,
            consent: Consent::default(),
            is_pkce_required: false,
            sends_issuer: true,
            client_authentication: vec![
                Method::ClientSecretPost,
                Method::ClientSecretBasic,
                Method::None,
            ],
            access_token_lifetime: Duration::from_secs(3600),
            refresh_token_lifetime: None,
            code_lifetime: Duration::from_secs(60),
            device_code_lifetime: Duration::from_secs(600),
            device_interval: Duration::from_secs(5),
            token_format: TokenFormat::default(),
            expires_in: ExpiresIn::default(),
            rotation: Rotation::default(),
            refresh_token_overlap: None,
            revokes_access_tokens: true,
            token_rate: None,
            api_rate: None,
        }
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u32::deserialize(deserializer).map(|seconds| Duration::from_secs(seconds.into()))
}

fn seconds_opt<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let seconds: Option<u32> = Option::deserialize(deserializer)?;
    Ok(seconds.map(|seconds| Duration::from_secs(seconds.into())))
}
