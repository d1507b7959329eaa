//! The services, as the matrix needs them: their operations, clients, secrets and sources of tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use http::StatusCode;
use serde_json::json;
use vouchsafe::cloud_credentials::Credentials;
use vouchsafe::core::auth::TokenSource;
use vouchsafe::core::auth::oauth::ClientCredentials;
use vouchsafe::core::call::{Operation, Repeat};
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, ErrorKind, Result};
use vouchsafe::wazo_auth::RenewingToken;

use super::super::shown::{Caller, Failure};
use super::super::{astakos, described, is_of, userinfo, wazo_auth};
use super::line::Act;
use super::page::Section;
use super::rules::{Facts, Limits, usual_kind};

/// Makes a client that calls an operation over a network, with the tokens of a source.
type Connect = fn(&'static Operation, Arc<dyn Transport>, Option<Arc<dyn TokenSource>>) -> Caller;

/// One service.
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) operations: Vec<&'static Operation>,
    pub(super) secrets: Vec<String>,
    pub(super) connect: Connect,
    /// What answers requests before those of the operation.
    pub(super) emulator: fn() -> Arc<dyn Transport>,
    pub(super) source: Option<Source>,
    pub(super) limits: Limits,
    /// Whether its description gives statuses another meaning than RFC 9110.
    pub(super) has_own_kinds: bool,
}

/// Where the tokens of a service come from, if from a server.
#[derive(Clone, Copy)]
pub(super) struct Source {
    pub(super) section: Section,
    pub(super) over: fn(Arc<dyn Transport>) -> Arc<dyn TokenSource>,
    pub(super) facts: fn() -> Facts,
    path: &'static str,
    answer: fn(u64) -> serde_json::Value,
}

impl Source {
    pub(super) fn is_for(self) -> impl Fn(&Request) -> bool + Send + Sync + 'static {
        move |request| request.uri.path().ends_with(self.path)
    }

    /// Issues a token.
    pub(super) fn issue(self) -> Act {
        Act::new(&self.issuer(), true)
    }

    /// Returns a server that issues tokens.
    pub(super) fn issuer(self) -> Arc<dyn Transport> {
        Arc::new(Issuer(self.answer))
    }
}

/// Issues another token to each request.
#[derive(Debug)]
struct Issuer(fn(u64) -> serde_json::Value);

impl Transport for Issuer {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response>> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let mut response = Response::new(StatusCode::OK);
        let answer = (self.0)(NUMBER.fetch_add(1, SeqCst));
        response.body = answer.to_string().into();
        Box::pin(std::future::ready(Ok(response)))
    }
}

pub(super) const USUAL: Limits = Limits::seconds(5, 15);
const OF_WAZO_AUTH: Limits = Limits::seconds(10, 30);
const OF_CLOUD_CREDENTIALS: Limits = Limits::seconds(30, 60);

const COLUMNS: &[&str] = &[
    "the first token",
    "the first token, by HTTP/2",
    "another one after a 401",
];
/// That of the emulator.
const USERINFO_PATH: &str = "/repertoire";
const TOKEN: &str = "gt-0123456789012345678901.abcdefghijklmnopqrstuv";
const TOKEN_SECRET: &str = "abcdefghijklmnopqrstuv";
const ISSUED: &str = "planted-issued/token+of";
const SECRET: &str = "planted-secret/of+the&source";
const REFRESH: &str = "planted-refresh/token+of";

fn oauth(number: u64) -> serde_json::Value {
    let token = format!("{ISSUED}{number}");
    json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600})
}

const CLIENT_CREDENTIALS: Source = Source {
    section: Section {
        heading: "Tokens by core's `ClientCredentials`",
        columns: COLUMNS,
    },
    over: |network| {
        let source =
            ClientCredentials::builder("https://id.example.com/oauth2/grant", "app", SECRET);
        Arc::new(source.transport(network).max_in_flight(1).build().unwrap())
    },
    // Of a refusal, the call that needs the token learns that there is no credential.
    facts: || Facts {
        limits: USUAL,
        whole: None,
        is_done_if_gone: false,
        repeat: Repeat::Safe,
        has_body: true,
        kind_of: Box::new(|status| match status {
            400 | 401 | 403 | 409 | 422 => ErrorKind::Credential,
            404 | 405 | 410 => ErrorKind::Config,
            status => usual_kind(status),
        }),
        repeated_after: Box::new(|status| matches!(status, 408 | 429 | 502 | 503 | 504)),
    },
    path: "/oauth2/grant",
    answer: oauth,
};

const RENEWING_TOKEN: Source = Source {
    section: Section {
        heading: "Tokens by wazo-auth's `RenewingToken`",
        columns: COLUMNS,
    },
    over: |network| {
        let login = wazo_auth::client(network).token().create();
        Arc::new(RenewingToken::new(login.credentials("app", SECRET)))
    },
    facts: || {
        let mut all = vouchsafe::wazo_auth::mock::operations();
        let login = all.find(|operation| operation.id() == "wazo-auth.createToken");
        Facts::of(login.unwrap(), OF_WAZO_AUTH)
    },
    path: "/token",
    answer: |number| {
        let token = format!("{ISSUED}{number}");
        json!({"data": {"token": token, "auth_id": "app", "utc_expires_at": null}})
    },
};

