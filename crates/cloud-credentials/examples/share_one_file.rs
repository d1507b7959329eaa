//! Many tasks in two programs share one file of credentials. When the access token expires, all of
//! them get a new one by a single token request, even if each refresh token works only once.
//! Runs against the emulator: `cargo run -p vouchsafe-cloud-credentials --example share_one_file
//! --features mock,tls-ring`.
#![allow(clippy::print_stdout, reason = "an example")]

use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;
use vouchsafe_cloud_credentials::file::FileStore;
use vouchsafe_cloud_credentials::mock::{Rotation, Server};
use vouchsafe_cloud_credentials::{Client, Credentials, Result};

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    // A server that replaces the refresh token at each refresh, and ends the login if an old one is
    // used again.
    let server = Server::builder()
        .settings(|settings| settings.rotation = Rotation::Revokes)
        .start();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("credentials.json");
    log_in(&server, &file).await?;

    // Two objects that know only the file, as in two processes.
    let programs = [
        Program::start(&server, &file)?,
        Program::start(&server, &file)?,
    ];
    for program in &programs {
        println!("{} calls succeeded", program.work().await?);
    }

    // Ten tasks notice at the same time that the token is refused.
    server.expire_access_tokens();
    let before = server.counts().refreshes();
    let (one, other) = tokio::join!(programs[0].work(), programs[1].work());
    let refreshes = server.counts().refreshes() - before;
    println!(
        "{} calls succeeded after {refreshes} refresh",
        one? + other?
    );
    Ok(())
}

/// Writes the credentials of a login into the file, as `vouchsafe credentials login` does.
async fn log_in(server: &Server, file: &Path) -> Result<()> {
    let login = server.log_in("app")?;
    let credentials = server
        .credentials_builder()
        .store(Arc::new(FileStore::new(file)))
        .build()?;
    credentials.set_client_id(login.client_id);
    credentials.set_client_secret(login.client_secret);
    credentials.set_refresh_token(login.refresh_token);
    credentials.write().await
}

/// A program that has a client, for all of its tasks.
struct Program {
    client: Client,
}

impl Program {
    fn start(server: &Server, file: &Path) -> Result<Self> {
        // In production: `Credentials::from_env()?`, and `Client::builder()` below.
        let credentials: Credentials = server
            .credentials_builder()
            .store(Arc::new(FileStore::new(file)))
            .build()?;
        let client = server.client_builder().credentials(&credentials).build()?;
        Ok(Self { client })
    }

    /// Calls a service from five tasks, and returns how many calls succeeded.
    async fn work(&self) -> Result<usize> {
        let mut tasks = JoinSet::new();
        for _ in 0..5 {
            let client = self.client.clone();
            tasks.spawn(async move { client.queries().list().send().await });
        }
        let answers = tasks.join_all().await;
        Ok(answers.into_iter().collect::<Result<Vec<_>>>()?.len())
    }
}
