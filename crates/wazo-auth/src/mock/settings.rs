//! The service's configuration, as far as it affects its behaviour.

use serde_json::{Map, Value};
use vouchsafe_core::{Error, ErrorKind, Result, Secret};

use super::password::HashCost;
use crate::acl::Rules;

/// The configuration of the emulated service. The defaults are the service's own.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct Settings {
    /// The lifetime of a token in seconds, if the login does not request another. Default: 7200.
    pub token_lifetime: i64,
    /// How many sessions a user may have. Default: 100.
    pub max_sessions: usize,
    /// How often expired sessions are removed, in seconds. Until then they count. Default: 60.
    pub cleanup_interval: i64,
    /// The lifetime in seconds of the token in a message to reset a password. Default: 172800.
    pub reset_lifetime: i64,
    /// The lifetime in seconds of the token in a message to confirm an address. Default: 172800.
    pub confirmation_lifetime: i64,
    /// Whether to behave like a server before 21.05 too: with the routes `acl_templates` and
    /// `init`, and `acl_templates` as well as `acl` in bodies. Default: no.
    pub legacy: bool,
    /// The rules for the access patterns of tokens. Default: [`Rules::Current`].
    pub acl_rules: Rules,
    /// The key of 20 characters that permits creating the first user of such a server, once.
    /// Default: none.
    pub init_key: Option<Secret>,
    /// Whether anyone can register. Default: no.
    pub registration: bool,
    /// The slug of the policy that every user has. Default: none.
    pub default_user_policy: Option<String>,
    /// The slugs of the policies of the group of all users.
    pub all_users_policies: Vec<String>,
    /// The groups that a new tenant gets, with the slugs of their policies.
    pub default_groups: Vec<(String, Vec<String>)>,
    /// The types of external data that users can have.
    pub external_types: Vec<String>,
    /// The names of the login backends.
    pub backends: Vec<String>,
    /// The methods of authentication besides `default` and `native`.
    pub idps: Vec<String>,
    /// The identity of the installation.
    pub xivo_uuid: Option<String>,
    /// How many proxies in front of the service are trusted to state the client's address. Default:
    /// 1.
    pub trusted_proxies: usize,
    /// The cost of a password hash. Default: [`HashCost::Cheap`].
    pub hash_cost: HashCost,
}

impl Default for Settings {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Self {
            token_lifetime: 7200,
            max_sessions: 100,
            cleanup_interval: 60,
            reset_lifetime: 172_800,
            confirmation_lifetime: 172_800,
            legacy: false,
            acl_rules: Rules::Current,
            init_key: None,
            registration: false,
            default_user_policy: None,
            all_users_policies: texts(&["wazo-all-users-policy"]),
            default_groups: vec![(
                "wazo_default_admin_group".to_owned(),
                texts(&["wazo_default_admin_policy"]),
            )],
            external_types: texts(&["google", "microsoft", "mobile"]),
            backends: texts(&["ldap_user", "wazo_user"]),
            idps: texts(&["ldap", "saml"]),
            xivo_uuid: None,
            trusted_proxies: 1,
            hash_cost: HashCost::Cheap,
        }
    }
}

impl Settings {
    /// Applies a configuration with the service's keys.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if it has a key that the emulator does not know, or a value of
    /// another type.
    pub fn apply(&mut self, config: &Map<String, Value>) -> Result<()> {
        for (key, value) in config {
            self.set(key, value)
                .ok_or_else(|| wrong(&format!("{key}: a value of the wrong type")))??;
        }
        Ok(())
    }

    /// Sets one; `None` if the value has the wrong type.
    fn set(&mut self, key: &str, value: &Value) -> Option<Result<()>> {
        match key {
            "default_token_lifetime" => self.token_lifetime = value.as_i64()?,
            "max_user_concurrent_sessions" => {
                self.max_sessions = usize::try_from(value.as_u64()?).ok()?;
            }
            "token_cleanup_interval" | "token_cleanup_interval_seconds" => {
                self.cleanup_interval = value.as_i64()?;
            }
            "password_reset_expiration" => self.reset_lifetime = value.as_i64()?,
            "email_confirmation_expiration" => self.confirmation_lifetime = value.as_i64()?,
            "user_registration_enabled" => self.registration = value.as_bool()?,
            "default_user_policy" => self.default_user_policy = value.as_str().map(str::to_owned),
            "all_users_policies" => self.all_users_policies = texts(value)?,
            "tenant_default_groups" => {
                let groups = value.as_object()?.iter();
                let group =
                    |(name, policies): (&String, &Value)| Some((name.clone(), texts(policies)?));
                self.default_groups = groups.map(group).collect::<Option<_>>()?;
            }
            "enabled_external_auth" => self.external_types = texts(value)?,
            "login_backends" => self.backends = texts(value)?,
            "idp_types" => {
                self.idps = texts(value)?;
                self.idps
                    .retain(|name| name != "default" && name != "native");
            }
            "trusted_proxy_hops" => self.trusted_proxies = usize::try_from(value.as_u64()?).ok()?,
            "enabled_http_plugins" | "enabled_backend_plugins" => {
                for (plugin, value) in value.as_object()? {
                    match self.plug(plugin, value.as_bool()?) {
                        Ok(()) => {}
                        error => return Some(error),
                    }
                }
            }
            "enabled_http_plugins.user_registration" => self.registration = value.as_bool()?,
            "enabled_backend_plugins.ldap_user" => {
                return Some(self.plug("ldap_user", value.as_bool()?));
            }
            // These do not affect the emulator, which uses UTC and byte order.
            "timezone" if value == "UTC" => {}
            "database_collation" if value.as_str()?.starts_with('C') => {}
            "email_confirmation_get_mimetype" if value == "text/html" => {}
            "timezone" | "database_collation" | "email_confirmation_get_mimetype" => {
                return Some(Err(wrong(&format!("{key}: another value is not emulated"))));
            }
            _ => return Some(Err(wrong(&format!("{key} is not known")))),
        }
        Some(Ok(()))
    }

    fn plug(&mut self, plugin: &str, is_on: bool) -> Result<()> {
        match plugin {
            "user_registration" => self.registration = is_on,
            "ldap_user" => {
                self.backends.retain(|name| name != plugin);
                self.idps.retain(|name| name != "ldap");
                if is_on {
                    self.backends.push(plugin.to_owned());
                    self.idps.push("ldap".to_owned());
                }
            }
            _ => return Err(wrong(&format!("there is no plugin {plugin}"))),
        }
        Ok(())
    }

    /// Returns the methods of authentication.
    pub(super) fn methods(&self) -> Vec<&str> {
        let mut methods = vec!["default", "native"];
        methods.extend(self.idps.iter().map(String::as_str));
        methods
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let items = value.as_array()?.iter();
    items.map(|item| Some(item.as_str()?.to_owned())).collect()
}

fn wrong(why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("server_config: {why}"))
}
