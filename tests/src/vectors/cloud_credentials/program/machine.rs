//! A machine for one case: its folder, its server, and the program on it.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use vouchsafe::core::mock::{Host, Serving};

use super::super::expected::{Exchange, Setup, StoreAfter};
use super::super::machine::{mode_of, set_mode};
use super::super::network::{Asked, Network};
use super::super::verdict::without_own;
use super::clock::Clock;
use super::text;
use crate::vectors::report::Judgement;

pub(super) struct Machine {
    folder: tempfile::TempDir,
    store: PathBuf,
    program: PathBuf,
    environment: BTreeMap<String, String>,
    /// The time of the program, where tokens have expired since it was recorded.
    clock: OnceLock<Clock>,
    network: Network,
    server: Serving,
    is_new: bool,
    /// Whether the folder of the file is made by the program.
    is_folder_new: bool,
    /// Whether the file is refused as damaged, whatever the older tool made of it (D24).
    pub(super) is_damaged: bool,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

/// A run of the program: arguments, and what is added to the environment.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) arguments: Vec<String>,
    /// Variables to set, or to take away.
    pub(super) variables: Vec<(&'static str, Option<String>)>,
    pub(super) input: Option<String>,
}

impl Machine {
    pub(super) async fn new(setup: &Setup, program: PathBuf) -> Result<Self, String> {
        let network = Network::default();
        let host = Host::new(Arc::new(network.clone()));
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = host.serve(any).await.map_err(text)?;
        let mut machine = Self {
            folder: tempfile::tempdir().map_err(text)?,
            store: PathBuf::new(),
            program,
            environment: BTreeMap::new(),
            clock: OnceLock::new(),
            network,
            server,
            is_new: setup.store_text.is_none(),
            is_folder_new: true,
            is_damaged: setup.store_text.as_deref().is_some_and(is_damaged),
        };
        let store = match setup.store_path.as_deref() {
            None | Some("$STORE") => "$TMP/pan/credentials.json",
            Some(other) => other,
        };
        machine.store = PathBuf::from(machine.replaced(store));
        let variables = setup.env.iter();
        machine.environment = variables
            .map(|(name, value)| (name.clone(), machine.replaced(value)))
            .collect();
        let home = machine.folder.path().join("home");
        fs::create_dir_all(&home).map_err(text)?;
        for (name, content) in &setup.home_files {
            let path = home.join(name);
            fs::create_dir_all(path.parent().ok_or("no folder")?).map_err(text)?;
            fs::write(path, content).map_err(text)?;
        }
        if let Some(there) = &setup.store_text {
            let parent = machine.store.parent().ok_or("the file has no folder")?;
            fs::create_dir_all(parent).map_err(text)?;
            fs::write(&machine.store, there).map_err(text)?;
            // As the older tool makes it.
            let mode = setup.store_mode.as_deref().unwrap_or("0644");
            set_mode(&machine.store, mode)?;
        }
        machine.is_folder_new = machine
            .store
            .parent()
            .is_some_and(|folder| !folder.exists());
        Ok(machine)
    }

