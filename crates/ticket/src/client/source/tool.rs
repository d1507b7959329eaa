//! A client of tvmtool: what it fetches from the daemon, and when (protocol section 15).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use tokio::time::Instant;
use vouchsafe_core::call::{Answer, Call, CallOptions, Retry};
use vouchsafe_core::url::BaseUrl;
use vouchsafe_core::{CoreClient, Secret};

use super::roles::{take_roles, unless_known};
use crate::client::fetch::{Fetcher, Phase, hide, start_error};
use crate::client::held::{Destinations, Facts, Held, Moment};
use crate::client::keys::{Accepted, Wanted};
use crate::client::protocol::requests::{tool_roles_path, tool_tickets_path};
use crate::client::protocol::tool::{BIRTH_TIME, Meta, ToolConfig, birth_time};
use crate::client::protocol::{
    KEYS_UNUSABLE, Retriability, Scope, Seconds, Tickets, Verdict, parse_tool,
};
use crate::client::settings::ToolSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::generated::tvmtool::calls;
use crate::generated::tvmtool::operations::{GET_ROLES, GET_TICKETS};

#[derive(Debug)]
pub(crate) struct ToolSource {
    held: Arc<Held>,
    fetcher: Fetcher,
    daemon: Daemon,
    config: ToolConfig,
    /// A caller requested it, or the daemon's configuration has changed.
    all_is_due: bool,
}

/// The daemon's address, and the contents of requests.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) base: BaseUrl,
    pub(crate) token: Secret,
    pub(crate) settings: ToolSettings,
}

const UPDATE: Seconds = 10 * 60;
const TICKETS_UNUSABLE: Seconds = 11 * 60 * 60;
const ROUNDS: usize = 3;
/// How long a start waits between attempts to reach a daemon that does not answer yet.
const BETWEEN_PINGS: Duration = Duration::from_millis(250);
/// How long the last attempt to reach a daemon may take, even beyond the limit.
const SHORTEST_TRY: Duration = Duration::from_secs(1);

impl ToolSource {
    /// Waits for the daemon and reads its configuration.
    pub(crate) async fn connect(core: CoreClient, daemon: Daemon) -> Result<(Arc<Held>, Self)> {
        daemon.ping(&core).await?;
        let config = daemon.first_config(&core).await?;
        if let Some(to) = daemon.settings.override_env {
            config
                .env
                .override_to(to)
                .map_err(|error| Error::new(ErrorKind::BrokenSettings, error.message()))?;
        }
        tracing::info!(
            alias = daemon.settings.alias,
            own_id = %config.own_id,
            env = %config.env,
            slug = config.idm_slug,
            destinations = ?config.destinations,
            "Meta of tvmtool"
        );
        let checks = daemon.settings.checks.clone();
        let held = Held::new(Arc::clone(core.clock()), checks, facts(&config));
        held.updated.config.set(held.now(), held.now());
        let held = Arc::new(held);
        let source = Self {
            fetcher: Fetcher::of_daemon(core, Arc::clone(&held), daemon.token.clone()),
            held: Arc::clone(&held),
            daemon,
            config,
            all_is_due: false,
        };
        Ok((held, source))
    }

    pub(super) fn period(&self) -> Duration {
        self.fetcher.period
    }

    pub(super) async fn start(&mut self) -> Result<()> {
        for _ in 0..ROUNDS {
            self.refresh(Phase::Start).await;
            if self.has_all() {
                return Ok(());
            }
        }
        Err(self.fetcher.start_failed())
    }

    fn has_all(&self) -> bool {
        let tickets = self.held.tickets.load();
        let names = &self.config.destinations;
        let has_tickets = names.is_empty()
            || tickets
                .as_ref()
                .is_some_and(|tickets| names.values().all(|id| tickets.by_id().contains_key(id)));
        let has_roles = self.config.idm_slug.is_none() || self.held.roles.load().is_some();
        has_tickets && self.held.keys.load().is_some() && has_roles
    }

    pub(super) async fn cycle(&mut self, phase: Phase, all: bool) {
        self.all_is_due = all;
        self.refresh_config(phase).await;
        self.refresh(phase).await;
    }

    async fn refresh(&mut self, phase: Phase) {
        if !self.config.destinations.is_empty() {
            self.refresh_tickets(phase).await;
        }
        self.refresh_keys(phase).await;
        if self.config.idm_slug.is_some() {
            self.refresh_roles(phase).await;
        }
        self.all_is_due = false;
    }

