//! No secret of a call is shown, whatever a server quotes.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;
use vouchsafe::core::auth::{Authorize, Bearer, Credentials, HeaderToken, StaticToken};
use vouchsafe::core::call::{Call, CallOptions, Fault, Form, Operation, Retry};
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::url::{BaseUrl, Target};
use vouchsafe::core::{CoreClient, Secret};

use super::log::Log;
use super::shown::{search, shown, written};
use super::{Network, Then, astakos, described, operations, userinfo, wazo_auth};

/// All that a request holds, piece by piece, as it came and decoded.
fn pieces(request: &Request) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut add = |text: &str| {
        if text.len() > 2 {
            pieces.push(text.to_owned());
        }
    };
    for value in request.headers.values() {
        let text = std::str::from_utf8(value.as_bytes()).unwrap();
        add(text);
        for part in text.split(' ') {
            add(part);
            if let Ok(pair) = STANDARD.decode(part) {
                let pair = String::from_utf8_lossy(&pair).into_owned();
                add(&pair);
                add(pair.split(':').next_back().unwrap());
            }
        }
    }
    let path = request.uri.path();
    add(path);
    add(&decoded(path.rsplit('/').next().unwrap()));
    let body = String::from_utf8_lossy(&request.body);
    add(&body);
    for field in body.split(['&', '=', '"']) {
        add(field);
        add(&decoded(field));
    }
    pieces
}

fn decoded(text: &str) -> String {
    let text = format!("a={text}");
    let mut pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs.next().unwrap().1.into_owned()
}

/// Answers that quote a text in all places: a refusal of each service, plain text and XML, and
/// a success that cannot be decoded.
fn answers(text: &str) -> Vec<Response> {
    let fault = json!({"code": 401, "message": text, "details": text, "data": {"a": text}});
    let bodies = [
        json!({"detail": [{"msg": text, "type": text, "loc": [text]}]}).to_string(),
        json!({ text: fault }).to_string(),
        json!({"error": text, "exception": text}).to_string(),
        json!({"reason": [text], "timestamp": [1.5], "status_code": 401}).to_string(),
        json!({"message": { text: text }, "error_id": text, "details": [text]}).to_string(),
        format!("no {text}"),
        format!("<fault code=\"401\"><message>{text}</message></fault>"),
    ];
    let mut answers = Vec::new();
    for body in bodies {
        let mut response = Response::new(StatusCode::UNAUTHORIZED);
        for name in ["x-request-id", WWW_AUTHENTICATE.as_str()] {
            if let Ok(value) = HeaderValue::from_str(text) {
                let name = HeaderName::from_static(match name {
                    "x-request-id" => "x-request-id",
                    _ => "www-authenticate",
                });
                response.headers.insert(name, value);
            }
        }
        response.body = body.into();
        answers.push(response);
    }
    let mut success = Response::new(StatusCode::OK);
    let strange = json!({ text: {"a": text}, "access": { text: text }, "username": { text: 1 } });
    success.body = strange.to_string().into();
    answers.push(success);
    answers
}

const TOKEN: &str = "planted/token+of==somebody";
const HEADER: &str = "planted&header<of\"somebody";
const FIELD: &str = "planted field/of+somebody";
const MEMBER: &str = "planted\"member\\of/somebody";
const PATH: &str = "planted path/of+somebody";
const BASIC: &str = "planted:basic/of+somebody";
const OPTION: &str = "planted-option/of+somebody";
const SHORT: &str = "hunter2";

#[derive(serde::Serialize)]
struct Body<'a> {
    #[serde(serialize_with = "vouchsafe::core::__private::expose")]
    member: &'a Secret,
}

