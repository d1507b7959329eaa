//! Astakos.

mod commands;
mod demo;
mod emulator;
mod failure;

use std::process::ExitCode;

use clap::{ArgMatches, Command, FromArgMatches as _};
use serde_json::Value;
use vouchsafe::core::BoxFuture;

use self::commands::AstakosArgs;
use crate::failure::Failure;
use crate::service::{Done, Emulator, Service, Start, command, read, with_secrets};
use crate::stage::Stage;

/// The service.
pub(super) struct Astakos;

impl Service for Astakos {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parts(&self) -> &'static [&'static str] {
        &[NAME]
    }

    fn commands(&self) -> Vec<Command> {
        let about = "Queries Astakos about users and quotas, and manages commissions and projects";
        vec![command::<AstakosArgs>(NAME, about)]
    }

    fn run<'a>(&'a self, _: &'a str, matches: &'a ArgMatches) -> BoxFuture<'a, Done> {
        Box::pin(async move {
            let answer = commands::run(read(AstakosArgs::from_arg_matches(matches))?).await?;
            Ok((answer, ExitCode::SUCCESS))
        })
    }

    fn seed(&self) -> Option<&'static str> {
        Some("users, services and projects")
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

const NAME: &str = "astakos";
