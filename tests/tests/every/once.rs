//! Operations that must not be repeated are sent once, whatever the answer.

use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use vouchsafe::core::call::{Operation, Repeat};
use vouchsafe::core::transport::Response;

use super::{Network, Then, astakos, described, is_of, operations, userinfo, wazo_auth};

const STATUSES: [u16; 8] = [408, 425, 429, 500, 502, 503, 504, 599];
const WAITS: [Option<&str>; 3] = [None, Some("0"), Some("1")];

fn refusal(status: u16, wait: Option<&'static str>) -> Response {
    let mut response = Response::new(StatusCode::from_u16(status).unwrap());
    if let Some(wait) = wait {
        let wait = HeaderValue::from_static(wait);
        response.headers.insert(RETRY_AFTER, wait);
    }
    response
}

/// What may come back, and its name.
type Outcome = (String, fn(&str) -> Then);

/// All that may come back.
fn outcomes() -> Vec<Outcome> {
    let mut all: Vec<Outcome> = vec![("lost".to_owned(), |_| Then::Lost)];
    for status in STATUSES {
        for wait in WAITS {
            let name = format!("{status} {}", wait.unwrap_or("-"));
            all.push((name, |name| {
                let (status, wait) = name.split_once(' ').unwrap();
                let wait = WAITS.into_iter().flatten().find(|text| *text == wait);
                Then::Answer(refusal(status.parse().unwrap(), wait))
            }));
        }
    }
    all
}

/// Returns how many requests an operation made, each of which had this outcome.
async fn requests(operation: &'static Operation, name: &str, then: fn(&str) -> Then) -> usize {
    let name = name.to_owned();
    let decide = move || then(&name);
    let network: std::sync::Arc<Network> = match operation.id().split('.').next() {
        Some("gafaelfawr" | "repertoire") => userinfo::ask(operation, decide).await,
        Some("wazo-auth") => wazo_auth::ask(operation, decide).await,
        Some("account" | "identity" | "oauth2" | "ui") => astakos::ask(operation, decide).await,
        _ => described::ask(operation, decide).await,
    };
    let seen = network.seen();
    for request in &seen {
        assert!(is_of(operation, request), "{}: {request:?}", operation.id());
    }
    seen.len()
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_doubled_is_sent_once_whatever_the_answer() {
    let mut tried = 0;
    for operation in operations() {
        if operation.repeatable() == Repeat::Safe {
            continue;
        }
        for (name, then) in outcomes() {
            let count = requests(operation, &name, then).await;
            assert_eq!(count, 1, "{} after {name}", operation.id());
            tried += 1;
        }
    }
    assert!(tried >= 40 * 25, "{tried}");
}

#[tokio::test(start_paused = true)]
async fn what_may_be_doubled_is_repeated_after_a_refusal_that_passes() {
    let begun = tokio::time::Instant::now();
    for (id, status, expected) in [
        ("account.pendingCommissions", 503, 3),
        ("account.pendingCommissions", 500, 1),
        ("gafaelfawr.getUserInfo", 502, 3),
        ("gafaelfawr.getUserInfo", 500, 1),
        ("wazo-auth.getUser", 503, 3),
        ("wazo-auth.getUser", 500, 1),
    ] {
        let all = operations();
        let operation = all.into_iter().find(|operation| operation.id() == id);
        let name = format!("{status} -");
        let (_, then) = outcomes().into_iter().find(|(of, _)| *of == name).unwrap();
        let count = requests(operation.unwrap(), &name, then).await;
        assert_eq!(count, expected, "{id} after {status}");
    }
    assert!(begun.elapsed() < Duration::from_secs(15));
}