const CREDENTIALS: Source = Source {
    section: Section {
        heading: "Tokens by cloud-credentials' `Credentials`",
        columns: COLUMNS,
    },
    over: |network| {
        let credentials = Credentials::builder().transport(network).max_in_flight(1);
        let credentials = credentials.client_id("app").client_secret(SECRET);
        let credentials = credentials.refresh_token(REFRESH);
        Arc::new(credentials.build().unwrap())
    },
    // A refresh token is spent by the first request.
    facts: || Facts {
        limits: Limits::seconds(20, 20),
        whole: None,
        is_done_if_gone: false,
        repeat: Repeat::OnlyIfUnsent,
        has_body: true,
        kind_of: Box::new(usual_kind),
        repeated_after: Box::new(|_| false),
    },
    path: "/RequestToken",
    answer: oauth,
};

/// All services whose clients make one call for a method. Ticket's client is in `ticket`.
pub(super) fn all() -> Vec<Service> {
    let texts = |secrets: &[&str]| secrets.iter().map(|text| (*text).to_owned()).collect();
    let of_sources = [ISSUED, SECRET, REFRESH];
    let mut all = vec![
        Service {
            name: "astakos",
            operations: vouchsafe::astakos::mock::operations()
                .filter(|operation| !astakos::NOT_ASKED.contains(&operation.id()))
                .collect(),
            secrets: texts(&[&astakos::SECRETS[..], &of_sources].concat()),
            connect: |operation, network, source| {
                let client = astakos::client(operation.id(), network);
                let client = match source {
                    Some(source) => client.with_token_source(source),
                    None => client,
                };
                Box::new(move || {
                    let client = client.clone();
                    Box::pin(async move {
                        let done = astakos::call(&client, operation.id()).await;
                        done.map_err(|error| {
                            let more = format!("{error}{error:?}{:?}", error.fault());
                            Failure::new(error.core(), &more)
                        })
                    })
                })
            },
            emulator: || vouchsafe::astakos::mock::Server::new().host().transport(),
            source: Some(CLIENT_CREDENTIALS),
            limits: USUAL,
            has_own_kinds: false,
        },
        Service {
            name: "userinfo",
            operations: vouchsafe::userinfo::mock::operations()
                .filter(|operation| !userinfo::NOT_ASKED.contains(&operation.id()))
                .collect(),
            // The part of a token that is not its name.
            secrets: vec![TOKEN_SECRET.to_owned()],
            connect: |operation, network, _| {
                let client = userinfo::client(USERINFO_PATH, network);
                Box::new(move || {
                    let client = client.clone();
                    Box::pin(async move {
                        let token = TOKEN.parse().unwrap();
                        let done = userinfo::call(&client, operation.id(), &token).await;
                        done.map_err(|error| {
                            let more = format!("{error}{error:?}{:?}", error.details());
                            Failure::new(error.core(), &more)
                        })
                    })
                })
            },
            emulator: || userinfo::server().host().transport(),
            // Its calls get the caller's token.
            source: None,
            limits: USUAL,
            has_own_kinds: false,
        },
        Service {
            name: "wazo-auth",
            operations: vouchsafe::wazo_auth::mock::operations().collect(),
            secrets: texts(&[&wazo_auth::SECRETS[..], &of_sources].concat()),
            connect: |operation, network, source| {
                let client = wazo_auth::client(network);
                let client = match source {
                    Some(source) => client.with_token_source(source),
                    None => client,
                };
                Box::new(move || {
                    let client = client.clone();
                    Box::pin(async move {
                        let done = wazo_auth::call(&client, operation).await;
                        done.map_err(|error| {
                            let (body, debug) = (error.body(), format!("{error:?}"));
                            Failure::new(error.core(), &format!("{error}{debug}{body:?}"))
                        })
                    })
                })
            },
            emulator: || vouchsafe::wazo_auth::mock::Server::new().host().transport(),
            source: Some(RENEWING_TOKEN),
            limits: OF_WAZO_AUTH,
            has_own_kinds: true,
        },
    ];
    for (name, operations) in described::services() {
        if all.iter().any(|service| service.name == name) {
            continue;
        }
        all.push(Service {
            name,
            operations: operations.iter().map(|one| one.operation).collect(),
            secrets: texts(&[&[described::TOKEN][..], &of_sources].concat()),
            connect: |operation, network, source| {
                let described = described::of(operation);
                described::caller(described, network, source)
            },
            emulator: described::nowhere,
            source: Some(match name {
                "cloud-credentials" => CREDENTIALS,
                _ => CLIENT_CREDENTIALS,
            }),
            limits: match name {
                "cloud-credentials" => OF_CLOUD_CREDENTIALS,
                _ => USUAL,
            },
            has_own_kinds: false,
        });
    }
    if let Some(only) = super::only() {
        all.retain(|service| service.name == only);
        assert!(!all.is_empty(), "no service is called {only:?}");
    }
    all
}

/// Returns which requests are of an operation.
pub(super) fn requests_of(
    operation: &'static Operation,
) -> impl Fn(&Request) -> bool + Send + Sync {
    move |request| is_of(operation, request)
}
