//! Gafaelfawr and Repertoire.

mod commands;
mod demo;
mod discovery;
mod emulator;
mod failure;
mod installation;

use std::process::ExitCode;

use clap::{ArgMatches, Command, FromArgMatches as _};
use serde_json::Value;
use vouchsafe::core::BoxFuture;
use vouchsafe::userinfo::mock::Seed;

use self::commands::UserinfoArgs;
use self::discovery::DiscoveryArgs;
use crate::failure::Failure;
use crate::service::{Done, Emulator, Service, Start, command, read};
use crate::stage::Stage;

/// The service.
pub(super) struct Userinfo;

impl Service for Userinfo {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parts(&self) -> &'static [&'static str] {
        &[NAME]
    }

    fn commands(&self) -> Vec<Command> {
        vec![
            command::<UserinfoArgs>(NAME, "Queries Gafaelfawr about users and tokens"),
            command::<DiscoveryArgs>(
                DISCOVERY,
                "Queries Repertoire for the locations of services and data",
            ),
        ]
    }

    fn run<'a>(&'a self, command: &'a str, matches: &'a ArgMatches) -> BoxFuture<'a, Done> {
        Box::pin(async move {
            let answer = if command == DISCOVERY {
                discovery::run(read(DiscoveryArgs::from_arg_matches(matches))?).await?
            } else {
                commands::run(read(UserinfoArgs::from_arg_matches(matches))?).await?
            };
            Ok((answer, ExitCode::SUCCESS))
        })
    }

    fn holds_token(&self, text: &str) -> bool {
        installation::holds_token(text)
    }

    fn seed(&self) -> Option<&'static str> {
        Some("users, tokens and services; #CONFIG selects one of several in the file")
    }

    fn emulator(&self, start: &Start<'_>) -> Result<Emulator, Failure> {
        emulator::make(start)
    }

    fn example_seed(&self) -> Result<Value, Failure> {
        Ok(Seed::sample_document())
    }

    fn demo<'a>(&'a self, stage: &'a mut Stage) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(demo::run(stage))
    }
}

const NAME: &str = "userinfo";
const DISCOVERY: &str = "discovery";
