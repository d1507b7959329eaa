//! wazo-auth.

mod demo;
mod emulator;
mod failure;

use clap::{ArgMatches, Command};
use serde_json::Value;
use vouchsafe::core::BoxFuture;

use crate::failure::Failure;
use crate::service::{Done, Emulator, Service, Start, with_secrets};
use crate::stage::Stage;

/// The service.
pub(super) struct WazoAuth;

impl Service for WazoAuth {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parts(&self) -> &'static [&'static str] {
        &[NAME]
    }

    fn commands(&self) -> Vec<Command> {
        Vec::new()
    }

    fn run<'a>(&'a self, _: &'a str, _: &'a ArgMatches) -> BoxFuture<'a, Done> {
        Box::pin(async { Err(Failure::usage("there is no such command")) })
    }

    fn seed(&self) -> Option<&'static str> {
        Some("tenants, users, groups and policies")
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

const NAME: &str = "wazo-auth";
