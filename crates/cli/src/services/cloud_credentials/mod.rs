//! Cortex Data Lake, and the credentials for it.

mod commands;
mod credentials;
mod demo;
mod emulator;
mod failure;

use std::process::ExitCode;

use clap::{ArgMatches, Command, FromArgMatches as _};
use serde_json::Value;
use vouchsafe::core::BoxFuture;

use self::credentials::CredentialsArgs;
use crate::failure::Failure;
use crate::service::{Done, Emulator, Service, Start, command, read, with_secrets};
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
        vec![
            commands::command(),
            command::<CredentialsArgs>(
                CREDENTIALS,
                "Manages credentials: logs in, and shows, renews and revokes them",
            ),
        ]
    }

    fn run<'a>(&'a self, command: &'a str, matches: &'a ArgMatches) -> BoxFuture<'a, Done> {
        Box::pin(async move {
            if command == CREDENTIALS {
                return credentials::run(read(CredentialsArgs::from_arg_matches(matches))?).await;
            }
            Ok((commands::run(matches).await?, ExitCode::SUCCESS))
        })
    }

    fn seed(&self) -> Option<&'static str> {
        Some("clients, tokens and settings")
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
const CREDENTIALS: &str = "credentials";
