//! Cases of the older command line tools, run by the program `vouchsafe`.
//!
//! The command line that writes credentials runs as it is. Of others, each call is a command: `equivalent`
//! says which.

mod call;
mod clock;
mod constructor;
mod dialogue;
mod equivalent;
mod line;
mod login;
mod machine;
mod other;
mod write;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use self::machine::Machine;
use super::expected::{Exchange, Setup, StoreAfter};
use crate::vectors::report::Judgement;

/// A case of a tool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "id")]
    _id: String,
    class: String,
    #[serde(rename = "title")]
    _title: String,
    #[serde(default, rename = "notes")]
    _notes: Value,
    #[serde(rename = "impl")]
    _program: Value,
    #[serde(rename = "libs")]
    _libs: Value,
    #[serde(default, rename = "tags")]
    _tags: Value,
    policy: String,
    #[serde(default, rename = "rust")]
    _rust: Value,
    setup: Setup,
    steps: Vec<Run>,
}

/// A run of a tool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    #[serde(rename = "do")]
    deed: String,
    program: String,
    args: Vec<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    stdin: Option<String>,
    /// Questions, and what was typed.
    #[serde(default)]
    tty_dialogue: Option<Vec<(String, String)>>,
    outcome: Ended,
    #[serde(default)]
    exchanges: Vec<Exchange>,
    /// Of steps with objects, which a run does not have.
    #[serde(default, rename = "on")]
    _on: Value,
    #[serde(default, rename = "bind")]
    _bind: Value,
    #[serde(default, rename = "credentials_after")]
    _credentials_after: Value,
    #[serde(default, rename = "sleeps")]
    _sleeps: Value,
    #[serde(default, rename = "unused_responses")]
    _unused_responses: Value,
    store_after: Option<StoreAfter>,
    #[serde(default, rename = "note")]
    _note: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ended {
    exit_code: i32,
    stdout: Option<String>,
    stderr: Option<String>,
    /// What a terminal showed: questions and answers of another program.
    #[serde(default, rename = "terminal")]
    _terminal: Value,
}

/// Judges a case, or says why the program does not do what it shows.
pub(super) async fn judge(case: Value, judgement: &mut Judgement) {
    let case: Case = match serde_json::from_value(case) {
        Ok(case) => case,
        Err(why) => return judgement.differ(format!("not a case of this schema: {why}")),
    };
    if case.class != "cli" {
        return judgement.differ("the case is of another class than its file");
    }
    match case.policy.as_str() {
        "match" | "better" => {}
        "reference" => return judgement.waive("for information only"),
        other => return judgement.differ(format!("unknown policy {other:?}")),
    }
    let Some(program) = crate::program::vouchsafe() else {
        let why = "cli: the program is not built; cargo build --workspace";
        return match vouchsafe_test_servers::may_skip() {
            true => judgement.waive(why),
            false => judgement.differ(why),
        };
    };
    let machine = match Machine::new(&case.setup, program).await {
        Ok(machine) => machine,
        Err(why) => return judgement.differ(why),
    };
    for run in &case.steps {
        if let Err(why) = run.judge(&machine, &case, judgement).await {
            judgement.differ(why);
        }
    }
}

impl Run {
    async fn judge(
        &self,
        machine: &Machine,
        case: &Case,
        judgement: &mut Judgement,
    ) -> Result<(), String> {
        if self.deed != "run" {
            return Err(format!("no runner for the step {}", self.deed));
        }
        for (name, content) in &self.files {
            machine.write(name, &machine.replaced(content))?;
        }
        machine.expect(&self.exchanges);
        match self.program.as_str() {
            "summit.py" => equivalent::judge(machine, self, case, judgement).await,
            "credentials_generate.py" => {
                dialogue::judge(machine, self, "generate", judgement).await
            }
            "credentials_remove.py" => dialogue::judge(machine, self, "remove", judgement).await,
            other => Err(format!("no runner for the program {other}")),
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
