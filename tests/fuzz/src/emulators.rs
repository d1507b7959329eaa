//! What the emulators read: states to start from, requests, and what their management is sent.

use std::sync::OnceLock;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use http::{Method, Uri};
use serde_json::Value;
use vouchsafe::core::Secret;
use vouchsafe::core::mock::management::Management;
use vouchsafe::core::mock::{Handler as _, Host};
use vouchsafe::core::transport::{Request, Response};
use vouchsafe::{astakos, cloud_credentials, ticket, userinfo, wazo_auth};

use super::script::run;

/// Bytes as the state that an emulator starts from: it starts, or the text is refused.
pub fn seeds(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let count = |mark: &str| text.matches(mark).count();
    // In the name of a field or of a user, it is no secret.
    let is_elsewhere = SECRETS.iter().map(|mark| count(mark)).sum::<usize>() != count(PLANTED);
    let mut faults = Vec::new();
    macro_rules! start {
        ($module:ident, $seed:expr, |$given:ident| $server:expr) => {
            match $seed {
                Ok($given) => {
                    let shown = format!("{:?}", $given);
                    assert!(is_elsewhere || !shown.contains(PLANTED), "{shown}");
                    let server: Option<$module::mock::Server> = $server;
                    let snapshot = server.map(|server| server.snapshot().to_string());
                    let snapshot = snapshot.unwrap_or_default();
                    assert!(is_elsewhere || !snapshot.contains(PLANTED), "{snapshot}");
                }
                Err(error) => faults.push(format!("{error} {error:?}")),
            }
        };
    }
    start!(userinfo, userinfo::mock::Seed::parse(&text, None), |seed| {
        let server = userinfo::mock::Server::from_seed(&seed);
        let _ = server.client();
        Some(server)
    });
    start!(astakos, astakos::mock::Seed::parse(&text), |seed| {
        astakos::mock::Server::from_seed(&seed).ok()
    });
    start!(wazo_auth, wazo_auth::mock::Seed::parse(&text), |seed| {
        Some(wazo_auth::mock::Server::from_seed(&seed))
    });
    start!(
        cloud_credentials,
        cloud_credentials::mock::Seed::parse(&text),
        |seed| { Some(cloud_credentials::mock::Server::from_seed(&seed)) }
    );
    start!(
        ticket,
        ticket::mock::Seed::from_tool_config(&text),
        |seed| { Some(ticket::mock::Server::from_seed(&seed)) }
    );
    for fault in faults {
        assert!(is_elsewhere || !fault.contains(PLANTED), "{fault}");
    }
}

/// The secrets of the corpus contain it.
const PLANTED: &str = "pl4nted";

/// Where it is a secret.
const SECRETS: [&str; 4] = [
    r#""token": "pl4nted"#,
    r#""token": "gt-0123456789012345678901.pl4nted"#,
    r#""client_secret": "pl4nted"#,
    r#""refresh_token": "pl4nted"#,
];

/// An emulator, with credentials that it takes after a reset.
struct Emulator {
    name: &'static str,
    host: Host,
    credentials: Box<dyn Fn() -> [Secret; 2] + Send + Sync>,
}

fn all_emulators() -> &'static [Emulator] {
    static ALL: OnceLock<Vec<Emulator>> = OnceLock::new();
    ALL.get_or_init(|| {
        let of_userinfo = userinfo::mock::Server::new();
        let of_astakos = astakos::mock::Server::new();
        let of_wazo_auth = wazo_auth::mock::Server::new();
        let of_cloud = cloud_credentials::mock::Server::new();
        let of_ticket = ticket::mock::Server::new();
        let new = |name, host: &Host, credentials| Emulator {
            name,
            host: host.clone(),
            credentials,
        };
        vec![
            new("userinfo", &of_userinfo.host().clone(), {
                Box::new(move || {
                    let tokens = [of_userinfo.user_token(), of_userinfo.admin_token()];
                    tokens.map(|token| token.secret().clone())
                })
            }),
            new("astakos", &of_astakos.host().clone(), {
                Box::new(move || {
                    let user = of_astakos.user_token(&astakos::mock::Server::alice());
                    [user, of_astakos.service_token("cyclades")].map(known)
                })
            }),
            new("wazo-auth", &of_wazo_auth.host().clone(), {
                Box::new(move || {
                    let admin = of_wazo_auth.issue_token("admin");
                    [admin.clone(), admin]
                })
            }),
            new("cloud-credentials", &of_cloud.host().clone(), {
                Box::new(move || [of_cloud.token(), known(of_cloud.client_secret("app"))])
            }),
            new("ticket", &of_ticket.host().clone(), {
                Box::new(move || [of_ticket.tool_token(), of_ticket.tool_token()])
            }),
        ]
    })
}

