//! Answers of servers: every operation of every service gets any answers, and whatever they are, a
//! call ends in time and shows no secret.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{DATE, HeaderValue, RETRY_AFTER};
use http::{Method, StatusCode};
use vouchsafe::cloud_credentials::Credentials;
use vouchsafe::core::auth::TokenSource as _;
use vouchsafe::core::auth::oauth::ClientCredentials;
use vouchsafe::core::call::{Call, CallOptions, Operation, Repeat, Retry};
use vouchsafe::core::transport::{Response, Transport};
use vouchsafe::core::url::{BaseUrl, Target};
use vouchsafe::core::{CoreClient, Error, Secret};
use vouchsafe::userinfo::Token;

use super::script::{Script, run, within};
use super::shown;

#[path = "../../tests/every/astakos.rs"]
#[allow(dead_code, reason = "other tests use it too")]
mod astakos;
#[path = "../../src/calls/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use it too")]
mod calls;
#[path = "../../tests/every/described.rs"]
#[allow(dead_code, reason = "other tests use it too")]
mod described;
#[path = "../../tests/every/network.rs"]
#[allow(dead_code, reason = "other tests use it too")]
mod network;
#[path = "../../tests/every/userinfo.rs"]
#[allow(dead_code, reason = "other tests use it too")]
mod userinfo;
#[path = "../../tests/every/wazo_auth.rs"]
#[allow(dead_code, reason = "other tests use it too")]
mod wazo_auth;

use network::{Network, Then, is_of};

/// Two bytes choose an operation, and the rest is answers: see [`Script`].
pub fn answers(data: &[u8]) {
    let Some((choice, answers)) = data.split_first_chunk() else {
        return;
    };
    let all = operations();
    let chosen = all[usize::from(u16::from_le_bytes(*choice)) % all.len()];
    let script = Script::new(answers);
    run(within(async {
        let transport: Arc<dyn Transport> = script.clone();
        let (error, secrets) = chosen.call(transport).await;
        if let Some(error) = error {
            assert!(error.attempts() <= 4, "{error:?}");
            script.search(&error, secrets);
        }
    }));
}

