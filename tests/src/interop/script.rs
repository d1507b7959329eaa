//! A script of checks in another language: JSON to standard input, a line for each check, and
//! last the counts in JSON.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::Report;

/// Runs the script with what it is given, counts its checks, and returns the requests that it
/// noted.
///
/// # Errors
///
/// If it does not end as it should; the text is what it printed.
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
