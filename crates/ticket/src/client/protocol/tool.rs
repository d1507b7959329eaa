//! tvmtool's description of itself and its tenants, and its address (protocol section 15).

use std::collections::BTreeMap;

use serde::Deserialize;
use vouchsafe_core::Secret;

use crate::engine::env::BlackboxEnv;
use crate::engine::ids::TvmId;
use crate::error::{Error, ErrorKind};

/// The configuration that tvmtool was started with.
#[derive(Clone, Debug, Deserialize)]
pub struct Meta {
    #[serde(deserialize_with = "meta_env")]
    bb_env: BlackboxEnv,
    tenants: Vec<Tenant>,
}

#[derive(Clone, Debug, Deserialize)]
struct Tenant {
    #[serde(rename = "self")]
    own: Party,
    #[serde(default)]
    idm_slug: Option<String>,
    dsts: Vec<Party>,
}

#[derive(Clone, Debug, Deserialize)]
struct Party {
    alias: String,
    client_id: TvmId,
}

/// A tenant of tvmtool.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "what tvmtool says of a tenant")]
pub struct ToolConfig {
    /// Its id.
    pub own_id: TvmId,
    /// The environment of its users.
    pub env: BlackboxEnv,
    /// Its role system.
    pub idm_slug: Option<String>,
    /// Its destinations by their local names.
    pub destinations: BTreeMap<String, TvmId>,
}

impl Meta {
    /// Parses the answer of `/tvm/private_api/__meta__`.
    ///
    /// # Errors
    ///
    /// Of kind `Core(Decode)` with the problem and its place.
    pub fn parse(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|fault| {
            let decode = ErrorKind::Core(vouchsafe_core::ErrorKind::Decode);
            Error::new(decode, format!("Malformed json from tvmtool: {fault}"))
        })
    }

    /// Returns the first tenant with this name.
    #[must_use]
    pub fn tenant(&self, alias: &str) -> Option<ToolConfig> {
        let tenant = self
            .tenants
            .iter()
            .find(|tenant| tenant.own.alias == alias)?;
        let destinations = tenant.dsts.iter();
        Some(ToolConfig {
            own_id: tenant.own.client_id,
            env: self.bb_env,
            idm_slug: tenant.idm_slug.clone(),
            destinations: destinations
                .map(|party| (party.alias.clone(), party.client_id))
                .collect(),
        })
    }
}

/// Parses the time of an answer's data, in seconds since the epoch, from the header
/// `X-Ya-Tvmtool-Data-Birthtime`.
///
/// # Errors
///
/// Of kind `Core(Decode)` if it is missing or not a number.
pub fn birth_time(header: Option<&str>) -> Result<u64, Error> {
    let bad = |message: String| {
        let decode = ErrorKind::Core(vouchsafe_core::ErrorKind::Decode);
        Error::new(decode, message)
    };
    let text =
        header.ok_or_else(|| bad(format!("tvmtool's answer lacks the header {BIRTH_TIME}")))?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| bad(format!("the header {BIRTH_TIME} is no number")))
}

/// The header with the time that [`birth_time`] reads.
pub const BIRTH_TIME: &str = "x-ya-tvmtool-data-birthtime";

/// The environment's settings for tvmtool.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "what the environment may say")]
pub struct ToolEnv {
    /// The token; `None` if no variable is set.
    pub auth_token: Option<Secret>,
    /// The port.
    pub port: u16,
    /// Whether a URL is set that has no port: the default port is hardly intended then.
    pub lacks_port: bool,
}

impl ToolEnv {
    /// Reads the variables `TVMTOOL_LOCAL_AUTHTOKEN` or else `QLOUD_TVM_TOKEN`, and
    /// `DEPLOY_TVM_TOOL_URL`, of which only the port is used.
    #[must_use]
    pub fn from_vars(variable: impl Fn(&str) -> Option<String>) -> Self {
        let token = |name| {
            let text = Secret::from(variable(name)?);
            let token = text.expose().trim_end();
            (!token.is_empty()).then(|| Secret::from(token))
        };
        let url = variable(URL);
        let named = url.as_deref().and_then(port);
        Self {
            auth_token: token(TOKEN).or_else(|| token(OLD_TOKEN)),
            port: named.unwrap_or(1),
            lacks_port: url.is_some() && named.is_none(),
        }
    }
}

/// The variable with the token.
pub const TOKEN: &str = "TVMTOOL_LOCAL_AUTHTOKEN";
/// The variable with the token in older installations.
pub const OLD_TOKEN: &str = "QLOUD_TVM_TOKEN";
/// The variable with the URL.
pub const URL: &str = "DEPLOY_TVM_TOOL_URL";
/// The host of the daemon, independent of the environment.
pub const HOST: &str = "localhost";

/// The port of `host:port` or `scheme://host:port`; a number alone is not a port.
fn port(url: &str) -> Option<u16> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next()?;
    authority.rsplit_once(':')?.1.parse().ok()
}

fn meta_env<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BlackboxEnv, D::Error> {
    let name = String::deserialize(deserializer)?;
    BlackboxEnv::ALL
        .into_iter()
        .find(|env| env.meta_name() == name)
        .ok_or_else(|| serde::de::Error::custom(format!("Unknown env: '{name}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tenant_of_a_name_counts() {
        let meta = Meta::parse(
            r#"{"bb_env":"TestYaTeam","tenants":[
                {"self":{"alias":"me","client_id":1},"idm_slug":"s","dsts":[{"alias":"a","client_id":5}]},
                {"self":{"alias":"me","client_id":2},"dsts":[]}]}"#,
        );
        let meta = meta.unwrap();
        let config = meta.tenant("me").unwrap();
        assert_eq!(
            (config.own_id, config.env),
            (TvmId::new(1), BlackboxEnv::TestYateam)
        );
        assert_eq!(config.idm_slug.as_deref(), Some("s"));
        assert_eq!(config.destinations["a"], TvmId::new(5));
        assert!(meta.tenant("you").is_none());
        let error = Meta::parse("{\"bb_env\":\"TestYateam\"}").unwrap_err();
        assert!(
            error.message().contains("Unknown env: 'TestYateam'"),
            "{error}"
        );
    }

    #[test]
    fn a_birth_time_is_a_number() {
        assert_eq!(birth_time(Some("17")).unwrap(), 17);
        for bad in [
            None,
            Some(""),
            Some("+1"),
            Some("1.0"),
            Some("99999999999999999999"),
        ] {
            assert!(birth_time(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_environment_names_token_and_port() {
        let read = |vars: &[(&str, &str)]| {
            ToolEnv::from_vars(|name| {
                let found = vars.iter().find(|(other, _)| *other == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let nothing = read(&[]);
        assert!(nothing.auth_token.is_none() && nothing.port == 1);
        let both = read(&[
            (TOKEN, " \n"),
            (OLD_TOKEN, "old\n"),
            (URL, "http://h:8080/x:1"),
        ]);
        assert_eq!(both.auth_token.unwrap().expose(), "old");
        assert_eq!(both.port, 8080);
        assert!(!nothing.lacks_port);
        for bad in ["8080", "[::1]:70000", "http://localhost", "http://h:8080 x"] {
            let read = read(&[(URL, bad)]);
            assert_eq!((read.port, read.lacks_port), (1, true), "{bad}");
        }
    }
}
