//! Where a client gets everything from.

mod api;
mod files;
mod roles;
mod tool;

use std::time::Duration;

pub(super) use self::api::ApiSource;
pub(super) use self::tool::{Daemon, ToolSource};
use super::fetch::Phase;
use super::wishes::Asked;
use crate::error::Result;

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of a client")]
pub(super) enum Source {
    Api(ApiSource),
    Tool(ToolSource),
}

impl Source {
    /// Fetches everything that is configured.
    pub(super) async fn start(&mut self) -> Result<()> {
        match self {
            Self::Api(source) => source.start().await,
            Self::Tool(source) => source.start().await,
        }
    }

    /// Refreshes what is due, or everything.
    pub(super) async fn cycle(&mut self, phase: Phase, all: bool) {
        match self {
            Self::Api(source) => source.cycle(phase, all).await,
            Self::Tool(source) => source.cycle(phase, all).await,
        }
    }

    /// Answers callers that wait for destinations.
    pub(super) async fn add_destinations(&mut self, asked: Vec<Asked>) {
        match self {
            Self::Api(source) => source.add_destinations(asked).await,
            // The client refuses to ask: the daemon's configuration names the destinations.
            Self::Tool(_) => drop(asked),
        }
    }

    /// Returns how often the source is asked what is due.
    pub(super) fn period(&self) -> Duration {
        match self {
            Self::Api(source) => source.period(),
            Self::Tool(source) => source.period(),
        }
    }
}
