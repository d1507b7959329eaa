//! `vouchsafe credentials doctor`: finds problems with credentials.

use std::process::ExitCode;

use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use vouchsafe::cloud_credentials::file::{Document, FileStore};
use vouchsafe::cloud_credentials::{Credentials, Error, Source};
use vouchsafe::core::transport::Request;
use vouchsafe::core::{Clock as _, SystemClock, timestamp};

use super::reach::Reach;
use super::show::expiry;
use crate::failure::Failure;
use crate::output::{Answer, table};
use crate::service::Done;
use crate::terminal::clean;

/// The result of a check, and whether it is as expected.
struct Check {
    name: &'static str,
    found: String,
    is_good: bool,
}

pub(super) async fn run(reach: &Reach) -> Done {
    let credentials = reach.credentials()?;
    let developer = developer_token(&credentials).await;
    let has_developer_token = developer.as_ref().is_some_and(|check| check.is_good);
    let found = credentials.source().await;
    let is_stored = matches!(found, Ok(Source::Store));
    let mut checks = vec![source(&credentials, found)];
    checks.extend(developer);
    let documents = reach.store()?.documents(FileStore::NAMESPACE).await;
    checks.push(file(reach)?);
    let documents = match documents {
        Ok(documents) => documents,
        Err(error) => {
            checks.push(bad("profiles", Failure::from(error).to_string()));
            Vec::new()
        }
    };
    // Others are not what the profile of the file says.
    if is_stored {
        checks.extend(refused(&credentials, &documents));
    }
    checks.extend(values(reach, &credentials, &documents, has_developer_token).await);
    checks.push(server(reach, &credentials).await?);
    let is_good = checks.iter().all(|check| check.is_good);
    let rows = checks.iter().map(|check| {
        let mark = if check.is_good { "ok" } else { "BAD" };
        vec![check.name.to_owned(), mark.to_owned(), check.found.clone()]
    });
    let human = table(&["check", "result", "found"], rows);
    let shown =
        |check: &Check| json!({"check": check.name, "ok": check.is_good, "found": check.found});
    let value: Vec<Value> = checks.iter().map(shown).collect();
    let code = match is_good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    };
    Ok((Answer::new(human, json!(value)), code))
}

/// Checks for a developer token, which is used instead of all else but an access token of the
/// environment.
async fn developer_token(credentials: &Credentials) -> Option<Check> {
    let name = "developer token";
    let provider = || credentials.developer_token_provider();
    match credentials.developer_token().await {
        Ok(None) => None,
        Ok(Some(_)) => Some(match provider() {
            Ok(url) => good(name, format!("redeemed at {}", clean(without_query(&url)))),
            Err(error) => bad(name, Failure::from(error).to_string()),
        }),
        Err(error) => Some(bad(name, Failure::from(error).to_string())),
    }
}

fn source(credentials: &Credentials, found: Result<Source, Error>) -> Check {
    let profile = credentials.profile();
    match found {
        Ok(Source::Nothing) => bad("source", format!("nowhere, for the profile {profile}")),
        Ok(Source::Store) => good("source", format!("the profile {profile} of the file")),
        Ok(source) => good("source", source.to_string()),
        Err(error) => bad("source", Failure::from(error).to_string()),
    }
}

/// Checks that others cannot read the file.
fn file(reach: &Reach) -> Result<Check, Failure> {
    let store = reach.store()?;
    let path = store.path().display();
    let about = match std::fs::metadata(store.path()) {
        Ok(about) => about,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            return Ok(good("file", format!("{path} does not exist yet")));
        }
        Err(cause) => return Ok(bad("file", format!("{path}: {cause}"))),
    };
    Ok(match mode(&about) {
        Some(mode) if mode & 0o077 != 0 => {
            let what = format!("{path} has mode {mode:04o}: others can read it; chmod 600 it");
            bad("file", what)
        }
        _ => good("file", format!("only its owner can read {path}")),
    })
}

