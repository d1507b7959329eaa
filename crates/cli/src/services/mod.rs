//! The services that the program knows: one folder each, named once in [`SERVICES`].

mod astakos;
mod ticket;
mod userinfo;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Args, Command};
use serde_json::Value;
use vouchsafe::core::mock::{Host, random_token};
use vouchsafe::core::{BoxFuture, Secret};

use crate::failure::Failure;
use crate::output::Answer;
use crate::stage::Stage;

/// Every service, in the order of the demo.
pub(crate) const SERVICES: &[&dyn Service] =
    &[&userinfo::Userinfo, &ticket::Ticket, &astakos::Astakos];

/// What the program knows about a service.
pub(crate) trait Service: Sync {
    /// Returns the name, as the demo shows it and the management has it.
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

    /// Returns the secret in an argument that may hold one, with what messages show in its place.
    fn secret(&self, argument: &str) -> Option<(String, String)> {
        let _ = argument;
        None
    }

    /// Returns what `serve --seed` reads for it, if it takes a seed.
    fn seed(&self) -> Option<&'static str> {
        None
    }

    /// Returns what to use instead of `--seed`, if it takes none.
    fn instead_of_seed(&self) -> Option<&'static str> {
        None
    }

    /// Returns what the help of `serve` says about it.
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

    /// Called when one of its parts is served on a port.
    fn served(&self, options: &ArgMatches, part: &Part, port: u16) -> Result<(), Failure> {
        let _ = (options, part, port);
        Ok(())
    }

    /// Makes the emulator, in the state asked for or in a small built-in one.
    fn emulator(&self, start: &Start<'_>) -> Result<Emulator, Failure>;

    /// Returns an example of a seed, with new secrets.
    fn example_seed(&self) -> Result<Value, Failure>;

    /// Shows the main flows, each as a step. An error means that not even the first could be run.
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
    /// The credentials made for this run, by the user or service they belong to.
    pub(crate) tokens: BTreeMap<&'static str, Secret>,
}

/// What emulators start from.
pub(crate) struct Start<'a> {
    pub(crate) seed: Option<Seed>,
    /// The options of `serve`, those of services among them.
    pub(crate) options: &'a ArgMatches,
}

/// What a command prints, and the exit code.
pub(crate) type Done = Result<(Answer, ExitCode), Failure>;

/// Makes a command from its options.
pub(crate) fn command<A: Args>(name: &'static str, about: &'static str) -> Command {
    // Last, since the type of the options brings a description of itself.
    A::augment_args(Command::new(name)).about(about)
}

/// Converts what clap has parsed. The arguments are valid by then, so this does not fail.
pub(crate) fn read<T>(args: Result<T, clap::Error>) -> Result<T, Failure> {
    args.map_err(|fault| Failure::usage(fault.to_string()))
}

/// Finds the service that a command belongs to.
pub(crate) fn of_command(name: &str) -> Option<&'static dyn Service> {
    let mut all = SERVICES.iter().copied();
    all.find(|service| {
        service
            .commands()
            .iter()
            .any(|command| command.get_name() == name)
    })
}

/// Returns whether a text holds a token of any service.
pub(crate) fn holds_token(text: &str) -> bool {
    SERVICES.iter().any(|service| service.holds_token(text))
}

/// Takes the secrets in arguments out of a message that may repeat them.
pub(crate) fn without_secrets(message: &str, arguments: &[OsString]) -> String {
    let mut message = message.to_owned();
    for argument in arguments {
        let argument = argument.to_string_lossy();
        for (secret, shown) in SERVICES
            .iter()
            .filter_map(|service| service.secret(&argument))
        {
            message = message.replace(&secret, &shown);
        }
    }
    message
}

/// Returns whether an argument holds a secret that [`without_secrets`] takes out.
pub(crate) fn holds_secret(argument: &OsString) -> bool {
    let argument = argument.to_string_lossy();
    let mut all = SERVICES.iter();
    all.any(|service| service.secret(&argument).is_some())
}

/// The state of an emulator as a file describes it.
pub(crate) struct Seed {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// Which of the configurations in it, where it has several.
    pub(crate) config: Option<String>,
}

impl Seed {
    /// Says what is wrong with it.
    pub(crate) fn wrong(&self, why: &str) -> Failure {
        Failure::usage(format!("the seed {}: {why}", self.path.display()))
            .hint("vouchsafe serve --print-seed NAME prints an example")
    }
}

/// Reads an example, and gives a random secret to everything whose value is `RANDOM`.
fn with_secrets(example: &str) -> Result<Value, Failure> {
    let mut example = serde_json::from_str(example)
        .map_err(|fault| Failure::failed(format!("the built-in state is not JSON: {fault}")))?;
    fill(&mut example);
    Ok(example)
}

fn fill(value: &mut Value) {
    match value {
        Value::String(text) if text == "RANDOM" => {
            // Of the length that all of the services give their secrets.
            random_token::<16>().expose().clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(fill),
        Value::Object(fields) => fields.values_mut().for_each(fill),
        _ => {}
    }
}

/// Finds a service, and which part of it is meant, by the name of the part.
pub(crate) fn find(name: &str) -> Result<(&'static dyn Service, &'static str), String> {
    let all = SERVICES
        .iter()
        .flat_map(|&service| service.parts().iter().map(move |&part| (service, part)));
    let found = all.clone().find(|(_, part)| *part == name);
    found.ok_or_else(|| {
        let names: Vec<_> = all.map(|(_, part)| part).collect();
        format!("no such service; there is: {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn files_that_all_services_share_name_no_service() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut names = vec!["gafaelfawr", "repertoire", "tvm", "tickets", "gt-"];
        for service in SERVICES {
            names.push(service.name());
            names.extend(service.parts());
        }
        let mut read = 0;
        for entry in fs::read_dir(source).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            read += 1;
            let text = fs::read_to_string(&path).unwrap();
            for (number, line) in (1..).zip(text.lines()) {
                let found = names.iter().find(|name| line.contains(**name));
                assert_eq!(found, None, "{}:{number}: {line}", path.display());
            }
        }
        assert!(read > 5, "the sources have moved");
    }

    #[test]
    fn every_service_has_names_and_commands_of_its_own() {
        let parts = SERVICES.iter().flat_map(|service| service.parts());
        let mut parts: Vec<_> = parts.collect();
        let commands = SERVICES.iter().flat_map(|service| service.commands());
        let mut commands: Vec<_> = commands
            .map(|command| command.get_name().to_owned())
            .collect();
        let lengths = (parts.len(), commands.len());
        parts.sort_unstable();
        parts.dedup();
        commands.sort_unstable();
        commands.dedup();
        assert_eq!((parts.len(), commands.len()), lengths);
    }
}