    /// Fetches the configuration; a change makes everything due.
    async fn refresh_config(&mut self, phase: Phase) {
        // Requested at each wake-up, so without the random delay of rare requests.
        let phase = match phase {
            Phase::Background => Phase::Asked,
            other => other,
        };
        let form = || self.daemon.call(calls::get_meta()?);
        let base = &self.daemon.base;
        let fetched = self.fetcher.fetch(phase, Scope::TvmtoolConfig, base, form);
        let Some(answer) = fetched.await else {
            return;
        };
        let alias = &self.daemon.settings.alias;
        let read = answer.text().map_err(Error::from).and_then(Meta::parse);
        let read = read.and_then(|meta| {
            meta.tenant(alias).ok_or_else(|| {
                let message = format!("Alias '{alias}' not found in meta info");
                Error::new(ErrorKind::BrokenSettings, message)
            })
        });
        let config = match read {
            Ok(config) => config,
            Err(error) => return self.fetcher.fail_to_read(Scope::TvmtoolConfig, &error),
        };
        self.fetcher.succeed(Scope::TvmtoolConfig);
        self.held
            .updated
            .config
            .set(self.held.now(), self.held.now());
        // Environment and role system stay those of the start.
        let config = ToolConfig {
            env: self.config.env,
            idm_slug: self.config.idm_slug.clone(),
            ..config
        };
        if self.config != config {
            tracing::info!(destinations = ?config.destinations, "Meta of tvmtool was updated");
            self.held.facts.store(Arc::new(facts(&config)));
            if config.destinations.is_empty() {
                self.held.tickets.store(None);
            }
            self.config = config;
            self.all_is_due = true;
        }
    }

    async fn refresh_tickets(&mut self, phase: Phase) {
        let config = &self.config;
        let held = self.held.tickets.load();
        let is_same = held
            .as_ref()
            .is_some_and(|held| *held.aliases() == config.destinations);
        if is_same && !self.is_due(&self.held.updated.tickets, UPDATE) {
            return;
        }
        drop(held);
        let path = tool_tickets_path(config.own_id, &config.destinations);
        let form = || self.daemon.call(Call::encoded(&GET_TICKETS, &path)?);
        let base = &self.daemon.base;
        let fetched = self.fetcher.fetch(phase, Scope::ServiceTickets, base, form);
        let Some(answer) = fetched.await else {
            return;
        };
        let born = self.born(&answer, TICKETS_UNUSABLE);
        let read =
            born.and_then(|born| Ok((born, parse_tool(answer.text()?, &config.destinations)?)));
        let (born, mut fetched) = match read {
            Ok(read) => read,
            Err(error) => return self.fetcher.fail_to_read(Scope::ServiceTickets, &error),
        };
        self.fetcher.hide_in(&mut fetched, &answer);
        self.fetcher.succeed(Scope::ServiceTickets);
        for (id, error) in &fetched.errors {
            let message = format!("Failed to get ServiceTicket for {id}: {error}");
            let error = Error::new(ErrorKind::MissingServiceTicket, message);
            self.fetcher
                .fail(Scope::ServiceTickets, Retriability::NonRetriable, &error);
        }
        tracing::info!(
            tickets = fetched.tickets.len(),
            "Cache was updated with service tickets"
        );
        let wanted = config.destinations.values().copied().collect();
        let aliases: BTreeMap<_, _> = config.destinations.clone();
        let set = Tickets::new(fetched.tickets, fetched.errors, wanted, aliases);
        self.held.tickets.store(Some(Arc::new(set)));
        self.held.updated.tickets.set(born, self.held.now());
    }

    async fn refresh_keys(&mut self, phase: Phase) {
        let wanted = self.wanted_keys();
        let held = self.held.keys.load();
        let is_same = held.as_ref().is_some_and(|held| *held.wanted() == wanted);
        if is_same && !self.is_due(&self.held.updated.keys, UPDATE) {
            return;
        }
        drop(held);
        let form = || self.daemon.call(calls::get_keys()?);
        let base = &self.daemon.base;
        let fetched = self.fetcher.fetch(phase, Scope::PublicKeys, base, form);
        let Some(answer) = fetched.await else {
            return;
        };
        let taken = self.born(&answer, KEYS_UNUSABLE);
        match taken.and_then(|born| self.held.store_keys(answer.text()?, wanted, born)) {
            Ok(()) => {
                self.fetcher.succeed(Scope::PublicKeys);
                tracing::info!("Cache was updated with public keys");
            }
            Err(error) => self.fetcher.fail_to_read(Scope::PublicKeys, &error),
        }
    }

    async fn refresh_roles(&mut self, phase: Phase) {
        let updated = &self.held.updated.roles;
        if self.held.roles.load().is_some()
            && !self.is_due(updated, self.fetcher.roles_update_after)
        {
            return;
        }
        let path = tool_roles_path(&self.daemon.settings.alias);
        let known = self.held.roles.load_full();
        let form = || {
            let call = self.daemon.call(Call::encoded(&GET_ROLES, &path)?)?;
            unless_known(known.as_deref(), call)
        };
        let base = &self.daemon.base;
        if let Some(answer) = self.fetcher.fetch(phase, Scope::Roles, base, form).await {
            take_roles(&self.held, &self.fetcher, &answer).await;
        }
    }

