//! The plain attributes of credentials in Python, which are set when ours are built.

use serde_json::{Map, Value};
use vouchsafe::cloud_credentials::{Credentials, Secret};

use super::machine::Machine;

/// What credentials were built of.
#[derive(Clone, Default)]
pub(super) struct Built {
    args: Map<String, Value>,
    session: Option<Map<String, Value>>,
    /// The values that were set later, in order.
    set: Vec<(String, Option<String>)>,
}

impl Built {
    pub(super) fn new(args: &Map<String, Value>, session: Option<&Map<String, Value>>) -> Self {
        Self {
            args: args.clone(),
            session: session.cloned(),
            set: Vec::new(),
        }
    }

    /// Returns an attribute, or its default.
    pub(super) fn get(&self, name: &str) -> Value {
        let given = self.args.get(name).filter(|value| !value.is_null());
        given.cloned().unwrap_or_else(|| usual(name))
    }

    /// Sets an attribute: returns credentials that are built with it.
    pub(super) fn set(
        &mut self,
        machine: &Machine,
        name: &str,
        value: &Value,
    ) -> Result<Credentials, String> {
        self.args.insert(name.to_owned(), value.clone());
        let built = machine.build(&self.args, self.session.as_ref())?;
        for (name, value) in &self.set {
            set_value(&built, name, value.as_deref())?;
        }
        Ok(built)
    }

    /// Notes a value that was set.
    pub(super) fn note(&mut self, name: &str, value: Option<&str>) {
        self.set.push((name.to_owned(), value.map(str::to_owned)));
    }
}

/// Returns whether an attribute is a plain one.
pub(super) fn is_plain(name: &str) -> bool {
    let names = [
        "auth_base_url",
        "developer_token_url",
        "instance_id",
        "profile",
        "redirect_uri",
        "region",
        "scope",
        "token_url",
    ];
    names.contains(&name)
}

/// Sets one of the values that ours can be given later.
pub(super) fn set_value(
    credentials: &Credentials,
    name: &str,
    value: Option<&str>,
) -> Result<(), String> {
    let secret = value.map(Secret::from);
    match name {
        "access_token" => credentials.set_access_token(secret),
        "client_id" => credentials.set_client_id(value.map(str::to_owned)),
        "client_secret" => credentials.set_client_secret(secret),
        "refresh_token" => credentials.set_refresh_token(secret),
        "developer_token" => credentials.set_developer_token(secret),
        other => return Err(format!("no runner for setting {other}")),
    }
    Ok(())
}

/// Returns the default of an attribute (protocol section 2).
fn usual(name: &str) -> Value {
    match name {
        "auth_base_url" => "https://identity.paloaltonetworks.com/as/authorization.oauth2".into(),
        "developer_token_url" => "https://app.apiexplorer.rocks".into(),
        "profile" => "default".into(),
        "token_url" => "https://api.paloaltonetworks.com".into(),
        "cache_token" => true.into(),
        _ => Value::Null,
    }
}
