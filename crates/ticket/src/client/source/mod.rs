//! The source of a client's data.

mod api;
mod files;
mod roles;
mod tool;

use std::time::Duration;

pub(super) use self::api::ApiSource;
pub(super) use self::tool::{Daemon, ToolSource};
use super::fetch::Phase;
use super::wishes::Wishes;
use crate::error::Result;

#[derive(Debug)]
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

    /// Answers callers that wait for destinations. Those of a daemon are in its configuration, so
    /// it has no such callers.
    pub(super) async fn answer(&mut self, wishes: &Wishes) {
        if let Self::Api(source) = self {
            let asked = wishes.take_destinations();
            if !asked.is_empty() {
                source.add_destinations(asked).await;
            }
        }
    }

    /// Returns how often to check what is due.
    pub(super) fn period(&self) -> Duration {
        match self {
            Self::Api(source) => source.period(),
            Self::Tool(source) => source.period(),
        }
    }
}
