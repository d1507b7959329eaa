//! The vectors of `{{NAME}}`: the request of each operation, and the results of answers.

use std::path::Path;
use std::sync::Arc;

use vouchsafe::core::call::Retry;
use vouchsafe::core::transport::Transport;
use vouchsafe::{{MODULE}}::{Client, Error as Fault, OPERATIONS};

use super::described::{self, Target};
use super::{Error, Report};

/// Runs every file in a folder.
pub(super) async fn run(folder: &Path, report: &mut Report) -> Result<(), Error> {
    let target = Target {
        name: "{{NAME}}",
        operations: OPERATIONS,
        client: &client,
        fault: |fault: &Fault| fault.core().clone(),
    };
    described::run(folder, &target, report).await
}

#[expect(clippy::expect_used, reason = "all that a client needs is given")]
fn client(transport: Arc<dyn Transport>) -> Client {
    let client = Client::builder()
        .base_url("https://{{NAME}}.example.com{{BASE}}")
        .transport(transport)
        .retry(Retry::none())
        .token("token");
    client.build().expect("the URL is good")
}