/// A call of an operation with a secret in one place.
fn with_secret(operation: &'static Operation, place: &str) -> (Call, Vec<&'static str>) {
    let new = || Call::new(operation, Target::new("/some/path"));
    let secret = Secret::from;
    match place {
        "header" => {
            let name = HeaderName::from_static("x-key");
            (
                new().secret_header(name, &secret(HEADER)).unwrap(),
                vec![HEADER],
            )
        }
        "basic" => {
            let value = format!("Basic {}", STANDARD.encode(format!("app:{BASIC}")));
            let call = new().secret_header(AUTHORIZATION, &secret(&value));
            (call.unwrap(), vec![BASIC])
        }
        "form" => {
            let form = Form::new()
                .field("who", "somebody")
                .secret("key", &secret(FIELD));
            (new().form(form), vec![FIELD])
        }
        "ready form" => {
            let text: String = url::form_urlencoded::byte_serialize(FIELD.as_bytes()).collect();
            let text = secret(&format!("who=somebody&key={text}"));
            (new().secret_form(&text, &["key"]), vec![FIELD])
        }
        "json" => {
            let member = secret(MEMBER);
            (
                new().secret_json(&Body { member: &member }).unwrap(),
                vec![MEMBER],
            )
        }
        "json of its own" => {
            let body = json!({"a": ["x", {"b": MEMBER}]});
            (new().secret_json(&body).unwrap(), vec![MEMBER])
        }
        "short" => {
            let form = Form::new().secret("password", &secret(SHORT));
            (new().form(form), vec![SHORT])
        }
        "path" => {
            let target = Target::new("/some/").segment("key", PATH).unwrap();
            (Call::new(operation, target).hide(&secret(PATH)), vec![PATH])
        }
        "token" | "option" => (new(), vec![TOKEN, OPTION]),
        _ => panic!("{place}"),
    }
}

const PLACES: [&str; 9] = [
    "header",
    "basic",
    "form",
    "ready form",
    "json",
    "json of its own",
    "short",
    "path",
    "token",
];

#[tokio::test]
async fn no_secret_of_any_place_is_shown_for_any_operation() {
    let server = vouchsafe::userinfo::mock::Server::new();
    let base: BaseUrl = "https://service.example.com/api".parse().unwrap();
    let source = StaticToken::new(Secret::from(TOKEN));
    let own = HeaderToken::new(HeaderName::from_static("x-auth-token"));
    let options = CallOptions::new().header("x-own", OPTION).unwrap();
    let mut seen = 0;
    for (number, operation) in operations().into_iter().enumerate() {
        let log = Log::start();
        for place in PLACES {
            let (_, secrets) = with_secret(operation, place);
            // All operations together see each way of writing it.
            let ways = secrets.iter().flat_map(|secret| written(secret));
            for quoted in ways.skip(number % 3).step_by(3) {
                // All operations together see each way in each answer.
                for answer in answers(&quoted).into_iter().skip(seen % 8).take(1) {
                    let network = Network::new(server.host().transport(), move |_| {
                        Then::Answer(answer.clone())
                    });
                    let client = CoreClient::builder()
                        .transport(network)
                        .retry(Retry::none())
                        .read_fault(|response| {
                            let text = String::from_utf8_lossy(&response.body).into_owned();
                            Fault::new(Some(text.clone()), Some(text))
                        })
                        .build()
                        .unwrap();
                    let (call, _) = with_secret(operation, place);
                    let scheme: &dyn Authorize = if seen % 2 == 0 { &Bearer } else { &own };
                    let credentials = Some(Credentials::new(&source, scheme));
                    let what = format!("{} with {place}", operation.id());
                    let error = match client.send(&base, call, credentials, &options).await {
                        Ok(answer) => answer
                            .json::<std::collections::BTreeMap<String, bool>>()
                            .unwrap_err(),
                        Err(error) => error,
                    };
                    search(&shown(&error), &secrets, &what);
                    seen += 1;
                }
            }
        }
        search(
            &log.text(),
            &[HEADER, FIELD, MEMBER, PATH, BASIC, TOKEN, OPTION, SHORT],
            "the log",
        );
    }
    assert!(seen > 2_000, "{seen}");
}