    /// Reads when the data of an answer was fetched, and refuses data that is too old.
    fn born(&self, answer: &Answer, oldest: Seconds) -> Result<Seconds> {
        let header = answer.headers().get(BIRTH_TIME);
        let born = birth_time(header.and_then(|value| value.to_str().ok()))?;
        let born = Seconds::try_from(born).unwrap_or(Seconds::MAX);
        if self.held.now().saturating_sub(born) >= oldest {
            return Err(answer
                .decode_error("tvmtool's answer is too old to be used")
                .into());
        }
        Ok(born)
    }

    fn wanted_keys(&self) -> Wanted {
        let settings = &self.daemon.settings;
        Wanted {
            service: Some(Accepted {
                own_id: self.config.own_id,
                also_for: Vec::new(),
                any: !settings.checks.destination,
            }),
            user: Some(settings.override_env.unwrap_or(self.config.env)),
            cache: settings.checks.cache,
        }
    }

    fn is_due(&self, updated: &Moment, after: Seconds) -> bool {
        self.all_is_due || updated.is_due(self.held.now(), after)
    }
}

impl Daemon {
    /// Checks that the daemon answers; waits for it as long as configured.
    async fn ping(&self, core: &CoreClient) -> Result<()> {
        let (patience, origin) = (self.settings.patience, self.settings.port_origin);
        let begun = Instant::now();
        loop {
            // The only request without the token. If the others would be refused, it is not sent
            // either.
            let left = patience.saturating_sub(begun.elapsed());
            let options = match patience.is_zero() {
                true => once(),
                false => once().deadline(left.max(SHORTEST_TRY)),
            };
            let sent = core.send(&self.base, calls::ping()?.require_secure(), None, &options);
            let Err(error) = sent.await else {
                return Ok(());
            };
            let is_late = match error.status() {
                Some(status) => status.is_server_error(),
                None => !error.is_config(),
            };
            if is_late && begun.elapsed() + BETWEEN_PINGS < patience {
                tracing::debug!(%error, "tvmtool does not answer yet");
                tokio::time::sleep(BETWEEN_PINGS).await;
                continue;
            }
            let url = format!("http://{}", self.base.authority());
            let message = format!(
                "Failed to connect to tvmtool: {url} (port {origin}): {}",
                self.told(&error)
            );
            let retriability = match is_late {
                true => Retriability::Retriable,
                false => Retriability::NonRetriable,
            };
            return Err(with_cause(retriability, &message, error));
        }
    }

    async fn first_config(&self, core: &CoreClient) -> Result<ToolConfig> {
        let call = self.call(calls::get_meta()?)?;
        let answer = match core.send(&self.base, call, None, &once()).await {
            Ok(answer) => answer,
            Err(error) => {
                let place = self.base.authority();
                let (retriability, message) = match error.status().map(|s| s.as_u16()) {
                    None => (
                        Retriability::Retriable,
                        format!(
                            "Failed to fetch meta from tvmtool: {place}: {}",
                            self.told(&error)
                        ),
                    ),
                    Some(404) => (
                        Retriability::NonRetriable,
                        "Library does not support so old tvmtool. You need tvmtool>=1.1.0"
                            .to_owned(),
                    ),
                    Some(status) => (
                        match Verdict::of(status) {
                            Verdict::Retriable if status >= 500 => Retriability::Retriable,
                            _ => Retriability::NonRetriable,
                        },
                        format!(
                            "Failed to fetch meta from tvmtool: {place} ({status}): {}",
                            self.told(&error)
                        ),
                    ),
                };
                return Err(with_cause(retriability, &message, error));
            }
        };
        let meta = answer.text().map_err(Error::from).and_then(Meta::parse);
        let meta =
            meta.map_err(|error| start_error(Retriability::NonRetriable, error.message()))?;
        let alias = &self.settings.alias;
        meta.tenant(alias).ok_or_else(|| {
            let message = format!("Alias '{alias}' not found in meta info");
            start_error(Retriability::NonRetriable, &message)
        })
    }

    fn call(&self, call: Call) -> Result<Call> {
        Ok(call.secret_header(AUTHORIZATION, &self.token)?)
    }

    /// Returns the message of an error: the daemon's own, if it sent one.
    fn told(&self, error: &vouchsafe_core::Error) -> String {
        let text = match error.body() {
            Some(body) if !body.is_empty() => String::from_utf8_lossy(body).into_owned(),
            _ => error.to_string(),
        };
        hide(&text, Some(&self.token))
    }
}

fn facts(config: &ToolConfig) -> Facts {
    Facts {
        own_id: config.own_id,
        fetches_tickets: !config.destinations.is_empty(),
        checks_tickets: true,
        slug: config.idm_slug.clone(),
        destinations: Destinations::Configured(config.destinations.clone()),
    }
}

fn once() -> CallOptions {
    CallOptions::new().retry(Retry::none())
}

fn with_cause(retriability: Retriability, message: &str, cause: vouchsafe_core::Error) -> Error {
    let error = start_error(retriability, message);
    let core = error.core().clone().with_source(cause);
    Error::of(error.kind(), core)
}
