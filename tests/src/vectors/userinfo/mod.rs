//! The vectors of `userinfo`: clients of Gafaelfawr and Repertoire, both servers, and the rules
//! that they share.

mod calls;
mod client;
mod concurrent;
mod discovery;
mod emulated;
mod expected;
mod models;
mod rules;
mod standins;
mod transcript;
use vouchsafe::core::timestamp;

use super::Suite;
use super::report::Judgement;
use super::schema::{Case, Kind};

/// Judges one case.
pub(super) async fn judge(suite: &Suite, case: &Case, judgement: &mut Judgement) {
    match &case.kind {
        Kind::Exchange(exchange) => {
            let exchanges = std::slice::from_ref(exchange);
            emulated::judge(suite, case, exchanges, &[], judgement);
        }
        Kind::Sequence(sequence) => {
            let captures = sequence.captures.as_slice();
            emulated::judge(suite, case, &sequence.steps, captures, judgement);
        }
        Kind::Client(script) => client::judge(script, judgement).await,
        Kind::Table(table) => match case.class.as_str() {
            "models" => models::judge(table, judgement).await,
            "names" => rules::names(table, judgement),
            "token-format" => rules::tokens(table, judgement),
            "quota-calc" => rules::quotas(&case.config, table, judgement),
            "header-filter" => rules::headers(&case.title, table, judgement),
            "discovery-client" => discovery::judge(suite, table, judgement).await,
            "mock" => transcript::judge(table, judgement),
            "discovery-build" => judgement.waive(
                "discovery-build: the configuration of the Repertoire server is no part of the \
                 protocol",
            ),
            other => judgement.differ(format!("no runner for tables of class {other:?}")),
        },
    }
}

/// Answers if these arguments ask for the discovery URL of the environment.
pub(super) async fn answer_probe(arguments: &[String]) -> Option<Result<String, String>> {
    if arguments != [discovery::PROBE] {
        return None;
    }
    let url = discovery::discovery_url(None).await;
    Some(url.map_err(|fault| fault.to_string()))
}

/// Writes seconds since the epoch as a date.
pub(super) fn iso_time(seconds: i64) -> String {
    let at = timestamp::from_unix_seconds(seconds).expect("the machine can hold any of them");
    timestamp::format(at)
}
