//! {{TITLE}} over TCP.

use vouchsafe::{{MODULE}}::mock::Server;

use crate::service::{Emulator, Part};

/// Creates the emulator.
pub(super) fn make() -> Emulator {
    let server = Server::new();
    let part = Part {
        paths: [("base", server.base_path().to_owned())].into(),
        tokens: [("user", server.token())].into(),
    };
    Emulator {
        host: server.host().clone(),
        parts: [(super::NAME, part)].into(),
    }
}