/// One operation of a service.
#[derive(Clone, Copy)]
enum Chosen {
    Astakos(&'static Operation),
    UserInfo(&'static Operation),
    WazoAuth(&'static Operation),
    Described(&'static vouchsafe::core::call::described::Described),
}

fn operations() -> &'static [Chosen] {
    static ALL: OnceLock<Vec<Chosen>> = OnceLock::new();
    ALL.get_or_init(|| {
        let asked = |not: &'static [&str]| move |one: &&Operation| !not.contains(&one.id());
        let of_astakos = vouchsafe::astakos::mock::operations().filter(asked(&astakos::NOT_ASKED));
        let of_userinfo =
            vouchsafe::userinfo::mock::operations().filter(asked(&userinfo::NOT_ASKED));
        let of_wazo_auth = vouchsafe::wazo_auth::mock::operations();
        let all = of_astakos.map(Chosen::Astakos);
        let all = all.chain(of_userinfo.map(Chosen::UserInfo));
        let all = all.chain(of_wazo_auth.map(Chosen::WazoAuth));
        all.chain(described::all().map(Chosen::Described)).collect()
    })
}

impl Chosen {
    async fn call(self, transport: Arc<dyn Transport>) -> (Option<Error>, &'static [&'static str]) {
        match self {
            Self::Astakos(operation) => {
                let client = astakos::client(operation.id(), transport);
                let error = astakos::call(&client, operation.id()).await.err();
                (error.map(|error| error.core().clone()), &astakos::SECRETS)
            }
            Self::UserInfo(operation) => {
                let client = vouchsafe::userinfo::Client::builder()
                    .repertoire_url("https://data.example.com/repertoire")
                    .transport(transport)
                    .build()
                    .expect("it has all that it needs");
                let token = Token::parse(USER).expect("it has the form of one");
                let error = userinfo::call(&client, operation.id(), &token).await.err();
                (error.map(|error| error.core().clone()), &[SECRET_OF_USER])
            }
            Self::WazoAuth(operation) => {
                let client = wazo_auth::client(transport);
                let error = wazo_auth::call(&client, operation).await.err();
                (error.map(|error| error.core().clone()), &wazo_auth::SECRETS)
            }
            Self::Described(described) => {
                let error = described::call(described, transport).await.err();
                (error.map(|failure| failure.core), &[described::TOKEN])
            }
        }
    }
}

const SECRET_OF_USER: &str = "plantedplantedplanted0";
const USER: &str = "gt-0123456789012345678901.plantedplantedplanted0";

/// Bytes as the answers of a token endpoint, to both clients that ask one.
pub fn token_answers(data: &[u8]) {
    const SECRETS: [&str; 3] = [
        "planted-client+secret/1",
        "planted-refresh+token/2",
        "planted-code/of+somebody",
    ];
    let script = Script::new(data);
    run(within(async {
        let secret = Secret::from(SECRETS[0]);
        let source = ClientCredentials::builder("https://id.example.com/token", "app", secret)
            .transport(script.clone())
            .build()
            .expect("it has all that it needs");
        match source.token().await {
            Ok(token) => assert!(!token.secret().is_empty()),
            Err(error) => script.search(&error, &SECRETS),
        }
    }));
    let script = Script::new(data);
    run(within(async {
        let credentials = Credentials::builder()
            .token_url("https://id.example.com/token")
            .without_unprefixed_variables()
            .transport(script.clone())
            .client_id("app")
            .client_secret(SECRETS[0])
            .refresh_token(SECRETS[1])
            .build()
            .expect("it has all that it needs");
        match credentials.exchange(SECRETS[2]).send().await {
            Ok(answer) => assert!(!answer.access_token.is_empty()),
            Err(error) => script.search(error.core(), &SECRETS),
        }
    }));
}

/// Bytes as the metadata of an authorization server: only URLs with TLS, and only of this issuer.
pub fn metadata(data: &[u8]) {
    const ISSUER: &str = "https://login.example.org/tenant";
    let script = Script::new(data);
    run(within(async {
        let credentials = Credentials::builder()
            .issuer(ISSUER)
            .transport(script.clone())
            .client_id("app")
            .client_secret("planted-client+secret/1")
            .build()
            .expect("it has all that it needs");
        match credentials.server_metadata().await {
            Ok(metadata) => {
                let metadata = metadata.expect("the issuer is known");
                assert_eq!(metadata.issuer, ISSUER);
                let urls = [
                    &metadata.token_endpoint,
                    &metadata.revocation_endpoint,
                    &metadata.authorization_endpoint,
                    &metadata.device_authorization_endpoint,
                ];
                for url in urls.into_iter().flatten() {
                    assert!(is_secure(url), "{url:?}");
                }
            }
            Err(error) => script.search(error.core(), &["planted-client+secret/1"]),
        }
    }));
}

fn is_secure(url: &str) -> bool {
    let url = url::Url::parse(url).expect("it was read as a URL");
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" || vouchsafe::core::url::is_loopback(host)
}

/// Bytes as `Retry-After`, one header a line: the wait is that of a value, and not shorter than any
/// whole number.
pub fn retry_after(data: &[u8]) {
    static ASK: Operation = Operation::new("fuzz.ask", Method::GET, "/").repeat(Repeat::Safe);
    const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    let mut response = Response::new(StatusCode::SERVICE_UNAVAILABLE);
    response.headers.insert(DATE, HeaderValue::from_static(NOW));
    let mut lines = Vec::new();
    for line in data.split(|byte| *byte == b'\n') {
        let value = HeaderValue::from_bytes(line).ok();
        // Not text for a header, and passed over.
        if let Some(value) = value.filter(|value| value.to_str().is_ok()) {
            lines.push(value.to_str().unwrap_or_default().to_owned());
            response.headers.append(RETRY_AFTER, value);
        }
    }
    let script = Script::of([response].into());
    let client = CoreClient::builder().transport(script).retry(Retry::none());
    let client = client.build().expect("it has all that it needs");
    let base: BaseUrl = "https://e.org".parse().expect("it is a URL");
    let call = Call::new(&ASK, Target::new("/"));
    let error = run(async move {
        let options = CallOptions::new();
        client.send(&base, call, None, &options).await.err()
    });
    let found = error.expect("503 is an error").retry_after();

    // Every part between commas, alone and with the one before, may be a value.
    let now = httpdate::parse_http_date(NOW).expect("it is a date");
    let (mut least, mut possible) = (None, vec![]);
    for line in &lines {
        let parts: Vec<&str> = line.split(',').collect();
        for (at, part) in parts.iter().enumerate() {
            let number = part.trim_matches([' ', '\t']);
            let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
            let is_after_day = at > 0 && days.iter().any(|day| parts[at - 1].contains(day));
            if let Ok(seconds) = number.parse::<u32>()
                && number.bytes().all(|byte| byte.is_ascii_digit())
            {
                let wait = Duration::from_secs(seconds.into());
                possible.push(wait);
                least = least.max(Some(wait).filter(|_| !is_after_day));
            } else if number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
            {
                // A fraction, rounded up, or a number beyond the largest.
                let whole = number.split('.').next().unwrap_or_default();
                let whole = whole.parse::<u32>().unwrap_or(u32::MAX);
                let whole = Duration::from_secs(whole.into());
                possible.extend([whole, whole + Duration::from_secs(1)]);
            }
            let both = at
                .checked_sub(1)
                .map(|before| format!("{},{part}", parts[before]));
            for text in [Some((*part).to_owned()), both].into_iter().flatten() {
                if let Ok(at) = httpdate::parse_http_date(text.trim()) {
                    possible.push(at.duration_since(now).unwrap_or_default());
                }
            }
        }
    }
    assert!(found >= least, "{found:?} {lines:?}");
    assert!(
        found.is_none_or(|wait| possible.contains(&wait)),
        "{found:?} {lines:?}"
    );
}
