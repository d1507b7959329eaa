//! Astakos: the built-in world, and the demo.

use vouchsafe::astakos::mock::{Seed, Server};
use vouchsafe::core::BoxFuture;

use super::{Emulator, Part, Service, Start};
use crate::demo::Stage;
use crate::failure::Failure;

/// The service.
pub(super) struct Astakos;

impl Service for Astakos {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parts(&self) -> &'static [&'static str] {
        &[NAME]
    }

    fn emulator(&self, start: &Start<'_>) -> Result<Emulator, Failure> {
        let mut part = Part::default();
        let server = match &start.seed {
            Some(seed) => Seed::parse(&seed.text)
                .and_then(|seed| Server::builder().seed(seed).start())
                .map_err(|error| Failure::from(error.core().clone()))?,
            None => {
                let server = Server::new();
                let users = ["alice", "bob", "carol"].into_iter().filter_map(|whose| {
                    let token = server.user_token(&format!("{whose}@example.org"))?;
                    Some((whose, token))
                });
                let components = ["astakos", "cyclades", "pithos"].into_iter();
                let components =
                    components.filter_map(|whose| Some((whose, server.service_token(whose)?)));
                part.tokens.extend(users.chain(components));
                server
            }
        };
        part.paths.insert("base", server.base_path());
        part.paths.insert("identity", server.identity_path());
        Ok(Emulator {
            host: server.host().clone(),
            parts: [(self.name(), part)].into(),
        })
    }

    fn demo<'a>(&'a self, _: &'a mut Stage) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }
}

const NAME: &str = "astakos";