/// What a client's call of an operation shows when every piece of its request is quoted.
async fn quoting(
    operation: &'static Operation,
    call: impl AsyncFn(Arc<dyn Transport>) -> Option<String>,
    inner: Arc<dyn Transport>,
) -> String {
    let mut all = String::new();
    let mut number = 0;
    loop {
        let more = Arc::new(Mutex::new(false));
        let left = Arc::clone(&more);
        let network = Network::new(Arc::clone(&inner), move |request| {
            // Where the services are is asked before.
            if request.uri.path().ends_with("/discovery") {
                return Then::Pass;
            }
            let texts = pieces(request);
            // Every piece, each in another answer than the one before: all would take long.
            let mut all = texts.iter().flat_map(|text| answers(text));
            let answer = all.nth(number * 5);
            *left.lock().unwrap() = answer.is_some();
            answer.map_or(Then::Lost, Then::Answer)
        });
        all += &call(network).await.unwrap_or_default();
        if !*more.lock().unwrap() {
            break;
        }
        number += 1;
    }
    assert!(number > 5, "{} was quoted {number} times", operation.id());
    all
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_shown_by_the_client_of_gafaelfawr() {
    let server = userinfo::server();
    let token = server.user_token();
    let text = token.secret().expose().to_owned();
    let secret = text.rsplit('.').next().unwrap();
    for operation in vouchsafe::userinfo::mock::operations() {
        let log = Log::start();
        if userinfo::NOT_ASKED.contains(&operation.id()) {
            continue;
        }
        let call = async |transport| {
            let client = userinfo::client(&server.repertoire_path(), transport);
            let error = userinfo::call(&client, operation.id(), &token)
                .await
                .err()?;
            Some(format!(
                "{}{error}{error:?}{:?}",
                shown(error.core()),
                error.details()
            ))
        };
        // Without a credential there is nothing to hide.
        if operation.id() == "repertoire.getDiscovery" {
            continue;
        }
        let all = quoting(operation, call, server.host().transport()).await;
        search(&all, &[secret], operation.id());
        search(&log.text(), &[secret], "the log");
    }
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_shown_by_the_client_of_astakos() {
    let server = vouchsafe::astakos::mock::Server::new();
    for operation in vouchsafe::astakos::mock::operations() {
        let log = Log::start();
        if astakos::NOT_ASKED.contains(&operation.id()) {
            continue;
        }
        let call = async |transport| {
            let client = astakos::client(operation.id(), transport);
            let error = astakos::call(&client, operation.id()).await.err()?;
            Some(format!(
                "{}{error}{error:?}{:?}",
                shown(error.core()),
                error.fault()
            ))
        };
        let all = quoting(operation, call, server.host().transport()).await;
        search(&all, &astakos::SECRETS, operation.id());
        search(&log.text(), &astakos::SECRETS, "the log");
    }
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_shown_by_the_client_of_wazo_auth() {
    let server = vouchsafe::wazo_auth::mock::Server::new();
    let shown = |error: vouchsafe::wazo_auth::Error| {
        let (body, debug) = (error.body(), format!("{error:?}"));
        format!("{}{error}{debug}{body:?}", shown(error.core()))
    };
    for operation in vouchsafe::wazo_auth::mock::operations() {
        let log = Log::start();
        let call = async |transport| {
            let client = wazo_auth::client(transport);
            let error = wazo_auth::call(&client, operation).await.err()?;
            Some(shown(error))
        };
        let mut all = quoting(operation, call, server.host().transport()).await;
        if operation.id() == "wazo-auth.createToken" {
            let call = async |transport| {
                let error = wazo_auth::refresh(&wazo_auth::client(transport))
                    .await
                    .err()?;
                Some(shown(error))
            };
            all += &quoting(operation, call, server.host().transport()).await;
        }
        search(&all, &wazo_auth::SECRETS, operation.id());
        search(&log.text(), &wazo_auth::SECRETS, "the log");
    }
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_shown_by_clients_whose_operations_are_called_by_name() {
    for operation in described::all() {
        let log = Log::start();
        let call = async |network| {
            let failure = described::call(operation, network).await.err()?;
            Some(failure.shown)
        };
        let all = quoting(operation.operation, call, described::nowhere()).await;
        search(&all, &[described::TOKEN], operation.name);
        search(&log.text(), &[described::TOKEN], "the log");
    }
}