    /// Puts the paths and the port of this machine into a text.
    pub(super) fn replaced(&self, text: &str) -> String {
        let folder = self.folder.path().display().to_string();
        text.replace("$STORE", &self.store.display().to_string())
            .replace("$HOME", &format!("{folder}/home"))
            .replace("$TMP", &folder)
            .replace("$PORT", &self.server.address().port().to_string())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the case.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<(), String> {
        fs::write(self.path(name), content).map_err(text)
    }

    /// Returns the root of the server's URLs.
    pub(super) fn url(&self) -> String {
        self.server.url()
    }

    pub(super) fn expect(&self, exchanges: &[Exchange]) {
        self.network.expect(exchanges);
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.network.take()
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let value = self.environment.get(name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn there(&self) -> Option<String> {
        fs::read_to_string(&self.store).ok()
    }

    /// Returns the first document of a profile in the file.
    pub(super) fn document(&self, profile: &str) -> Option<Map<String, Value>> {
        let is_of = |document: &Map<String, Value>| {
            document.get("profile").is_some_and(|name| name == profile)
        };
        self.documents().into_iter().find(is_of)
    }

    /// Returns all documents in the file.
    pub(super) fn documents(&self) -> Vec<Map<String, Value>> {
        let tables = self.there().map(|text| serde_json::from_str(&text));
        let tables: Value = tables.and_then(Result::ok).unwrap_or_default();
        let documents = tables["profiles"].as_object().into_iter().flatten();
        documents
            .filter_map(|(_, document)| document.as_object().cloned())
            .collect()
    }

    /// Creates a command of the program, which sees nothing of this process's environment.
    pub(super) fn command(&self, order: &Order) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command
            .args(&order.arguments)
            .env_clear()
            .envs(&self.environment)
            .env("HOME", self.path("home"))
            // It warns of files that others can read, which the older tool makes.
            .env("RUST_LOG", "off")
            .current_dir(self.folder.path());
        for (name, value) in &order.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(clock) = self.clock.get() {
            clock.set(&mut command);
        }
        command
    }

    /// Sets the time of the program to that of the case. Returns `false` if it cannot be set.
    pub(super) fn set_clock(&self, seconds: f64) -> bool {
        let clock = self.clock.get().cloned().or_else(|| Clock::at(seconds));
        clock.is_some_and(|clock| *self.clock.get_or_init(|| clock.clone()) == clock)
    }

    /// Runs the program to its end.
    pub(super) async fn run(&self, order: &Order) -> Result<Ran, String> {
        let mut child = Command::from(self.command(order))
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(text)?;
        if let (Some(mut input), Some(given)) = (child.stdin.take(), &order.input) {
            // It may have ended without reading it, which its output then shows.
            let _ = input.write_all(given.as_bytes()).await;
        }
        let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        let ended = ended.map_err(|_| "the program does not end".to_owned())?;
        let ended = ended.map_err(text)?;
        Ok(Ran {
            code: ended.status.code(),
            out: String::from_utf8_lossy(&ended.stdout).into_owned(),
            err: String::from_utf8_lossy(&ended.stderr).into_owned(),
        })
    }

    /// Compares the file with what it was before, byte for byte.
    pub(super) fn compare_unchanged(&self, before: Option<&String>, judgement: &mut Judgement) {
        judgement.compare("file", &before, &self.there().as_ref());
    }

    /// Compares the file after a run that may have written. Where the older tool creates a file without
    /// profiles, there is no file yet.
    pub(super) fn compare_file(
        &self,
        before: Option<&String>,
        after: &StoreAfter,
        judgement: &mut Judgement,
    ) {
        let there = self.there();
        let is_empty = after.text.as_deref().is_some_and(|text| {
            serde_json::from_str::<Value>(text).is_ok_and(|tables| {
                let documents = tables["profiles"].as_object();
                documents.is_some_and(Map::is_empty)
            })
        });
        if is_empty && before.is_none() {
            return judgement.compare("file", &None, &there);
        }
        judgement.compare("file", &after.text, &there.as_deref().map(without_own));
        if there.is_none() {
            return;
        }
        let kept = after.file_mode.as_deref().filter(|_| !self.is_new);
        let mode = kept.unwrap_or("0600").to_owned();
        judgement.compare("mode", &Some(mode), &mode_of(&self.store));
        if let Some(mode) = after.dir_mode.as_ref().filter(|_| self.is_folder_new) {
            let folder = self.store.parent().and_then(mode_of);
            judgement.compare("mode of the folder", &Some(mode.clone()), &folder);
        }
    }
}

impl Ran {
    /// Compares whether it failed; the numbers of failures differ.
    pub(super) fn compare_failure(&self, has_failed: bool, judgement: &mut Judgement) {
        let code = self.code.unwrap_or(-1);
        match has_failed {
            true if code > 0 => judgement.judged(),
            false if code == 0 => judgement.judged(),
            _ => {
                let expected = if has_failed { "a failure" } else { "success" };
                judgement.differ(format!("exit code: expected {expected}, got {self:?}"));
            }
        }
    }

    /// Makes sure that values are not shown.
    pub(super) fn compare_hidden<'a>(
        &self,
        secrets: impl IntoIterator<Item = &'a str>,
        judgement: &mut Judgement,
    ) {
        for secret in secrets {
            let is_shown = self.out.contains(secret) || self.err.contains(secret);
            judgement.compare("a secret is shown", &false, &is_shown);
        }
    }
}

/// Returns whether a file is not JSON, or something else than tables. An empty one reads as no tables.
fn is_damaged(text: &str) -> bool {
    let tables = serde_json::from_str::<Value>(text);
    !text.is_empty() && !tables.is_ok_and(|tables| tables.is_object())
}

/// How long the program may take; a command that waits for something that does not come would not end.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
