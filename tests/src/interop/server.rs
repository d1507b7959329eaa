//! `vouchsafe serve` as a separate program, as other languages start it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use http::{Method, Uri};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use vouchsafe::core::transport::{HttpTransport, Request, Transport};

/// A running server; dropping it ends the program.
#[derive(Debug)]
pub(super) struct Server {
    _process: Child,
    service: String,
    place: Value,
    tokens: Value,
    management: String,
    transport: HttpTransport,
}

/// Returns the program.
///
/// # Errors
///
/// If it is not built.
pub(super) fn program() -> Result<PathBuf, String> {
    crate::program::vouchsafe()
        .ok_or_else(|| "the program is not built; `cargo xtask interop` builds it".to_owned())
}

impl Server {
    /// Starts a service with more arguments, which say what it starts from, and waits until it is
    /// ready. What the program logs goes to a file.
    ///
    /// # Errors
    ///
    /// If the program ends or does not say where it is.
    pub(super) async fn start(
        program: &Path,
        service: &str,
        arguments: &[String],
        log: &Path,
    ) -> Result<Self, String> {
        let mut process = Command::new(program)
            .args(["serve", "--until-stdin-closes", "--service"])
            .arg(format!("{service}=0"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What it logs would stand between the lines of the report.
            .stderr(fs::File::create(log).map_err(|cause| cause.to_string())?)
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| cause.to_string())?;
        let stdout = process.stdout.take().ok_or("no standard output")?;
        let first = BufReader::new(stdout)
            .lines()
            .next_line()
            .await
            .map_err(|cause| cause.to_string())?
            .ok_or_else(|| format!("it ended before it was ready: see {}", log.display()))?;
        let ready: Value = serde_json::from_str(&first).map_err(|cause| cause.to_string())?;
        let mut place = ready["services"][service].clone();
        let management = [&place["management"], &ready["management"]]
            .into_iter()
            .find_map(Value::as_str)
            .ok_or_else(|| format!("no management routes in {ready}"))?
            .to_owned();
        place["management"] = management.clone().into();
        let transport = HttpTransport::builder()
            .build()
            .map_err(|fault| fault.to_string())?;
        let tokens = ready["tokens"][service].clone();
        Ok(Self {
            _process: process,
            service: service.to_owned(),
            place,
            tokens,
            management,
            transport,
        })
    }

    /// Returns the addresses, as the ready line tells them.
    pub(super) fn place(&self) -> &Value {
        &self.place
    }

    /// Returns the tokens made for this run, as the ready line tells them.
    pub(super) fn tokens(&self) -> &Value {
        &self.tokens
    }

    /// Returns method and path of the requests since the journal was cleared.
    ///
    /// # Errors
    ///
    /// If the management routes do not answer.
    pub(super) async fn requests(&self) -> Result<Vec<[String; 2]>, String> {
        let journal = self.manage(Method::GET, "journal").await?;
        let journal = journal.get(&self.service).unwrap_or(&journal);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = journal["requests"].as_array().into_iter().flatten();
        Ok(entries
            .map(|entry| [word(&entry["method"]), word(&entry["path"])])
            .collect())
    }

    /// Forgets faults and requests.
    ///
    /// # Errors
    ///
    /// If the management routes do not answer.
    pub(super) async fn clean(&self) -> Result<(), String> {
        self.manage(Method::DELETE, "faults").await?;
        self.manage(Method::DELETE, "journal").await?;
        Ok(())
    }

    async fn manage(&self, method: Method, what: &str) -> Result<Value, String> {
        let uri: Uri = format!("{}/{what}", self.management)
            .parse()
            .map_err(|fault: http::uri::InvalidUri| fault.to_string())?;
        let answer = self
            .transport
            .send(Request::new(method, uri))
            .await
            .map_err(|fault| fault.to_string())?;
        if !answer.status.is_success() {
            return Err(format!("{what}: {}", answer.status));
        }
        Ok(serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }
}
