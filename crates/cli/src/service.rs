//! A service of the program: commands, an emulator with its seed, and a demo.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Args, Command};
use serde_json::Value;
use vouchsafe::core::mock::{Host, random_token};
use vouchsafe::core::{BoxFuture, Secret};

use crate::failure::Failure;
use crate::output::Answer;
use crate::stage::Stage;

/// The description of a service to the program.
pub(crate) trait Service: Sync {
    /// Returns the name, as in the demo and the management API.
    fn name(&self) -> &'static str;

    /// Returns the names that `serve` takes: one for each server that can have a port of its own.
    fn parts(&self) -> &'static [&'static str];

    /// Returns its commands for people.
    fn commands(&self) -> Vec<Command>;

    /// Runs one of its commands, and returns what to print.
    fn run<'a>(&'a self, command: &'a str, matches: &'a ArgMatches) -> BoxFuture<'a, Done>;

    /// Returns whether a text holds what is, or nearly is, a token of the service. No argument may
    /// hold one, so this recognizes only what cannot be anything else.
    fn holds_token(&self, text: &str) -> bool {
        let _ = text;
        false
    }

    /// Returns the secret in an argument that may contain one, and the text that replaces it in
    /// messages.
    fn secret(&self, argument: &str) -> Option<(String, String)> {
        let _ = argument;
        None
    }

    /// Returns what `serve --seed` reads for it, if it takes a seed.
    fn seed(&self) -> Option<&'static str> {
        None
    }

    /// Returns what to use instead of `--seed`, if it takes no seed.
    fn instead_of_seed(&self) -> Option<&'static str> {
        None
    }

    /// Returns its part of the help of `serve`.
    fn serve_notes(&self) -> Option<&'static str> {
        None
    }

    /// Adds its own options to `serve`.
    fn serve_options(&self, serve: Command) -> Command {
        serve
    }

    /// Refuses options without effect. `serves` returns whether any of some parts is served.
    fn check_options(
        &self,
        options: &ArgMatches,
        serves: &dyn Fn(&[&str]) -> bool,
    ) -> Result<(), Failure> {
        let _ = (options, serves);
        Ok(())
    }

    /// Called when one of its parts is served, on a port unless on a socket file.
    fn served(&self, options: &ArgMatches, part: &Part, port: Option<u16>) -> Result<(), Failure> {
        let _ = (options, part, port);
        Ok(())
    }

    /// Creates the emulator, in the given state or in the built-in one.
    fn emulator(&self, start: &Start<'_>) -> Result<Emulator, Failure>;

    /// Returns an example of a seed, with new secrets.
    fn example_seed(&self) -> Result<Value, Failure>;

    /// Shows the main flows, each as a step. An error means that not even the first step could run.
    fn demo<'a>(&'a self, stage: &'a mut Stage) -> BoxFuture<'a, Result<(), Failure>>;
}

/// The emulator of a service. All its parts share one state.
pub(crate) struct Emulator {
    pub(crate) host: Host,
    pub(crate) parts: BTreeMap<&'static str, Part>,
}

/// What `serve` prints about one server of a service.
#[derive(Default)]
pub(crate) struct Part {
    /// The paths that clients are configured with, by name.
    pub(crate) paths: BTreeMap<&'static str, String>,
    /// The credentials created for this run, by the user or service that they belong to.
    pub(crate) tokens: BTreeMap<&'static str, Secret>,
}

/// The initial state and settings of emulators.
pub(crate) struct Start<'a> {
    pub(crate) seed: Option<Seed>,
    /// The options of `serve`, including those of services.
    pub(crate) options: &'a ArgMatches,
}

/// The state of an emulator as a file describes it.
pub(crate) struct Seed {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// The chosen configuration, if the file has several.
    pub(crate) config: Option<String>,
}

impl Seed {
    /// Returns an error about the seed.
    pub(crate) fn wrong(&self, why: &str) -> Failure {
        Failure::usage(format!("the seed {}: {why}", self.path.display()))
            .hint("vouchsafe serve --print-seed NAME prints an example")
    }
}

/// The output of a command, and the exit code.
pub(crate) type Done = Result<(Answer, ExitCode), Failure>;

/// Creates a command from its options.
pub(crate) fn command<A: Args>(name: &'static str, about: &'static str) -> Command {
    // Last, since the type of the options has its own description.
    A::augment_args(Command::new(name)).about(about)
}

/// Converts what clap has parsed. The arguments are valid by then, so this does not fail.
pub(crate) fn read<T>(args: Result<T, clap::Error>) -> Result<T, Failure> {
    args.map_err(|fault| Failure::usage(fault.to_string()))
}

/// Reads an example, and replaces each value `RANDOM` by a random secret.
pub(crate) fn with_secrets(example: &str) -> Result<Value, Failure> {
    let mut example = serde_json::from_str(example)
        .map_err(|fault| Failure::failed(format!("the built-in state is not JSON: {fault}")))?;
    fill(&mut example);
    Ok(example)
}

fn fill(value: &mut Value) {
    match value {
        Value::String(text) if text == "RANDOM" => {
            // The length of secrets in all of the services.
            random_token::<16>().expose().clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(fill),
        Value::Object(fields) => fields.values_mut().for_each(fill),
        _ => {}
    }
}
