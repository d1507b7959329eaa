//! Cases of the older command line tools, run by the program `vouchsafe`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use super::expected::{Setup, StoreAfter};
use super::machine::set_mode;
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
    #[serde(default, rename = "tty_dialogue")]
    _dialogue: Value,
    outcome: Ended,
    /// Of runs that ask a server, which are not judged.
    #[serde(default, rename = "exchanges")]
    _exchanges: Value,
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
    #[serde(default, rename = "terminal")]
    _terminal: Value,
}

/// Judges a case, or says why the program does not do what it shows.
pub(super) fn judge(case: Value, judgement: &mut Judgement) {
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
    if case.steps.iter().any(|step| step.deed != "run") {
        return judgement.differ("no runner for a step of this case");
    }
    if let Some(why) = case.steps.iter().find_map(Run::is_other) {
        return judgement.waive(why);
    }
    let Some(program) = crate::program::vouchsafe() else {
        let why = "cli: the program is not built; cargo build --workspace";
        return match vouchsafe_test_servers::may_skip() {
            true => judgement.waive(why),
            false => judgement.differ(why),
        };
    };
    let machine = match Machine::new(&case.setup) {
        Ok(machine) => machine,
        Err(why) => return judgement.differ(why),
    };
    for run in &case.steps {
        if let Err(why) = machine.judge(&program, &case.setup, run, judgement) {
            judgement.differ(why);
        }
    }
}

impl Run {
    /// Returns why the program does not do this, if it does not.
    fn is_other(&self) -> Option<&'static str> {
        if self.program != "summit.py" {
            return Some("cli: generate and remove ask and answer in words of their own");
        }
        let known = |arg: &String| {
            !arg.starts_with('-') || ["-", "-C", "--R0", "--write", "-j"].contains(&arg.as_str())
        };
        let writes = self.args.iter().any(|arg| arg == "--write");
        if !writes || !self.args.iter().all(known) {
            return Some(
                "cli: of summit.py, only the command line that writes credentials is known",
            );
        }
        let is_secret = |arg: &String| {
            let value: Value = serde_json::from_str(arg).unwrap_or_default();
            let names = ["client_secret", "refresh_token", "access_token"];
            names.iter().any(|name| !value[name].is_null())
        };
        let has_secret = self.args.iter().any(is_secret);
        has_secret.then_some("cli: a secret is refused as an argument")
    }
}

/// A machine for one case.
struct Machine {
    folder: tempfile::TempDir,
    store: PathBuf,
}

impl Machine {
    fn new(setup: &Setup) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(text)?;
        let store = setup.store_path.as_deref().unwrap_or("$HOME/store.json");
        let home = folder.path().join("home");
        let store = PathBuf::from(store.replace("$HOME", &home.display().to_string()));
        fs::create_dir_all(&home).map_err(text)?;
        let machine = Self { folder, store };
        if let Some(there) = &setup.store_text {
            let parent = machine.store.parent().ok_or("the file has no folder")?;
            fs::create_dir_all(parent).map_err(text)?;
            fs::write(&machine.store, there).map_err(text)?;
            // As the older tool makes it.
            set_mode(
                &machine.store,
                setup.store_mode.as_deref().unwrap_or("0644"),
            )?;
        }
        Ok(machine)
    }

    fn judge(
        &self,
        program: &Path,
        setup: &Setup,
        run: &Run,
        judgement: &mut Judgement,
    ) -> Result<(), String> {
        for (name, content) in &run.files {
            fs::write(self.folder.path().join(name), content).map_err(text)?;
        }
        let mut child = Command::new(program)
            .arg("credentials")
            .args(&run.args)
            .env_clear()
            .envs(&setup.env)
            .env("HOME", self.folder.path().join("home"))
            // It warns of files that others can read, which the older tool makes.
            .env("RUST_LOG", "off")
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(text)?;
        if let (Some(mut input), Some(given)) = (child.stdin.take(), &run.stdin) {
            // It may have ended without reading it, which its output then shows.
            let _ = input.write_all(given.as_bytes());
        }
        let ended = child.wait_with_output().map_err(text)?;
        let shown = |bytes: &[u8]| Some(String::from_utf8_lossy(bytes).into_owned());
        let code = ended.status.code();
        if run.outcome.exit_code == 0 {
            judgement.compare("exit code", &Some(0), &code);
        } else {
            // Why it failed is said in words of Python, and the codes of ours say what kind it is.
            let has_failed = code.is_some_and(|code| code > 0);
            judgement.compare("failed", &true, &has_failed);
            let there = fs::read_to_string(&self.store).ok();
            judgement.compare("file", &setup.store_text, &there);
            return Ok(());
        }
        judgement.compare(
            "standard output",
            &run.outcome.stdout,
            &shown(&ended.stdout),
        );
        judgement.compare("standard error", &run.outcome.stderr, &shown(&ended.stderr));
        if let Some(after) = &run.store_after {
            let there = fs::read_to_string(&self.store).ok();
            judgement.compare("file", &after.text, &there);
            let mode = match (&setup.store_text, &after.file_mode) {
                (Some(_), Some(kept)) => kept.as_str(),
                _ => "0600",
            };
            judgement.compare("mode", &Some(mode.to_owned()), &mode_of(&self.store));
        }
        Ok(())
    }
}

impl Judgement {
    fn compare<T: std::fmt::Debug + PartialEq>(&mut self, what: &str, expected: &T, got: &T) {
        match expected == got {
            true => self.judged(),
            false => self.differ(format!("{what}: expected {expected:?}, got {got:?}")),
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn mode_of(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;

    let about = fs::metadata(path).ok()?;
    Some(format!("{:04o}", about.permissions().mode() & 0o7777))
}
