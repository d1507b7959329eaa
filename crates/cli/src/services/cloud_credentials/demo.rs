//! The demo of Cortex Data Lake, and of one refresh for many processes.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::cloud_credentials::mock::{Rotation, Server};
use vouchsafe::cloud_credentials::{
    Credentials, CredentialsBuilder, Environment, OPERATIONS, Source, Values,
};
use vouchsafe::core::Secret;
use vouchsafe::core::mock::{CertificateAuthority, ManualClock, Serving};
use vouchsafe::core::transport::{HttpTransport, Transport};

use super::credentials::{READY, UNSAVED};
use crate::described;
use crate::failure::Failure;
use crate::stage::{Seen, Stage, ensure};

pub(super) async fn run(stage: &mut Stage) -> Result<(), Failure> {
    let show = Show::new(&stage.authority).await?;
    let journal = show.server.journal().clone();
    let client = show
        .server
        .client_builder()
        .base_url(format!("{}{}", show.serving.url(), show.server.base_path()))
        .transport(Arc::clone(&show.transport))
        .build()?;
    described::demo(stage, &journal, &client, OPERATIONS).await;
    stage
        .step("where credentials come from", &journal, 0, show.resolved())
        .await;
    // Each task is refused at most once, and served once, and there is one refresh.
    let calls = PROCESSES * TASKS;
    stage
        .step_within(
            "200 tasks in 4 processes with one dead token",
            &journal,
            calls + 2..=2 * calls + 1,
            show.burst(),
        )
        .await;
    stage
        .step(
            "kill -9 between answer and save, and recovery",
            &journal,
            4,
            show.killed(),
        )
        .await;
    Ok(())
}

/// The steps. Each returns what it saw, or what was not as it should be.
struct Show {
    server: Server,
    serving: Serving,
    transport: Arc<dyn Transport>,
    login: Values,
    folder: tempfile::TempDir,
}

impl Show {
    async fn new(authority: &CertificateAuthority) -> Result<Self, Failure> {
        // Each refresh token is good for one use: two requests at once would end the login.
        let server = Server::builder()
            .settings(|settings| settings.rotation = Rotation::Revokes)
            .start();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let transport = HttpTransport::builder().add_root_pem(authority.pem().as_bytes())?;
        let failed = |cause: std::io::Error| Failure::failed(format!("a folder: {cause}"));
        let show = Self {
            serving: server.serve_tls(address, authority).await?,
            transport: Arc::new(transport.only_roots().build()?),
            login: server.log_in("app")?,
            server,
            folder: tempfile::tempdir().map_err(failed)?,
        };
        std::fs::write(show.authority(), authority.pem()).map_err(failed)?;
        Ok(show)
    }

    fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("credentials.json")
    }

    /// Returns credentials of the file, for a process whose clock is ahead by some time.
    fn credentials(&self, ahead: Duration) -> Result<Credentials, String> {
        let clock = ManualClock::running();
        clock.advance(ahead);
        let builder = self.builder().clock(Arc::new(clock));
        builder.build().map_err(text)
    }

    fn builder(&self) -> CredentialsBuilder {
        Server::credentials_builder_at(&self.serving.url())
            .transport(Arc::clone(&self.transport))
            .store(Arc::new(FileStore::new(self.file())))
    }

    /// Writes a login into the file, whose access token the server then takes for expired.
    async fn write(&self) -> Result<(), String> {
        let mut builder = Credentials::builder().store(Arc::new(FileStore::new(self.file())));
        let Values {
            client_id,
            client_secret,
            refresh_token,
            access_token,
            ..
        } = self.login.clone();
        builder = builder.client_id(client_id.unwrap_or_default());
        if let (Some(secret), Some(refresh), Some(access)) =
            (client_secret, refresh_token, access_token)
        {
            builder = builder
                .client_secret(secret)
                .refresh_token(refresh)
                .access_token(access);
        }
        builder.build().map_err(text)?.write().await.map_err(text)?;
        self.server.expire_access_tokens();
        Ok(())
    }

    async fn resolved(&self) -> Seen {
        let before = self.credentials(Duration::ZERO)?;
        let nowhere = before.source().await.map_err(text)?;
        ensure(nowhere == Source::Nothing, || format!("from {nowhere}"))?;
        ensure(!self.file().exists(), || "the file was created".to_owned())?;
        self.write().await?;
        // Each hides those before it.
        let environment = Environment::from_fn(|name| {
            let is_there = name == "PAN_CLIENT_ID";
            is_there.then(|| Secret::from("of-the-environment".to_owned()))
        });
        let with = self.builder().environment(environment);
        let set = with.clone().client_id("of-the-builder");
        let (with, set) = (with.build().map_err(text)?, set.build().map_err(text)?);
        let mut sources = Vec::new();
        for (credentials, source, id) in [
            (&before, Source::Store, "app"),
            (&with, Source::Environment, "of-the-environment"),
            (&set, Source::Builder, "of-the-builder"),
        ] {
            let found = credentials.source().await.map_err(text)?;
            let values = credentials.values().await.map_err(text)?;
            let is_right = found == source && values.client_id.as_deref() == Some(id);
            ensure(is_right, || format!("{:?} from {found}", values.client_id))?;
            sources.push(found.to_string());
        }
        let page = set.authorize().client_id("of-the-call").url().await;
        let page = page.map_err(text)?.url;
        ensure(page.contains("client_id=of-the-call"), || page.clone())?;
        sources.push("the call".to_owned());
        let given = Credentials::builder().client_id("other").build();
        let given = given.map_err(text)?;
        let refused = given.refresh().await;
        let missing = refused.err().and_then(|error| error.missing().cloned());
        let missing = missing.ok_or("a refresh with half the credentials was tried")?;
        Ok(format!(
            "first {nowhere}; then {}, each before the last; with a client id alone: missing {}",
            sources.join(", "),
            missing.values().join(", ")
        ))
    }

    async fn burst(&self) -> Seen {
        let before = self.server.counts();
        let mut workers = Vec::new();
        for _ in 0..PROCESSES {
            workers.push(Worker::start(self, TASKS, false).await?);
        }
        for worker in &mut workers {
            worker.go().await?;
        }
        let mut served = 0;
        for worker in workers {
            served += worker.served().await?;
        }
        let after = self.server.counts();
        let refreshes = after.refreshes() - before.refreshes();
        ensure(served == PROCESSES * TASKS, || {
            format!("only {served} calls were answered")
        })?;
        ensure(
            refreshes == 1 && after.refused() == before.refused(),
            || format!("{refreshes} token requests, {:?}", after.refusals),
        )?;
        Ok(format!(
            "{served} served by 1 token request; none was refused"
        ))
    }

    async fn killed(&self) -> Seen {
        self.server
            .configure(|settings| settings.rotation = Rotation::Keeps);
        self.server.expire_access_tokens();
        let before = self.server.counts();
        let mut worker = Worker::start(self, 1, true).await?;
        worker.go().await?;
        worker.says(UNSAVED).await?;
        // SIGKILL: it cannot clean up, and its lease stays.
        worker.process.kill().await.map_err(text)?;
        let issued = self.server.counts().refreshes() - before.refreshes();
        ensure(issued == 1, || format!("{issued} token requests"))?;
        let next = self.credentials(LEASE)?;
        let token = next.refresh().await.map_err(text)?;
        let client = self.server.client().map_err(text)?.with_token(token);
        client.directory().domains().await.map_err(text)?;
        let refused = self.server.counts().refused() - before.refused();
        ensure(refused == 0, || format!("{refused} refusals"))?;
        Ok(
            "the file still had the old refresh token; a minute later the next process used it"
                .to_owned(),
        )
    }
}

/// Another process of this program.
struct Worker {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    async fn start(show: &Show, tasks: u64, stops: bool) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(text)?;
        let mut command = Command::new(program);
        command
            .args(["credentials", "worker", "--token-url", &show.serving.url()])
            .args(["--services", &show.serving.url()])
            .args(["--tasks", &tasks.to_string()])
            .arg("--file")
            .arg(show.file())
            .arg("--ca-file")
            .arg(show.authority())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        if stops {
            command.arg("--stop-before-saving");
        }
        let mut process = command.spawn().map_err(text)?;
        let output = process.stdout.take().ok_or("the process has no output")?;
        let mut worker = Self {
            process,
            lines: BufReader::new(output).lines(),
        };
        worker.says(READY).await?;
        Ok(worker)
    }

    async fn line(&mut self) -> Result<String, String> {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.map_err(|_| "the process does not answer")?;
        line.map_err(text)?.ok_or("the process ended".to_owned())
    }

    async fn says(&mut self, what: &str) -> Result<(), String> {
        let line = self.line().await?;
        ensure(line == what, || format!("the process says {line:?}"))
    }

    async fn go(&mut self) -> Result<(), String> {
        let input = self.process.stdin.as_mut();
        let input = input.ok_or("the process has no input")?;
        input.write_all(b"go\n").await.map_err(text)
    }

    /// Waits for the end, and returns how many calls were answered.
    async fn served(mut self) -> Result<u64, String> {
        let line = self.line().await?;
        let said: Value = serde_json::from_str(&line).map_err(text)?;
        let failures = said["failures"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        ensure(!failures, || format!("{}", said["failures"]))?;
        self.process.wait().await.map_err(text)?;
        said["served"].as_u64().ok_or(line)
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

const PROCESSES: u64 = 4;
const TASKS: u64 = 50;
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than the lease of a process that died.
const LEASE: Duration = Duration::from_secs(60);
