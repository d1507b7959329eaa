//! The authority's keys: signs tickets, and rotates and publishes keys.

use std::sync::OnceLock;

use vouchsafe_core::Secret;

use crate::engine::container::KeyContainer;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::KeyId;
use crate::engine::mint::{ServiceTicketDraft, UserTicketDraft};
use crate::engine::rw::{KeyError, PrivateKey};
use crate::error::{Error, ErrorKind, Result};

/// The keys of an authority: one for services and one for each environment, including old keys
/// until they are dropped.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    generations: Vec<Generation>,
    next: u32,
}

#[derive(Clone, Debug)]
struct Generation {
    /// The id of the first of its keys; the others follow it.
    first_id: u32,
    key: &'static PrivateKey,
}

/// One for services, one for each environment.
const KEYS: u32 = 1 + BlackboxEnv::ALL.len() as u32;

impl Authority {
    pub(super) fn new() -> Self {
        let mut authority = Self {
            generations: Vec::new(),
            next: 0,
        };
        authority.rotate();
        authority
    }

    /// Signs with new keys from now on. The old ones are still published.
    pub(super) fn rotate(&mut self) {
        let pool = pool();
        self.generations.push(Generation {
            first_id: 100 + self.next * KEYS,
            key: &pool[self.next as usize % pool.len()],
        });
        self.next += 1;
    }

    /// Publishes only the newest keys from now on.
    pub(super) fn drop_old(&mut self) {
        let newest = self.generations.len().saturating_sub(1);
        self.generations.drain(..newest);
    }

    /// Returns the container with all published keys.
    pub(super) fn container_text(&self) -> String {
        let mut container = KeyContainer::builder();
        for generation in &self.generations {
            let public = generation.key.public();
            container = container.service_key(generation.id(None), public);
            for env in BlackboxEnv::ALL {
                container = container.user_key(env, generation.id(Some(env)), public);
            }
        }
        container.to_text()
    }

    pub(super) fn sign_service(&self, draft: &ServiceTicketDraft) -> Result<Secret> {
        let newest = self.newest()?;
        draft.sign(newest.id(None), newest.key).map_err(unsigned)
    }

    pub(super) fn sign_user(&self, env: BlackboxEnv, draft: &UserTicketDraft) -> Result<Secret> {
        let newest = self.newest()?;
        draft
            .sign(newest.id(Some(env)), newest.key)
            .map_err(unsigned)
    }

    fn newest(&self) -> Result<&Generation> {
        self.generations
            .last()
            .ok_or_else(|| Error::new(ErrorKind::EmptyKeys, "the authority has no keys"))
    }
}

impl Generation {
    fn id(&self, env: Option<BlackboxEnv>) -> KeyId {
        let place = env.map_or(0, |env| 1 + env.number());
        KeyId::new(self.first_id + place)
    }
}

fn unsigned(cause: KeyError) -> Error {
    let core = vouchsafe_core::Error::new(
        vouchsafe_core::ErrorKind::Config,
        "the authority cannot sign",
    );
    core.with_source(cause).into()
}

/// Generating keys takes long, so a process generates two and reuses them alternately with new ids.
fn pool() -> &'static [PrivateKey] {
    static POOL: OnceLock<Vec<PrivateKey>> = OnceLock::new();
    POOL.get_or_init(|| {
        let made = (0..2).map(|_| PrivateKey::generate(1024));
        made.collect::<std::result::Result<_, _>>()
            .expect("keys of 1024 bits can be made")
    })
}
