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
mod session;
mod standins;
mod transcript;

use std::path::{Path, PathBuf};

use super::report::Judgement;
use super::schema::{Case, Kind};
use super::{Error, Report, Suite};

/// Runs every file in a folder. `probe` is the program that [`answer_probe`] is for.
pub(super) async fn run(
    folder: &Path,
    probe: Option<PathBuf>,
    report: &mut Report,
) -> Result<(), Error> {
    let mut suite = Suite::load(folder)?;
    suite.probe = probe;
    for (id, case) in &suite.cases {
        let mut judgement = Judgement::default();
        match case {
            Err(fault) => judgement.differ(format!("cannot be read: {fault}")),
            Ok(case) => judge(&suite, case, &mut judgement).await,
        }
        report.add(id, judgement);
    }
    Ok(())
}

/// Judges one case.
async fn judge(suite: &Suite, case: &Case, judgement: &mut Judgement) {
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
            "header-filter" => rules::headers(&case.id, &case.title, table, judgement),
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
