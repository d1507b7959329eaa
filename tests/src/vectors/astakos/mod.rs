//! The vectors of `astakos`: calls of clients, scenarios against the emulator, and functions.
//!
//! The schema of each file selects its runner; a file without one is a failure.

mod answers;
mod arguments;
mod calls;
mod case;
mod functions;
mod outcome;
mod requests;
mod scenario;
mod script;
mod signatures;

use std::path::Path;

use serde_json::Value;

use super::report::{Judgement, Recorded};
use super::{Error, Report};

/// Replays one recorded call.
pub(crate) fn judge_recorded(case: &Value) -> Recorded {
    let mut judgement = Judgement::default();
    if let Err(why) = calls::judge(&Value::Null, case, &mut judgement) {
        judgement.differ(why);
    }
    Recorded::of(judgement)
}

/// Judges the only case of a file of functions.
pub(crate) fn judge_functions(file: &Value) -> Recorded {
    let mut judgement = Judgement::default();
    for case in file["cases"].as_array().into_iter().flatten() {
        functions::judge(file, case, &mut judgement);
    }
    Recorded::of(judgement)
}

/// The initial state of servers; no cases.
const FIXTURE: &str = "fixture.json";

/// Runs every file in a folder.
pub(super) fn run(folder: &Path, report: &mut Report) -> Result<(), Error> {
    let mut is_empty = true;
    for path in super::json_files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name == FIXTURE {
            continue;
        }
        is_empty = false;
        let file: Value = super::read(&path)?;
        match file["schema"].as_str() {
            Some("astakos-calls/1") => calls::run(&file, cases(&path, &file)?, report),
            Some("astakos-functions/1") => functions::run(&file, cases(&path, &file)?, report),
            Some("astakos-scenario/1") => scenario::run(folder, &file, report),
            other => {
                let mut judgement = Judgement::default();
                judgement.judged();
                judgement.differ(format!("no runner for the schema {other:?}"));
                report.add(&name, judgement);
            }
        }
    }
    if is_empty {
        return Err(Error::Missing(folder.to_owned()));
    }
    Ok(())
}

/// Returns the cases of a file.
fn cases<'f>(path: &Path, file: &'f Value) -> Result<&'f [Value], Error> {
    match file["cases"].as_array() {
        Some(cases) => Ok(cases),
        None => Err(Error::Unreadable(
            path.to_owned(),
            "`cases` is not a list".to_owned(),
        )),
    }
}
