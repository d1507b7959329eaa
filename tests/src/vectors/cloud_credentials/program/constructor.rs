//! Constructor arguments of the older classes, as options and variables of the program.

use serde_json::{Map, Value};

use super::super::machine::is_of_session;
use super::machine::{Machine, Order};
use super::other::Other;

/// Adds the arguments of `Credentials` to a command. Secrets are variables: like arguments, those hide the
/// file.
pub(super) fn of_credentials(
    machine: &Machine,
    given: &Map<String, Value>,
    order: &mut Order,
) -> Result<(), Other> {
    let is_given = |name: &str| given.get(name).is_some_and(|value| !is_none(value));
    if VARIABLES.iter().any(|(name, _)| is_given(name)) {
        for (name, variable) in VARIABLES {
            let value = given.get(name).and_then(Value::as_str);
            order.variables.push((variable, value.map(str::to_owned)));
        }
    }
    // Never the real service.
    let mut token_url = machine.url();
    for (name, value) in given.iter().filter(|(_, value)| !is_none(value)) {
        if matches!(name.as_str(), "storage_adapter" | "cache_token") {
            return Err(Other::Waived(NO_OPTION));
        }
        if name == "storage_params" {
            let file = value["dbfile"].as_str();
            let file = file.ok_or_else(|| unknown(name, value))?;
            order
                .arguments
                .extend(["--file".to_owned(), file.to_owned()]);
            continue;
        }
        if name == "port" || is_session(name, value)? {
            continue;
        }
        let text = value.as_str().map(str::to_owned);
        let text = text.ok_or_else(|| unknown(name, value))?;
        match name.as_str() {
            "access_token" | "client_id" | "client_secret" | "refresh_token" => {}
            // Of logins, which read them.
            "auth_base_url" | "instance_id" | "redirect_uri" | "region" | "scope" => {}
            "profile" => order.arguments.extend(["--profile".to_owned(), text]),
            "token_url" => token_url = with_port(&text, given),
            "developer_token" => order.variables.push(("PAN_DEVELOPER_TOKEN", Some(text))),
            "developer_token_url" => {
                let url = format!("{}/request_token", with_port(&text, given));
                let name = "PAN_DEVELOPER_TOKEN_PROVIDER";
                order.variables.push((name, Some(url)));
            }
            "developer_token_provider" => {
                let name = "PAN_DEVELOPER_TOKEN_PROVIDER";
                order.variables.push((name, Some(text)));
            }
            _ => return Err(unknown(name, value)),
        }
    }
    order
        .arguments
        .extend(["--token-url".to_owned(), token_url]);
    Ok(())
}

/// Returns the URL that the arguments of a session or a service say.
pub(super) fn url(given: &Map<String, Value>) -> Result<Option<String>, Other> {
    for (name, value) in given.iter().filter(|(_, value)| !is_none(value)) {
        if !matches!(name.as_str(), "url" | "port") && !is_session(name, value)? {
            return Err(unknown(name, value));
        }
    }
    let url = given.get("url").and_then(Value::as_str);
    Ok(url.map(|url| with_port(url, given)))
}

/// Returns whether an argument is one of sessions that changes nothing that is compared.
pub(super) fn is_session(name: &str, value: &Value) -> Result<bool, Other> {
    let changes = match name {
        "auto_refresh" | "auto_retry" => value == &Value::Bool(false),
        "enforce_json" => value == &Value::Bool(true),
        "verify" => value != &Value::Bool(true),
        "cert" | "proxies" | "auth" => true,
        _ => false,
    };
    match changes {
        true => Err(Other::Waived(NO_OPTION)),
        false => Ok(name == "auto_retry" || is_of_session(name, value)),
    }
}

/// Returns whether a value is `None` for Python, or counts as that.
fn is_none(value: &Value) -> bool {
    value.is_null() || value == ""
}

fn with_port(url: &str, given: &Map<String, Value>) -> String {
    let port = match given.get("port") {
        Some(Value::Number(port)) => format!(":{port}"),
        Some(Value::String(port)) => format!(":{port}"),
        _ => String::new(),
    };
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.contains(':') {
        true => url.to_owned(),
        false => format!("{scheme}://{authority}{port}{path}"),
    }
}

fn unknown(name: &str, value: &Value) -> Other {
    Other::Unknown(format!("no runner for the argument {name} = {value}"))
}

/// The four values, and the variables that say them.
pub(super) const VARIABLES: [(&str, &str); 4] = [
    ("access_token", "PAN_ACCESS_TOKEN"),
    ("client_id", "PAN_CLIENT_ID"),
    ("client_secret", "PAN_CLIENT_SECRET"),
    ("refresh_token", "PAN_REFRESH_TOKEN"),
];

const NO_OPTION: &str = "cli: the program has no option for that argument of a constructor";
