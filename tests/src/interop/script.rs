//! Scripts in another language: one of checks, which reads JSON from standard input and prints a line
//! for each check and last the counts in JSON; and one that makes requested calls.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::Report;

/// Runs the script with its input, counts its checks, and returns the requests that it recorded.
///
/// # Errors
///
/// If it fails; the text is its output.
pub(super) async fn run(
    command: &mut Command,
    given: &Value,
    report: &mut Report,
) -> Result<Value, String> {
    let text = |cause: std::io::Error| cause.to_string();
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(text)?;
    let mut stdin = process.stdin.take().ok_or("no standard input")?;
    stdin
        .write_all(given.to_string().as_bytes())
        .await
        .map_err(text)?;
    drop(stdin);
    let output = process.wait_with_output().await.map_err(text)?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let (lines, last) = printed
        .trim_end()
        .rsplit_once('\n')
        .unwrap_or(("", &printed));
    let summary: Value = serde_json::from_str(last)
        .map_err(|_| format!("it ended with {}:\n{printed}", output.status))?;
    report.lines.push(lines.to_owned());
    let count = |name: &str| summary[name].as_u64().and_then(|n| usize::try_from(n).ok());
    report.passed += count("passed").unwrap_or_default();
    report.failed += count("failed").unwrap_or_default();
    Ok(summary["requests"].clone())
}

/// A script that makes requested calls: one line of JSON for each, and one line back.
pub(super) struct Session {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Session {
    /// Starts a script.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub(super) fn start(mut command: Command) -> Result<Self, String> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| cause.to_string())?;
        let input = process.stdin.take().ok_or("no standard input")?;
        let output = process.stdout.take().ok_or("no standard output")?;
        Ok(Self {
            _process: process,
            input,
            output: BufReader::new(output).lines(),
        })
    }

    /// Has the script make a call, and returns its answer.
    ///
    /// # Errors
    ///
    /// If the script ends, or says nothing that can be read.
    pub(super) async fn ask(&mut self, call: &Value) -> Result<Value, String> {
        let text = |cause: std::io::Error| cause.to_string();
        let line = format!("{call}\n");
        self.input.write_all(line.as_bytes()).await.map_err(text)?;
        let line = self.output.next_line().await.map_err(text)?;
        let line = line.ok_or_else(|| format!("the script ended at {call}"))?;
        serde_json::from_str(&line).map_err(|cause| format!("{cause}: {line}"))
    }
}
