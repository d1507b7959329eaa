//! `vouchsafe demo`: the real clients at work against the emulators, step by step.

use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;
use crate::service::Service;
use crate::services::SERVICES;
use crate::stage::Stage;

/// Options of `vouchsafe demo`.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// The services to show; all if none is named
    #[arg(value_name = "SERVICE", value_parser = named)]
    services: Vec<&'static dyn Service>,
}

fn named(name: &str) -> Result<&'static dyn Service, String> {
    let mut all = SERVICES.iter().copied();
    let found = all.find(|service| service.name() == name);
    found.ok_or_else(|| {
        let names: Vec<_> = SERVICES.iter().map(|service| service.name()).collect();
        format!("no such service; there is: {}", names.join(", "))
    })
}

/// Runs the demo of every service, or of those that are named, and prints the outcomes.
pub(crate) async fn run(args: DemoArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let mut stage = Stage::new()?;
    let chosen = match args.services.is_empty() {
        true => SERVICES.to_vec(),
        false => args.services,
    };
    for service in chosen {
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
