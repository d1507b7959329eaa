//! The configuration file of tvmtool (protocol section 16.3).

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use vouchsafe_core::Secret;
use vouchsafe_core::mock::strict;

use super::world::{Service, World, random_secret};
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::TvmId;
use crate::engine::secret::ServiceSecret;
use crate::error::{Error, ErrorKind, Result};

/// The validated contents of the file.
#[derive(Debug)]
pub(super) struct ToolConfigFile {
    pub(super) env: BlackboxEnv,
    pub(super) services: Vec<Service>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "BbEnvType")]
    env: u32,
    clients: BTreeMap<String, Client>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    self_tvm_id: TvmId,
    #[serde(default, deserialize_with = "secret")]
    secret: Option<Secret>,
    #[serde(default)]
    roles_for_idm_slug: Option<String>,
    #[serde(default)]
    dsts: BTreeMap<String, Destination>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Destination {
    dst_id: TvmId,
}

/// Reads a secret. An invalid value is not repeated in the error.
fn secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Secret>, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::String(text) => Ok(Some(Secret::from(text))),
        _ => Err(D::Error::custom("a secret is not a text")),
    }
}

impl ToolConfigFile {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let broken = |what: String| {
            let message = format!("tvmtool configuration: {what}");
            Error::new(ErrorKind::BrokenSettings, message)
        };
        let file: File = strict::read(text).map_err(|fault| broken(fault.message().to_owned()))?;
        let env = BlackboxEnv::from_number(file.env)
            .ok_or_else(|| broken(format!("BbEnvType is {}, not one of 0 to 4", file.env)))?;
        let mut services = Vec::new();
        for (alias, client) in file.clients {
            if alias.is_empty() {
                return Err(broken("a client has an empty name".to_owned()));
            }
            if client.self_tvm_id.get() == 0 {
                return Err(broken(format!("self_tvm_id of {alias:?} is 0")));
            }
            if let Some((name, _)) = client.dsts.iter().find(|(_, dst)| dst.dst_id.get() == 0) {
                return Err(broken(format!("dst_id of {name:?} in {alias:?} is 0")));
            }
            let secret = match client.secret {
                Some(secret) => {
                    ServiceSecret::parse(&secret).map_err(|error| {
                        broken(format!("secret of {alias:?}: {}", error.message()))
                    })?;
                    secret
                }
                None if !client.dsts.is_empty() || client.roles_for_idm_slug.is_some() => {
                    return Err(broken(format!("{alias:?} has destinations but no secret")));
                }
                None => random_secret(),
            };
            let destinations = client.dsts.into_iter();
            services.push(Service {
                id: client.self_tvm_id,
                secret,
                alias,
                slug: client.roles_for_idm_slug,
                destinations: destinations.map(|(name, dst)| (name, dst.dst_id)).collect(),
            });
        }
        Ok(Self { env, services })
    }

    /// Returns the state that the file describes, with new keys.
    pub(super) fn into_world(self) -> World {
        let mut world = World::new();
        world.env = self.env;
        for service in self.services {
            world.add(service);
        }
        world
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_the_environment_and_the_clients() {
        let file = ToolConfigFile::parse(
            r#"{"BbEnvType":3,"clients":{"main":{"self_tvm_id":42,"secret":"c2VjcmV0",
                "roles_for_idm_slug":"slug","dsts":{"he":{"dst_id":100500}}},
                "idle":{"self_tvm_id":43}}}"#,
        )
        .unwrap();
        assert_eq!(file.env, BlackboxEnv::TestYateam);
        let main = &file.services[1];
        assert_eq!((main.alias.as_str(), main.id), ("main", TvmId::new(42)));
        assert_eq!(main.destinations["he"], TvmId::new(100_500));
        assert_eq!(main.slug.as_deref(), Some("slug"));
    }

    #[test]
    fn a_fault_names_its_place_and_no_secret() {
        for (text, place) in [
            ("{", "line 1"),
            (r#"{"BbEnvType":9,"clients":{}}"#, "BbEnvType is 9"),
            (
                r#"{"BbEnvType":1,"clients":{"a":{"self_tvm_id":0}}}"#,
                "self_tvm_id of \"a\"",
            ),
            (
                r#"{"BbEnvType":1,"clients":{"a":{"self_tvm_id":1,"secret":"planted!"}}}"#,
                "secret of \"a\"",
            ),
            (
                r#"{"BbEnvType":1,"clients":{"a":{"self_tvm_id":1,"secret":["planted"]}}}"#,
                "clients.a.secret",
            ),
            (
                "{\"BbEnvType\":1,\n\"clinets\":{}}",
                "line 2, column 9: clinets: unknown field; there is: BbEnvType, clients",
            ),
            (
                r#"{"BbEnvType":1,"clients":{"a":{"self_tvm_id":1,"secrte":"planted"}}}"#,
                "clients.a.secrte: unknown field",
            ),
            (
                r#"{"BbEnvType":1,"clients":{"a":{"self_tvm_id":1,"dsts":{"b":{"dst_id":2}}}}}"#,
                "no secret",
            ),
        ] {
            let error = ToolConfigFile::parse(text).unwrap_err().to_string();
            assert!(
                error.contains(place) && !error.contains("planted"),
                "{error}"
            );
        }
    }
}
