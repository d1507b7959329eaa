//! Processes of a fleet as they are started, driven and ended.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::member::{Orders, READY};
use crate::python::output;

/// The program that a process runs, with arguments before its own.
#[derive(Clone, Debug)]
pub(super) struct Program {
    words: Vec<PathBuf>,
}

impl Program {
    pub(super) fn new<T: Into<PathBuf>>(words: impl IntoIterator<Item = T>) -> Self {
        let words = words.into_iter().map(Into::into).collect();
        Self { words }
    }

    /// The process of our own.
    pub(super) fn of_fleet(fleet: &Path) -> Self {
        Self::new([fleet, Path::new("member")])
    }

    /// The same, started by another program, such as one that changes its network.
    pub(super) fn within<T: Into<PathBuf>>(&self, words: impl IntoIterator<Item = T>) -> Self {
        let words = words.into_iter().map(Into::into);
        Self::new(words.chain(self.words.iter().cloned()))
    }
}

/// A running process; dropping it kills it.
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts a process and gives it its orders. Returns once it is ready.
    pub(super) async fn start(program: &Program, orders: &Orders) -> Result<Self, String> {
        let Some((first, rest)) = program.words.split_first() else {
            return Err("no program".to_owned());
        };
        let mut child = Command::new(first)
            .args(rest)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| format!("{}: {cause}", first.display()))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("no pipes".to_owned());
        };
        let mut process = Self {
            child,
            input,
            output: BufReader::new(output).lines(),
        };
        let orders = serde_json::to_string(orders).map_err(|cause| cause.to_string())?;
        process.say(&orders).await?;
        process.wait_for(READY).await?;
        Ok(process)
    }

    pub(super) async fn wait_for(&mut self, wanted: &str) -> Result<(), String> {
        let line = self.line().await?;
        match line == wanted {
            true => Ok(()),
            false => Err(format!("a process said {line:?} in place of {wanted:?}")),
        }
    }

    pub(super) async fn go_on(&mut self) -> Result<(), String> {
        self.say("go on").await
    }

    /// Reads what it says next.
    pub(super) async fn read<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        let line = self.line().await?;
        serde_json::from_str(&line).map_err(|cause| format!("{cause}: {line}"))
    }

    /// Kills it, and returns once it is dead.
    pub(super) async fn kill(mut self) -> Result<(), String> {
        self.child.kill().await.map_err(|cause| cause.to_string())
    }

    /// Sends it a signal.
    pub(super) async fn signal(&self, name: &str) -> Result<(), String> {
        let id = self.child.id().ok_or("the process has ended")?;
        let mut command = Command::new("kill");
        output(command.args(["-s", name, &id.to_string()]))
            .await
            .map(drop)
    }

    async fn say(&mut self, line: &str) -> Result<(), String> {
        let line = format!("{line}\n");
        let said = self.input.write_all(line.as_bytes()).await;
        said.map_err(|cause| cause.to_string())
    }

    async fn line(&mut self) -> Result<String, String> {
        let line = self
            .output
            .next_line()
            .await
            .map_err(|cause| cause.to_string())?;
        line.ok_or_else(|| "a process ended too soon".to_owned())
    }
}
