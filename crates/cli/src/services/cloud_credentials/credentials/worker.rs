//! A process of the demo, which calls a service from many tasks at once.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::task::JoinSet;
use vouchsafe::cloud_credentials::Client;
use vouchsafe::core::store::{Capabilities, Expect, Key, Loaded, Store, Swapped};
use vouchsafe::core::{BoxFuture, Result as CoreResult, SecretBytes};

use super::reach::Reach;
use crate::failure::Failure;
use crate::output::{Answer, print_line};

/// Options of a process of the demo.
#[derive(Args, Debug)]
pub(super) struct WorkerArgs {
    /// The URL of the services
    #[arg(long, value_name = "URL")]
    services: String,
    /// How many tasks call at once
    #[arg(long, value_name = "COUNT")]
    tasks: u64,
    /// Stops before it saves new tokens, and says so, to be killed
    #[arg(long)]
    stop_before_saving: bool,
}

/// Printed when everything is ready; calls start after a line on standard input.
pub(in crate::services::cloud_credentials) const READY: &str = "ready";
/// Printed when tokens were issued but are not saved.
pub(in crate::services::cloud_credentials) const UNSAVED: &str = "unsaved";

pub(super) async fn run(reach: &Reach, args: WorkerArgs) -> Result<Answer, Failure> {
    let mut builder = reach.bare()?;
    if args.stop_before_saving {
        builder = builder.store(Arc::new(Stopping(reach.store()?)));
    }
    let credentials = builder.build()?;
    let client = Client::builder()
        .base_url(&args.services)
        .transport(reach.connection.transport()?)
        .credentials(&credentials)
        .build()?;
    print_line(READY)?;
    let mut line = String::new();
    let mut input = BufReader::new(tokio::io::stdin());
    input
        .read_line(&mut line)
        .await
        .map_err(|cause| Failure::failed(format!("standard input: {cause}")))?;
    let mut tasks = JoinSet::new();
    for _ in 0..args.tasks {
        let client = client.clone();
        tasks.spawn(async move { client.directory().domains().await.map(drop) });
    }
    let (mut served, mut failures) = (0_u64, Vec::new());
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok(Ok(())) => served += 1,
            Ok(Err(error)) => failures.push(Failure::from(error).to_string()),
            Err(fault) => failures.push(fault.to_string()),
        }
    }
    failures.truncate(3);
    let value = json!({"served": served, "failures": failures});
    Ok(Answer::new(value.to_string(), value))
}

/// A store that never completes the write of a record.
#[derive(Debug)]
struct Stopping<S>(S);

impl<S: Store> Store for Stopping<S> {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, CoreResult<Option<Loaded>>> {
        self.0.load(key)
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, CoreResult<Swapped>> {
        if key.is_lease() {
            return self.0.compare_and_swap(key, expect, value);
        }
        Box::pin(async {
            // If this fails, the waiting process notices.
            let _ = print_line(UNSAVED);
            std::future::pending().await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, CoreResult<bool>> {
        self.0.remove(key, expect)
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
}
