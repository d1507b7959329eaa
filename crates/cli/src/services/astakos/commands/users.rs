//! The user of a token, and names and uuids of users.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Subcommand};
use serde_json::json;
use vouchsafe::astakos::Client;

use crate::failure::Failure;
use crate::output::{Answer, pairs, table};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Looks up the names for uuids
    Names(LookUp),
    /// Looks up the uuids for names
    Uuids(LookUp),
    /// Lists all users; needs a service's token
    All,
}

#[derive(Args, Debug)]
pub(super) struct LookUp {
    /// What to look up
    #[arg(required = true)]
    items: Vec<String>,
    /// The token is a service's
    #[arg(long)]
    service: bool,
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Names(LookUp { items, service }) => {
            let found = match service {
                true => client.service_usernames(&items).await?,
                false => client.usernames(&items).await?,
            };
            Ok(looked_up(&["uuid", "name"], &found, &items))
        }
        Command::Uuids(LookUp { items, service }) => {
            let found = match service {
                true => client.service_uuids(&items).await?,
                false => client.uuids(&items).await?,
            };
            Ok(looked_up(&["name", "uuid"], &found, &items))
        }
        Command::All => Ok(listed(&["uuid", "name"], &client.all_usernames().await?)),
    }
}

/// Lists the users found; missing ones are a failure.
fn looked_up(header: &[&str], found: &BTreeMap<String, String>, items: &[String]) -> Answer {
    // Of two spellings of one name, the server returns only one.
    let known: BTreeSet<String> = found.keys().map(|key| key.to_lowercase()).collect();
    let is_missing = |item: &&String| !known.contains(&item.to_lowercase());
    let missing: Vec<&str> = items
        .iter()
        .filter(is_missing)
        .map(String::as_str)
        .collect();
    let answer = match found.is_empty() {
        true => Answer::new("", json!(found)),
        false => listed(header, found),
    };
    match missing.is_empty() {
        true => answer,
        false => answer.missing(format!("not found: {}", missing.join(", "))),
    }
}

fn listed(header: &[&str], found: &BTreeMap<String, String>) -> Answer {
    let rows = found
        .iter()
        .map(|(key, value)| vec![key.clone(), value.clone()]);
    Answer::new(table(header, rows), json!(found))
}

/// Shows everything but the token itself.
pub(super) async fn login_info(client: &Client) -> Result<Answer, Failure> {
    let access = client.authenticate(None).await?;
    let mut rows = Vec::new();
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            rows.push((name.to_owned(), value));
        }
    };
    if let Some(user) = &access.user {
        row("name", user.name.clone());
        row("uuid", Some(user.id.clone()));
        let roles: Vec<_> = user
            .roles
            .iter()
            .filter_map(|role| role.name.clone())
            .collect();
        row(
            "roles",
            Some(roles.join(", ")).filter(|roles| !roles.is_empty()),
        );
        row("projects", user.projects.as_ref().map(|ids| ids.join(", ")));
    }
    if let Some(token) = &access.token {
        row("token expires", token.expires.clone());
        let tenant = token.tenant.as_ref().and_then(|tenant| tenant.id.clone());
        row("default project", tenant);
    }
    let catalog = access.catalog()?;
    for service in catalog.services() {
        let name = service.name.clone().unwrap_or_default();
        for endpoint in service.endpoints.iter().flatten() {
            row(&format!("service {name}"), endpoint.public_url.clone());
        }
    }
    let tenant = access.token.as_ref().and_then(|token| token.tenant.clone());
    let expires = access
        .token
        .as_ref()
        .and_then(|token| token.expires.clone());
    let value = json!({
        "user": access.user,
        "expires": expires,
        "tenant": tenant,
        "catalog": catalog,
    });
    Ok(Answer::new(pairs(rows), value))
}
