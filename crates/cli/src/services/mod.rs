//! The services that the program can play and show: one file each, named once in [`SERVICES`].

#[path = "astakos/demo.rs"]
mod astakos;
#[path = "ticket/demo.rs"]
mod ticket;
#[path = "userinfo/demo.rs"]
mod userinfo;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use vouchsafe::core::mock::Host;
use vouchsafe::core::{BoxFuture, Secret};
use vouchsafe::userinfo::Token;

pub(crate) use self::ticket::TvmArgs;
use crate::demo::Stage;
use crate::failure::Failure;

/// Every service, in the order of the demo.
pub(crate) const SERVICES: &[&dyn Service] =
    &[&userinfo::Userinfo, &ticket::Ticket, &astakos::Astakos];

/// What the program must know of a service.
pub(crate) trait Service: Sync {
    /// Returns the name, as the demo shows it and the management has it.
    fn name(&self) -> &'static str;

    /// Returns the names that `serve` takes: one for each server that can have a port of its own.
    fn parts(&self) -> &'static [&'static str];

    /// Makes the emulator, in the state that was asked for or in a small world of its own.
    fn emulator(&self, start: &Start<'_>) -> Result<Emulator, Failure>;

    /// Returns a seed to begin one's own with, with secrets made for it.
    fn example_seed(&self) -> Result<Value, Failure>;

    /// Shows the main flows, each as a step. An error means that not even a step could be made.
    fn demo<'a>(&'a self, stage: &'a mut Stage) -> BoxFuture<'a, Result<(), Failure>>;
}

/// A service played. All its parts are one world.
pub(crate) struct Emulator {
    pub(crate) host: Host,
    pub(crate) parts: BTreeMap<&'static str, Part>,
}

/// What one server of a service has to tell about itself.
#[derive(Default)]
pub(crate) struct Part {
    /// What it has to offer, by name, and the path to it.
    pub(crate) paths: BTreeMap<&'static str, String>,
    /// The credentials made for this run by whom or what they stand for, to be thrown away with
    /// it.
    pub(crate) tokens: BTreeMap<&'static str, Secret>,
}

/// What emulators start from.
#[derive(Default)]
pub(crate) struct Start<'a> {
    /// For userinfo or astakos.
    pub(crate) seed: Option<Seed>,
    /// For tvmtool, tvm-api and tirole.
    pub(crate) tvm: Option<&'a TvmArgs>,
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
            .hint("serve --print-seed NAME prints one that works")
    }
}

/// Reads an example, and gives a random secret to everything whose value is `RANDOM`.
fn with_secrets(example: &str) -> Result<Value, Failure> {
    let mut example = serde_json::from_str(example)
        .map_err(|fault| Failure::failed(format!("the built-in world is no JSON: {fault}")))?;
    fill(&mut example);
    Ok(example)
}

fn fill(value: &mut Value) {
    match value {
        Value::String(text) if text == "RANDOM" => {
            // 128 random bits in URL-safe base64, as all of the services have them.
            *text = Token::random().key().to_owned();
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
