//! {{TITLE}}.

mod commands;
mod demo;
mod emulator;
mod failure;

use std::process::ExitCode;

use clap::{ArgMatches, Command};
use serde_json::Value;
use vouchsafe::core::BoxFuture;
use vouchsafe::{{MODULE}}::OPERATIONS;

use crate::described;
use crate::failure::Failure;
use crate::service::{Done, Emulator, Service, Start, with_secrets};
use crate::stage::Stage;

/// The service.
pub(super) struct {{PASCAL}};

impl Service for {{PASCAL}} {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parts(&self) -> &'static [&'static str] {
        &[NAME]
    }

    fn commands(&self) -> Vec<Command> {
        vec![described::command(NAME, {{ABOUT}}, commands::VARIABLES, OPERATIONS)]
    }

    fn run<'a>(&'a self, _: &'a str, matches: &'a ArgMatches) -> BoxFuture<'a, Done> {
        Box::pin(async move { Ok((commands::run(matches).await?, ExitCode::SUCCESS)) })
    }

    fn seed(&self) -> Option<&'static str> {
        Some("the token that is accepted")
    }

    fn emulator(&self, start: &Start<'_>) -> Result<Emulator, Failure> {
        emulator::make(start)
    }

    fn example_seed(&self) -> Result<Value, Failure> {
        with_secrets(r#"{"token": "RANDOM"}"#)
    }

    fn demo<'a>(&'a self, stage: &'a mut Stage) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(demo::run(stage))
    }
}

const NAME: &str = "{{NAME}}";
