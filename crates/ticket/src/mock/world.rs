//! The state of the emulators: services, and the rules for issuing tickets. No HTTP here.

use std::collections::{BTreeMap, BTreeSet};

use vouchsafe_core::Secret;
use vouchsafe_core::mock::random_token;

use super::authority::Authority;
use crate::client::protocol::{RetrySettings, Seconds};
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::{TvmId, Uid};
use crate::engine::mint::{ServiceTicketDraft, UserTicketDraft};
use crate::engine::secret::ServiceSecret;
use crate::error::{Error, ErrorKind, Result};

/// A service that requests tickets.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) id: TvmId,
    pub(super) secret: Secret,
    /// Its name in the tvmtool on its machine.
    pub(super) alias: String,
    pub(super) slug: Option<String>,
    /// The destinations for which tvmtool fetches tickets.
    pub(super) destinations: BTreeMap<String, TvmId>,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) authority: Authority,
    pub(super) env: BlackboxEnv,
    /// In the order in which they were added, as tvmtool lists them.
    pub(super) services: Vec<Service>,
    /// Further services that exist.
    known: BTreeSet<TvmId>,
    /// The errors that are returned instead of tickets.
    refusals: BTreeMap<TvmId, String>,
    /// By role system.
    pub(super) roles: BTreeMap<String, String>,
    pub(super) tirole_id: TvmId,
    pub(super) gzip_roles: bool,
    pub(super) retry_settings: Option<RetrySettings>,
    /// The lifetime of tickets in seconds.
    pub(super) lifetime: Seconds,
    /// The age of tvmtool's data in seconds.
    pub(super) tool_data_age: Seconds,
    pub(super) tool_token: Secret,
    pub(super) tool_ping: (u16, String),
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            authority: Authority::new(),
            env: BlackboxEnv::Test,
            services: Vec::new(),
            known: BTreeSet::new(),
            refusals: BTreeMap::new(),
            roles: BTreeMap::new(),
            tirole_id: crate::TIROLE_TVM_ID,
            gzip_roles: false,
            retry_settings: None,
            lifetime: 12 * 60 * 60,
            tool_data_age: 0,
            tool_token: random_secret(),
            tool_ping: (200, "OK".to_owned()),
        }
    }

    /// The service under each of its names.
    pub(super) fn services_with(&self, id: TvmId) -> impl Iterator<Item = &Service> {
        self.services.iter().filter(move |service| service.id == id)
    }

    pub(super) fn add(&mut self, service: Service) {
        self.known.extend(service.destinations.values());
        self.services.push(service);
    }

    pub(super) fn know(&mut self, id: TvmId) {
        self.known.insert(id);
    }

    pub(super) fn refuse(&mut self, dst: TvmId, why: Option<String>) {
        match why {
            Some(why) => self.refusals.insert(dst, why),
            None => self.refusals.remove(&dst),
        };
    }

    /// Signs a ticket, or returns the reason for refusing it.
    pub(super) fn ticket(
        &self,
        src: TvmId,
        dst: TvmId,
        now: Seconds,
    ) -> std::result::Result<Secret, String> {
        if let Some(why) = self.refusals.get(&dst) {
            return Err(why.clone());
        }
        let is_known = self.known.contains(&dst)
            || self.services_with(dst).next().is_some()
            || dst == self.tirole_id;
        if !is_known {
            return Err("Dst is not found".to_owned());
        }
        let expires = now.saturating_add(self.lifetime);
        let draft = ServiceTicketDraft::new(src, dst).expiration_time(expires);
        self.authority
            .sign_service(&draft)
            .map_err(|error| error.to_string())
    }

    pub(super) fn user_ticket(
        &self,
        env: BlackboxEnv,
        uids: &[Uid],
        now: Seconds,
    ) -> Result<Secret> {
        let default = uids.first().copied().ok_or_else(|| {
            Error::new(
                ErrorKind::IllegalUsage,
                "a user ticket is for one user at least",
            )
        })?;
        let draft = UserTicketDraft::new(env, default)
            .uids(uids.iter().copied())
            .scope("bb:sessionid")
            .expiration_time(now.saturating_add(self.lifetime));
        self.authority.sign_user(env, &draft)
    }

    pub(super) fn parsed_secret(service: &Service) -> Option<ServiceSecret> {
        ServiceSecret::parse(&service.secret).ok()
    }
}

/// Returns a random secret, in a form that is valid for secrets of services and for tokens.
pub(super) fn random_secret() -> Secret {
    random_token::<16>()
}
