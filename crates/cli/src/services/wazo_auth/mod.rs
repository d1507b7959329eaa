//! wazo-auth.

mod commands;
mod demo;
mod emulator;
mod failure;

use clap::{ArgMatches, Command, FromArgMatches as _};
use serde_json::Value;
use vouchsafe::core::BoxFuture;

use self::commands::WazoArgs;
use crate::failure::Failure;
use crate::service::{Done, Emulator, Service, Start, command, read, with_secrets};
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
        let about = "Shows and changes tokens, users, groups, policies and tenants of wazo-auth";
        vec![command::<WazoArgs>("wazo", about)]
    }

    fn run<'a>(&'a self, _: &'a str, matches: &'a ArgMatches) -> BoxFuture<'a, Done> {
        Box::pin(async move {
            let as_json = matches.get_flag("json");
            commands::run(read(WazoArgs::from_arg_matches(matches))?, as_json).await
        })
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
