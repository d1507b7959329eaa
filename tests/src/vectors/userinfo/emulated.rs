//! Replays exchanges against the emulator of Gafaelfawr and Repertoire.

use std::time::UNIX_EPOCH;

use serde_json::Value;
use vouchsafe::core::Clock;
use vouchsafe::core::transport::{Request, Response};
use vouchsafe::userinfo::mock::{Seed, Server};

use crate::vectors::Suite;
use crate::vectors::emulator;
use crate::vectors::report::Judgement;
use crate::vectors::schema::{Capture, Case, Exchange};

/// Performs the exchanges of one case on a server in the state of the recorded world.
pub(super) fn judge(
    suite: &Suite,
    case: &Case,
    exchanges: &[Exchange],
    captures: &[Capture],
    judgement: &mut Judgement,
) {
    let config = case.config.as_str().unwrap_or_default();
    match Emulated::start(&suite.world, config) {
        Ok(server) => emulator::judge(&server, exchanges, captures, judgement),
        Err(why) => judgement.differ(format!("no server {config:?}: {why}")),
    }
}

struct Emulated {
    server: Server,
    base: String,
}

impl Emulated {
    fn start(world: &str, config: &str) -> Result<Self, String> {
        let seed = Seed::parse(world, config).map_err(|fault| fault.to_string())?;
        let server = Server::from_seed(&seed);
        let world: Value = serde_json::from_str(world).map_err(|fault| fault.to_string())?;
        let host = world["base_hostname"].as_str().unwrap_or("localhost");
        Ok(Self {
            server,
            base: format!("https://{host}"),
        })
    }
}

impl emulator::Server for Emulated {
    fn handle(&self, request: &Request) -> Response {
        self.server.handle(request)
    }

    fn now(&self) -> i64 {
        let now = self.server.clock().now();
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    fn base(&self) -> String {
        self.base.clone()
    }
}
