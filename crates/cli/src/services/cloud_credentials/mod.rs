//! Cortex Data Lake.

mod commands;
mod demo;
mod emulator;
mod failure;

use std::process::ExitCode;

use clap::{ArgMatches, Command};
use serde_json::Value;
use vouchsafe::cloud_credentials::OPERATIONS;
use vouchsafe::core::BoxFuture;

use crate::described;
use crate::failure::Failure;
use crate::service::{Done, Emulator, Service, Start, with_secrets};
use crate::stage::Stage;

/// The service.
pub(super) struct CloudCredentials;

impl Service for CloudCredentials {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parts(&self) -> &'static [&'static str] {
        &[NAME]
    }

    fn commands(&self) -> Vec<Command> {
        vec![described::command(
            NAME,
            "Calls the operations of Cortex Data Lake",
            commands::VARIABLES,
            OPERATIONS,
        )]
    }

    fn run<'a>(&'a self, _: &'a str, matches: &'a ArgMatches) -> BoxFuture<'a, Done> {
        Box::pin(async move { Ok((commands::run(matches).await?, ExitCode::SUCCESS)) })
    }

    fn seed(&self) -> Option<&'static str> {
        Some("clients, tokens, and how the service behaves")
    }

    fn emulator(&self, start: &Start<'_>) -> Result<Emulator, Failure> {
        emulator::make(start)
    }

    fn example_seed(&self) -> Result<Value, Failure> {
        with_secrets(include_str!("seed.json"))
    }

    fn demo<'a>(&'a self, stage: &'a mut Stage) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(demo::run(stage))
    }
}

const NAME: &str = "cloud-credentials";