#[cfg(unix)]
fn mode(about: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(about.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> Option<u32> {
    None
}

/// Checks whether the server has refused the refresh token.
fn refused(credentials: &Credentials, documents: &[Document]) -> Option<Check> {
    let profile = credentials.profile();
    let own = documents
        .iter()
        .find(|document| document.profile.as_deref() == Some(profile))?;
    own.record.is_dead().then(|| {
        let what = "the server has refused it; log in again: vouchsafe credentials login";
        bad("refresh token", what.to_owned())
    })
}

async fn values(
    reach: &Reach,
    credentials: &Credentials,
    documents: &[Document],
    has_developer_token: bool,
) -> Vec<Check> {
    // A failure here is reported with the source.
    let Ok(values) = credentials.values().await else {
        return Vec::new();
    };
    let has_secret = values.client_secret.is_some() || !reach.needs_secret(credentials).await;
    let lacking = [
        ("client_id", values.client_id.is_some()),
        ("client_secret", has_secret),
        ("refresh_token", values.refresh_token.is_some()),
    ];
    let lacking = lacking.into_iter().filter(|(_, is_there)| !is_there);
    let lacking: Vec<_> = lacking.map(|(name, _)| name).collect();
    let renewal = match lacking.is_empty() {
        true => good("renewal", "the access token can be renewed".to_owned()),
        false if has_developer_token => {
            good("renewal", "the developer token gets another".to_owned())
        }
        false => bad("renewal", format!("missing {}", lacking.join(", "))),
    };
    let token = match &values.access_token {
        None => good("access token", "none yet".to_owned()),
        Some(token) => match expiry(token, documents) {
            None => good("access token", "does not say when it expires".to_owned()),
            Some(at) => {
                let is_over = at <= SystemClock::new().now();
                let verb = if is_over { "expired" } else { "expires" };
                let found = format!("{verb} at {}", timestamp::format(at));
                match is_over && !renewal.is_good {
                    true => bad("access token", found),
                    false => good("access token", found),
                }
            }
        },
    };
    vec![renewal, token]
}

/// Checks that the server answers, by its metadata if it is named by its issuer. Nothing secret is sent.
async fn server(reach: &Reach, credentials: &Credentials) -> Result<Check, Failure> {
    match credentials.server_metadata().await {
        Ok(None) => {}
        Ok(Some(metadata)) => {
            let found = format!("the metadata of {} is valid", clean(&metadata.issuer));
            return Ok(good("server", found));
        }
        Err(error) => return Ok(bad("server", Failure::from(error).to_string())),
    }
    let origin = &reach.origin;
    let endpoint = origin.token_endpoint.as_deref();
    let url = endpoint.or(origin.token_url.as_deref());
    let url = url.unwrap_or(DEFAULT_SERVER);
    let uri: Uri = url
        .parse()
        .map_err(|_| Failure::usage("the URL of the authorization server is malformed"))?;
    let transport = reach.connection.transport()?;
    let asked = transport.send(Request::new(Method::GET, uri));
    Ok(match reach.connection.within(asked).await {
        Ok(answer) => {
            let status = answer.status;
            let found = format!("{} answers (HTTP {})", without_query(url), status.as_u16());
            // A server need not have a page at its root, but an endpoint is where it is.
            let is_missing = status == StatusCode::NOT_FOUND && endpoint.is_some();
            match status.is_server_error() || is_missing {
                true => bad("server", found),
                false => good("server", found),
            }
        }
        Err(error) => bad("server", Failure::from(error).to_string()),
    })
}

/// Returns a URL up to its query, which may hold a secret.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

fn good(name: &'static str, found: String) -> Check {
    Check {
        name,
        found,
        is_good: true,
    }
}

fn bad(name: &'static str, found: String) -> Check {
    Check {
        name,
        found,
        is_good: false,
    }
}

const DEFAULT_SERVER: &str = "https://api.paloaltonetworks.com";
