//! The services that the program can play and show: one file each, named once in [`SERVICES`].

mod ticket;
mod userinfo;

use std::collections::BTreeMap;

use vouchsafe::core::mock::Host;
use vouchsafe::core::{BoxFuture, Secret};

use crate::demo::Stage;
use crate::failure::Failure;

/// Every service, in the order of the demo.
pub(crate) const SERVICES: &[&dyn Service] = &[&userinfo::Userinfo, &ticket::Ticket];

/// What the program must know of a service.
pub(crate) trait Service: Sync {
    /// Returns the name, as on the command line.
    fn name(&self) -> &'static str;

    /// Makes the emulator, in the state of a seed or in a small world of its own.
    fn emulator(&self, seed: Option<&Seed>) -> Result<Emulator, Failure>;

    /// Shows the main flows, each as a step. An error means that not even a step could be made.
    fn demo<'a>(&'a self, stage: &'a mut Stage) -> BoxFuture<'a, Result<(), Failure>>;
}

/// A service played.
pub(crate) struct Emulator {
    pub(crate) host: Host,
    /// What it has to offer, by name, and the path to it.
    pub(crate) paths: BTreeMap<&'static str, String>,
    /// The credentials of the built-in world by whom they stand for, to be thrown away with it.
    pub(crate) tokens: BTreeMap<&'static str, Secret>,
}

/// The state of an emulator as a file describes it.
pub(crate) struct Seed {
    pub(crate) text: String,
    /// Which of the configurations in it.
    pub(crate) config: Option<String>,
}

/// Finds a service by its name.
pub(crate) fn find(name: &str) -> Result<&'static dyn Service, String> {
    let found = SERVICES.iter().find(|service| service.name() == name);
    found.copied().ok_or_else(|| {
        let names: Vec<_> = SERVICES.iter().map(|service| service.name()).collect();
        format!("no such service; there is: {}", names.join(", "))
    })
}
