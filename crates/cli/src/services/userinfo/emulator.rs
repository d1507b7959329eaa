//! Gafaelfawr and Repertoire over TCP: the built-in world, and what it tells.

use std::collections::BTreeMap;

use serde_json::Value;
use vouchsafe::userinfo::{Token, mock};

use crate::failure::Failure;
use crate::services::{Emulator, Part, Start, with_secrets};

/// Makes the emulator, in a given state or in the built-in world.
pub(super) fn make(start: &Start<'_>) -> Result<Emulator, Failure> {
    let (server, tokens) = match &start.seed {
        Some(seed) => {
            let world = mock::Seed::parse(&seed.text, seed.config.as_deref())
                .map_err(|error| seed.wrong(error.core().message()))?;
            (mock::Server::from_seed(&world), BTreeMap::new())
        }
        None => {
            let World { server, tokens } = World::new()?;
            (server, tokens)
        }
    };
    let paths = [
        ("gafaelfawr", "/auth/api/v1".to_owned()),
        ("repertoire", server.repertoire_path()),
    ];
    let part = Part {
        paths: paths.into(),
        tokens: tokens
            .into_iter()
            .map(|(whose, token)| (whose, token.secret().clone()))
            .collect(),
    };
    Ok(Emulator {
        host: server.host().clone(),
        parts: [(super::NAME, part)].into(),
    })
}

/// The built-in world, small enough to be known by heart: its people, and their tokens, made
/// anew for each run.
pub(super) struct World {
    pub(super) server: mock::Server,
    tokens: BTreeMap<&'static str, Token>,
}

impl World {
    /// Returns the world as a seed, and the tokens in it.
    pub(super) fn text() -> Result<(Value, BTreeMap<&'static str, Token>), Failure> {
        let mut seed = with_secrets(WORLD)?;
        let mut tokens = BTreeMap::new();
        for record in seed["tokens"].as_array_mut().into_iter().flatten() {
            let token = Token::random();
            record["token"] = token.secret().expose().into();
            if let Some(whose) = WHOSE.into_iter().find(|&whose| record["name"] == whose) {
                tokens.insert(whose, token);
            }
        }
        Ok((seed, tokens))
    }

    pub(super) fn new() -> Result<Self, Failure> {
        let (seed, tokens) = Self::text()?;
        let seed = mock::Seed::parse(&seed.to_string(), Some("demo"))?;
        Ok(Self {
            server: mock::Server::from_seed(&seed),
            tokens,
        })
    }

    pub(super) fn token(&self, whose: &str) -> Token {
        // A name that is not there would show as a refusal.
        self.tokens
            .get(whose)
            .cloned()
            .unwrap_or_else(Token::random)
    }
}

const WORLD: &str = include_str!("world.json");
const WHOSE: [&str; 4] = ["ada", "lin", "portal", "admin"];
