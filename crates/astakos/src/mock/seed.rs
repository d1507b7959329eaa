//! Reads a seed: JSON with users, components, services, resources, projects, holdings and OAuth 2.0
//! data.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use vouchsafe_core::Secret;
use vouchsafe_core::mock::strict;

use crate::{Error, Result};

/// The initial state of a server.
///
/// [`parse`](Self::parse) reads one from JSON, with these fields, all but the first two optional:
///
/// | field | a list of, or what |
/// | --- | --- |
/// | `users` | `uuid`, `username`, `token`; `email`, `name`, `token_expires`, `active`, `email_verified`, `moderated`, `signed_terms`, `project_admin`, `groups` (`id`, `name`), `default_project` |
/// | `components` | `name`, `token`; `token_expires`, `services`, `ui_url`, and what `get_services` shows of it |
/// | `service_catalog` | services as the catalog has them |
/// | `resources` | `name`, `service`; `description`, `unit`, `api_visible`, `ui_visible`, `project_default`, `system_project_default` |
/// | `projects` | `uuid`, `name`, `resources` (each `member_capacity`, `project_capacity`), `members` (`user`, `state`); `owner`, `state`, `end_date`, policies, ... |
/// | `holdings` | `holder`, `source`, `resource`, `limit`, `usage_min`, `usage_max`; left out: as the projects have it |
/// | `oauth2` | `clients`, `codes`, `tokens` |
/// | `settings` | `base_path`, `dialect` (`0.14`, `0.15` or `0.16`), `reuse_serials`, `commission_name_limit`, `project_admins`, `token_lifetime_seconds_oauth2` |
///
/// Accepted users without a system project get one. `Debug` shows no token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    pub(super) users: Vec<UserSeed>,
    pub(super) components: Vec<ComponentSeed>,
    pub(super) service_catalog: Vec<Value>,
    pub(super) resources: Vec<ResourceSeed>,
    pub(super) projects: Vec<ProjectSeed>,
    pub(super) holdings: Option<Vec<HoldingSeed>>,
    pub(super) oauth2: OAuth2Seed,
    pub(super) settings: SettingsSeed,
    /// A note for people.
    #[serde(rename = "about")]
    pub(super) _about: IgnoredAny,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserSeed {
    pub(super) uuid: String,
    pub(super) username: String,
    pub(super) token: Secret,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) token_created: Option<String>,
    #[serde(default)]
    pub(super) token_expires: Option<String>,
    #[serde(default = "yes")]
    pub(super) active: bool,
    #[serde(default = "yes")]
    pub(super) email_verified: bool,
    #[serde(default = "yes")]
    pub(super) moderated: bool,
    #[serde(default = "yes")]
    pub(super) signed_terms: bool,
    #[serde(default)]
    pub(super) project_admin: bool,
    #[serde(default)]
    pub(super) groups: Vec<GroupSeed>,
    #[serde(default)]
    pub(super) default_project: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupSeed {
    pub(super) id: Value,
    pub(super) name: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ComponentSeed {
    pub(super) name: String,
    pub(super) token: Secret,
    #[serde(default)]
    pub(super) token_expires: Option<String>,
    #[serde(default)]
    pub(super) services: BTreeSet<String>,
    /// Seeds for other implementations have it; nothing depends on it here.
    #[serde(default, rename = "base_url")]
    pub(super) _base_url: IgnoredAny,
    #[serde(default)]
    pub(super) ui_url: Option<String>,
    #[serde(default)]
    pub(super) verbose_name: Option<String>,
    #[serde(default)]
    pub(super) order: Option<i64>,
    #[serde(default)]
    pub(super) cloudbar: Option<Value>,
    #[serde(default)]
    pub(super) dashboard: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceSeed {
    pub(super) name: String,
    pub(super) service: String,
    /// The type of that service, which follows from its name.
    #[serde(default, rename = "service_type")]
    pub(super) _service_type: IgnoredAny,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) unit: Option<String>,
    #[serde(default = "yes")]
    pub(super) api_visible: bool,
    #[serde(default = "yes")]
    pub(super) ui_visible: bool,
    #[serde(default)]
    pub(super) project_default: i64,
    #[serde(default)]
    pub(super) system_project_default: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProjectSeed {
    pub(super) uuid: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) state: Option<String>,
    #[serde(default)]
    pub(super) owner: Option<String>,
    #[serde(default)]
    pub(super) homepage: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) creation_date: Option<String>,
    #[serde(default)]
    pub(super) deactivation_date: Option<String>,
    #[serde(default)]
    pub(super) end_date: Option<String>,
    #[serde(default)]
    pub(super) join_policy: Option<String>,
    #[serde(default)]
    pub(super) leave_policy: Option<String>,
    #[serde(default)]
    pub(super) max_members: Option<i64>,
    #[serde(default)]
    pub(super) private: bool,
    #[serde(default)]
    pub(super) system_project: bool,
    #[serde(default)]
    pub(super) resources: BTreeMap<String, CapacitySeed>,
    #[serde(default)]
    pub(super) members: Vec<MemberSeed>,
    #[serde(default)]
    pub(super) application: ApplicationSeed,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CapacitySeed {
    pub(super) member_capacity: i64,
    pub(super) project_capacity: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberSeed {
    pub(super) user: String,
    pub(super) state: String,
}

/// The application that a project came from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApplicationSeed {
    pub(super) state: Option<String>,
    pub(super) applicant: Option<String>,
    pub(super) comments: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldingSeed {
    pub(super) holder: String,
    pub(super) source: Option<String>,
    pub(super) resource: String,
    pub(super) limit: i64,
    #[serde(default)]
    pub(super) usage_min: i64,
    #[serde(default)]
    pub(super) usage_max: i64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OAuth2Seed {
    pub(super) clients: Vec<ClientSeed>,
    pub(super) codes: Vec<CodeSeed>,
    pub(super) tokens: Vec<TokenSeed>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientSeed {
    pub(super) id: String,
    #[serde(default = "no_secret")]
    pub(super) secret: Secret,
    #[serde(default)]
    pub(super) redirect_uris: Vec<String>,
    #[serde(default, rename = "type")]
    pub(super) kind: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeSeed {
    pub(super) code: Secret,
    pub(super) client: String,
    pub(super) redirect_uri: String,
    #[serde(default)]
    pub(super) scope: String,
    pub(super) user: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenSeed {
    pub(super) token: Secret,
    /// Always Bearer.
    #[serde(default, rename = "token_type")]
    pub(super) _token_type: IgnoredAny,
    #[serde(default)]
    pub(super) scope: String,
    pub(super) user: String,
    pub(super) expires_at: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SettingsSeed {
    pub(super) base_path: Option<String>,
    pub(super) dialect: Option<String>,
    pub(super) reuse_serials: bool,
    pub(super) commission_name_limit: Option<usize>,
    pub(super) project_admins: BTreeSet<String>,
    pub(super) token_lifetime_seconds_oauth2: Option<i64>,
}

impl UserSeed {
    /// Creates an accepted user with the least data.
    pub(super) fn new(uuid: String, username: String, token: Secret) -> Self {
        Self {
            uuid,
            username,
            token,
            email: None,
            name: String::new(),
            token_created: None,
            token_expires: None,
            active: true,
            email_verified: true,
            moderated: true,
            signed_terms: true,
            project_admin: false,
            groups: Vec::new(),
            default_project: None,
        }
    }
}

impl Seed {
    /// Reads a state from JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if the text is not a valid state, or has
    /// an unknown key. The error says where, and contains no value of the text.
    pub fn parse(text: &str) -> Result<Self> {
        strict::read(text)
            .map_err(|fault| Error::bad_value(format!("not a state: {}", fault.message())))
    }
}

fn yes() -> bool {
    true
}

fn no_secret() -> Secret {
    Secret::from("")
}