/// One byte chooses an emulator, and the rest is requests to it, separated by zero bytes. The first
/// line of each is the method and the path, then come lines of headers, and after an empty line the
/// body. `TOKEN` and `ADMIN` in them become credentials.
pub fn emulators(data: &[u8]) {
    let Some((choice, requests)) = data.split_first() else {
        return;
    };
    let all = all_emulators();
    let emulator = &all[usize::from(*choice) % all.len()];
    let host = &emulator.host;
    host.reset();
    let [token, admin] = (emulator.credentials)();
    for text in requests.split(|byte| *byte == 0) {
        let text = replace(text, b"TOKEN", token.expose().as_bytes());
        let text = replace(&text, b"ADMIN", admin.expose().as_bytes());
        let Some(request) = request(&text) else {
            continue;
        };
        let response = host.handler().handle(&request);
        check(emulator.name, &request, &response);
        let _ = host.handler().operation(&request.method, &request.uri);
    }
    let snapshot = host.handler().snapshot().to_string();
    for secret in [token, admin] {
        let is_empty = secret.expose().is_empty();
        assert!(
            is_empty || !snapshot.contains(secret.expose()),
            "{snapshot}"
        );
    }
}

fn known(secret: Option<Secret>) -> Secret {
    secret.unwrap_or_else(|| Secret::from(""))
}

fn replace(text: &[u8], mark: &[u8], by: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        whole.extend(&rest[..at]);
        whole.extend(by);
        rest = &rest[at + mark.len()..];
    }
    whole.extend(rest);
    whole
}

/// Requests to the management of all emulators, as [`emulators`] has them.
pub fn management(data: &[u8]) {
    let all = all_emulators();
    let root = |emulator: &Emulator| {
        emulator.host.reset();
        let request = Request::new(Method::GET, Uri::from_static("http://localhost/"));
        let transport = emulator.host.transport();
        run(async {
            let answer = tokio::time::timeout(Duration::from_secs(60), transport.send(request));
            let answer = answer.await.expect("an answer in time");
            answer.expect("no fault").status
        })
    };
    let before: Vec<_> = all.iter().map(root).collect();
    all.iter().for_each(|emulator| emulator.host.reset());
    let hosts = all.iter().map(|emulator| (emulator.name, &emulator.host));
    let management = hosts.fold(Management::new(), |all, (name, host)| all.with(name, host));
    for mut request in data.split(|byte| *byte == 0).filter_map(request) {
        let local = HeaderValue::from_static("localhost");
        request.headers.entry("host").or_insert(local);
        if !request.body.is_empty() {
            let json = HeaderValue::from_static("application/json");
            request.headers.entry("content-type").or_insert(json);
        }
        check("management", &request, &management.handle(&request));
    }
    // Whatever was set, faults and clock too, a reset has it forgotten, and requests are answered.
    let after: Vec<_> = all.iter().map(root).collect();
    assert_eq!(after, before);
    all.iter().for_each(|emulator| emulator.host.reset());
}

/// What is said to be JSON is JSON.
fn check(name: &str, request: &Request, response: &Response) {
    let shown = || format!("{name}: {} {} {response:?}", request.method, request.uri);
    let kind = response.headers.get("content-type");
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") && !response.body.is_empty() {
        let body = serde_json::from_slice::<Value>(&response.body);
        assert!(body.is_ok(), "{} {:?}", shown(), response.body);
    }
}

fn request(text: &[u8]) -> Option<Request> {
    let mut lines = text.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let mut read = first.len() + 1;
    let (method, path) = std::str::from_utf8(first).ok()?.split_once(' ')?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let uri = format!("http://localhost{path}").parse::<Uri>().ok()?;
    let mut request = Request::new(method, uri);
    for line in lines {
        read += line.len() + 1;
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            break;
        };
        let name = HeaderName::from_bytes(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.trim_ascii())) {
            request.headers.append(name, value);
        }
    }
    request.body = text.get(read..).unwrap_or_default().to_vec().into();
    Some(request)
}
