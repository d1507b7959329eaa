//! The cases of wazo-auth: decisions over access control lists, and scenarios.

mod acl;
mod answer;
mod client;
mod images;
mod scenario;

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::report::{Judgement, Recorded};
use super::{Error, Report};

pub(crate) use client::{HEADERS as RECORDED_HEADERS, answer as recorded_answer};

/// Returns the recorded scenarios below a folder.
pub(crate) fn scenarios(folder: &Path) -> Result<Vec<Value>, Error> {
    let files = super::json_files(&folder.join("scenarios"))?;
    files.iter().map(|path| super::read(path)).collect()
}

/// Judges the client by one step with a call.
pub(crate) async fn judge_step(step: &Value) -> Recorded {
    let mut judgement = Judgement::default();
    client::play(step, &mut judgement).await;
    Recorded::of(judgement)
}

/// Runs every case in a folder.
pub(super) async fn run(folder: &Path, report: &mut Report) -> Result<(), Error> {
    let entries = fs::read_dir(folder).map_err(|_| Error::Missing(folder.to_owned()))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let fixture = fs::read_to_string(folder.join("fixture.json"));
    let fixture = fixture.map_err(|_| Error::Missing(folder.join("fixture.json")))?;
    let mut is_empty = true;
    for name in names {
        match name.as_str() {
            // Documentation, and what scenarios begin with.
            "README.md" | "fixture.json" | "index.json" => {}
            "acl" => {
                for path in super::json_files(&folder.join(&name))? {
                    for case in &super::read::<Vec<Value>>(&path)? {
                        is_empty = false;
                        let id = case["id"].as_str().unwrap_or_default();
                        report.add(&format!("acl/{id}"), acl::judge(case));
                    }
                }
            }
            "scenarios" => {
                for path in super::json_files(&folder.join(&name))? {
                    is_empty = false;
                    let scenario: Value = super::read(&path)?;
                    let mut judgement = Judgement::default();
                    scenario::judge(&fixture, &scenario, &mut judgement);
                    let name = scenario["name"].as_str().unwrap_or_default();
                    report.add(&format!("scenarios/{name}"), judgement);
                    let mut steps = scenario["steps"].as_array().into_iter().flatten();
                    if steps.any(|step| !step["call"].is_null()) {
                        let of_client = client::judge(&scenario).await;
                        report.add(&format!("client/{name}"), of_client);
                    }
                }
            }
            other => {
                let mut judgement = Judgement::default();
                judgement.differ("no runner for this file or folder");
                report.add(other, judgement);
            }
        }
    }
    if is_empty {
        return Err(Error::Missing(folder.to_owned()));
    }
    Ok(())
}
