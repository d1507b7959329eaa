//! `vouchsafe demo`: the real clients at work against the emulators, step by step.

use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;
use crate::services::SERVICES;
use crate::stage::Stage;

/// Options of `vouchsafe demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {}

/// Runs the demo of every service and prints the outcomes.
pub(crate) async fn run(_args: DemoArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let mut stage = Stage::new()?;
    for service in SERVICES {
        stage.begin(service.name());
        if let Err(failure) = service.demo(&mut stage).await {
            stage.fail(&failure);
        }
    }
    let (answer, is_good) = stage.end();
    answer.print(as_json)?;
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
