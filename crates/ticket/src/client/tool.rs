//! A client of tvmtool: what is fetched from the daemon, and when (protocol section 15).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use tokio::time::Instant;
use vouchsafe_core::Secret;
use vouchsafe_core::call::{Answer, Call};
use vouchsafe_core::url::BaseUrl;

use super::fetch::Phase;
use super::keys::{Accepted, Wanted};
use super::shared::{Place, Shared};
use super::worker::{Worker, start_error};
use crate::client::protocol::requests::{tool_roles_path, tool_tickets_path};
use crate::client::protocol::tool::{BIRTH_TIME, Meta, ToolConfig, birth_time};
use crate::client::protocol::{
    KEYS_UNUSABLE, Retriability, Scope, Seconds, Tickets, Verdict, parse_tool,
};
use crate::error::{Error, ErrorKind, Result};
use crate::generated::tvmtool::calls;
use crate::generated::tvmtool::operations::{GET_ROLES, GET_TICKETS};

const UPDATE: Seconds = 10 * 60;
const TICKETS_UNUSABLE: Seconds = 11 * 60 * 60;
const ROUNDS: usize = 3;
/// How long a start waits before it looks again for a daemon that is late.
const BETWEEN_PINGS: Duration = Duration::from_millis(250);
/// How long the last look for a daemon may take, though the limit is reached before.
const SHORTEST_TRY: Duration = Duration::from_secs(1);

impl Worker {
    pub(super) async fn start_tool(&mut self) -> Result<()> {
        self.ping().await?;
        let config = self.first_config().await?;
        let (alias, override_env) = match &self.shared.place {
            Place::Tool { settings, .. } => (settings.alias.clone(), settings.override_env),
            Place::Api { .. } => (String::new(), None),
        };
        if let Some(to) = override_env {
            config
                .env
                .override_to(to)
                .map_err(|error| Error::new(ErrorKind::BrokenSettings, error.message()))?;
        }
        tracing::info!(
            alias,
            own_id = %config.own_id,
            env = %config.env,
            slug = config.idm_slug,
            destinations = ?config.destinations,
            "Meta of tvmtool"
        );
        self.shared.config.store(Some(Arc::new(config)));
        self.shared
            .updated
            .config
            .set(self.shared.now(), self.shared.now());
        for _ in 0..ROUNDS {
            self.refresh_tool(Phase::Start).await;
            if self.has_all() {
                return Ok(());
            }
        }
        Err(self.start_failed())
    }

    fn has_all(&self) -> bool {
        let config = self.shared.config.load();
        let tickets = self.shared.tickets.load();
        let has_tickets = config.as_ref().is_some_and(|config| {
            config.destinations.is_empty()
                || tickets.as_ref().is_some_and(|tickets| {
                    let mut ids = config.destinations.values();
                    ids.all(|id| tickets.by_id().contains_key(id))
                })
        });
        let has_roles = self.shared.slug().is_none() || self.shared.roles.load().is_some();
        has_tickets && self.shared.keys.load().is_some() && has_roles
    }

    pub(super) async fn cycle_tool(&mut self, phase: Phase) {
        self.refresh_config(phase).await;
        self.refresh_tool(phase).await;
    }

    async fn refresh_tool(&mut self, phase: Phase) {
        if self.shared.fetches_tickets() {
            self.refresh_tool_tickets(phase).await;
        }
        self.refresh_tool_keys(phase).await;
        if self.shared.slug().is_some() {
            self.refresh_tool_roles(phase).await;
        }
        self.all_is_due = false;
    }

    /// Makes sure that the daemon is there, and waits for one that is late as long as that is wanted.
    async fn ping(&mut self) -> Result<()> {
        let (patience, origin) = match &self.shared.place {
            Place::Tool { settings, .. } => (settings.patience, settings.port_origin),
            Place::Api { .. } => (Duration::ZERO, ""),
        };
        let begun = Instant::now();
        loop {
            // The one request without the token. Where the others would be refused, it is not
            // sent either.
            let (base, _) = tool(&self.shared)?;
            let left = patience.saturating_sub(begun.elapsed());
            let options = match patience.is_zero() {
                true => once(),
                false => once().deadline(left.max(SHORTEST_TRY)),
            };
            let sent = self
                .shared
                .core
                .send(base, calls::ping()?.believed(), None, &options);
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
            let url = format!("http://{}", base.authority());
            let message = format!(
                "Failed to connect to tvmtool: {url} (port {origin}): {}",
                self.shared.hide(&told(&error))
            );
            let retriability = match is_late {
                true => Retriability::Retriable,
                false => Retriability::NonRetriable,
            };
            return Err(with_cause(retriability, &message, error));
        }
    }

    async fn first_config(&mut self) -> Result<ToolConfig> {
        let (base, call) = call(&self.shared, calls::get_meta()?)?;
        let answer = match self.shared.core.send(&base, call, None, &once()).await {
            Ok(answer) => answer,
            Err(error) => {
                let place = base.authority();
                let (retriability, message) = match error.status().map(|s| s.as_u16()) {
                    None => (
                        Retriability::Retriable,
                        format!(
                            "Failed to fetch meta from tvmtool: {place}: {}",
                            self.shared.hide(&told(&error))
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
                            self.shared.hide(&told(&error))
                        ),
                    ),
                };
                return Err(with_cause(retriability, &message, error));
            }
        };
        let meta = answer.text().map_err(Error::from).and_then(Meta::parse);
        let meta =
            meta.map_err(|error| start_error(Retriability::NonRetriable, error.message()))?;
        let alias = self.alias();
        meta.tenant(&alias).ok_or_else(|| {
            let message = format!("Alias '{alias}' not found in meta info");
            start_error(Retriability::NonRetriable, &message)
        })
    }

    /// Fetches the configuration; a change makes everything due.
    async fn refresh_config(&mut self, phase: Phase) {
        // Asked for at each wake, so without the random delay of what is asked for seldom.
        let phase = match phase {
            Phase::Background => Phase::Asked,
            other => other,
        };
        let form = |shared: &Shared| call(shared, calls::get_meta()?);
        let Some(answer) = self.fetcher.fetch(phase, Scope::TvmtoolConfig, form).await else {
            return;
        };
        let alias = self.alias();
        let read = answer.text().map_err(Error::from).and_then(Meta::parse);
        let read = read.and_then(|meta| {
            meta.tenant(&alias).ok_or_else(|| {
                let message = format!("Alias '{alias}' not found in meta info");
                Error::new(ErrorKind::BrokenSettings, message)
            })
        });
        let config = match read {
            Ok(config) => config,
            Err(error) => return self.fetcher.fail_to_read(Scope::TvmtoolConfig, &error),
        };
        self.fetcher.succeed(Scope::TvmtoolConfig);
        self.shared
            .updated
            .config
            .set(self.shared.now(), self.shared.now());
        let held = self.shared.config.load_full();
        // Environment and role system are those of the start.
        let config = match &held {
            Some(held) => ToolConfig {
                env: held.env,
                idm_slug: held.idm_slug.clone(),
                ..config
            },
            None => config,
        };
        if held.as_deref() != Some(&config) {
            tracing::info!(destinations = ?config.destinations, "Meta of tvmtool was updated");
            self.shared.config.store(Some(Arc::new(config)));
            self.all_is_due = true;
        }
    }

    async fn refresh_tool_tickets(&mut self, phase: Phase) {
        let Some(config) = self.shared.config.load_full() else {
            return;
        };
        let held = self.shared.tickets.load();
        let is_same = held
            .as_ref()
            .is_some_and(|held| *held.aliases() == config.destinations);
        if is_same && !self.is_due(&self.shared.updated.tickets, UPDATE) {
            return;
        }
        drop(held);
        let path = tool_tickets_path(config.own_id, &config.destinations);
        let form = |shared: &Shared| call(shared, Call::encoded(&GET_TICKETS, &path)?);
        let Some(answer) = self.fetcher.fetch(phase, Scope::ServiceTickets, form).await else {
            return;
        };
        let born = self.born(&answer, TICKETS_UNUSABLE);
        let read =
            born.and_then(|born| Ok((born, parse_tool(answer.text()?, &config.destinations)?)));
        let (born, fetched) = match read {
            Ok(read) => read,
            Err(error) => return self.fetcher.fail_to_read(Scope::ServiceTickets, &error),
        };
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
        self.shared.tickets.store(Some(Arc::new(set)));
        self.shared.updated.tickets.set(born, self.shared.now());
    }

    async fn refresh_tool_keys(&mut self, phase: Phase) {
        let Some(config) = self.shared.config.load_full() else {
            return;
        };
        let wanted = self.wanted_keys(&config);
        let held = self.shared.keys.load();
        let is_same = held.as_ref().is_some_and(|held| *held.wanted() == wanted);
        if is_same && !self.is_due(&self.shared.updated.keys, UPDATE) {
            return;
        }
        drop(held);
        let form = |shared: &Shared| call(shared, calls::get_keys()?);
        let Some(answer) = self.fetcher.fetch(phase, Scope::PublicKeys, form).await else {
            return;
        };
        let taken = self.born(&answer, KEYS_UNUSABLE).and_then(|born| {
            self.store_keys(answer.text()?, wanted)?;
            Ok(born)
        });
        match taken {
            Ok(born) => {
                self.shared.updated.keys.set(born, self.shared.now());
                self.fetcher.succeed(Scope::PublicKeys);
                tracing::info!("Cache was updated with public keys");
            }
            Err(error) => self.fetcher.fail_to_read(Scope::PublicKeys, &error),
        }
    }

    async fn refresh_tool_roles(&mut self, phase: Phase) {
        let updated = &self.shared.updated.roles;
        if self.shared.roles.load().is_some()
            && !self.is_due(updated, self.fetcher.roles_update_after)
        {
            return;
        }
        let path = tool_roles_path(&self.alias());
        let known = self.shared.roles.load_full();
        let form = |shared: &Shared| {
            let (base, call) = call(shared, Call::encoded(&GET_ROLES, &path)?)?;
            Ok((base, super::roles::unless_known(known.as_deref(), call)?))
        };
        if let Some(answer) = self.fetcher.fetch(phase, Scope::Roles, form).await {
            self.take_roles(&answer).await;
        }
    }

    /// Reads when an answer's data was born, and refuses what is too old to be of use.
    fn born(&self, answer: &Answer, oldest: Seconds) -> Result<Seconds> {
        let header = answer.headers().get(BIRTH_TIME);
        let born = birth_time(header.and_then(|value| value.to_str().ok()))?;
        let born = Seconds::try_from(born).unwrap_or(Seconds::MAX);
        if self.shared.now().saturating_sub(born) >= oldest {
            return Err(answer
                .decode_error("tvmtool's answer is too old to be used")
                .into());
        }
        Ok(born)
    }

    fn wanted_keys(&self, config: &ToolConfig) -> Wanted {
        let (any, env) = match &self.shared.place {
            Place::Tool { settings, .. } => (
                !settings.checks.destination,
                settings.override_env.unwrap_or(config.env),
            ),
            Place::Api { .. } => (false, config.env),
        };
        Wanted {
            service: Some(Accepted {
                own_id: config.own_id,
                also_for: Vec::new(),
                any,
            }),
            user: Some(env),
            cache: self.shared.ticket_cache,
        }
    }

    fn alias(&self) -> String {
        match &self.shared.place {
            Place::Tool { settings, .. } => settings.alias.clone(),
            Place::Api { .. } => String::new(),
        }
    }
}

fn once() -> vouchsafe_core::call::CallOptions {
    let options = vouchsafe_core::call::CallOptions::new();
    options.retry(vouchsafe_core::call::Retry::none())
}

/// Adds the token to a call, and says where it goes.
fn call(shared: &Shared, call: Call) -> Result<(BaseUrl, Call)> {
    let (base, token) = tool(shared)?;
    Ok((base.clone(), call.secret_header(AUTHORIZATION, token)?))
}

fn tool(shared: &Shared) -> Result<(&BaseUrl, &Secret)> {
    match &shared.place {
        Place::Tool { base, token, .. } => Ok((base, token)),
        Place::Api { .. } => Err(Error::new(
            ErrorKind::IllegalUsage,
            "not a client of tvmtool",
        )),
    }
}

/// What an error has to say, with the daemon's words if it sent some.
fn told(error: &vouchsafe_core::Error) -> String {
    match error.body() {
        Some(body) if !body.is_empty() => String::from_utf8_lossy(body).into_owned(),
        _ => error.to_string(),
    }
}

fn with_cause(retriability: Retriability, message: &str, cause: vouchsafe_core::Error) -> Error {
    let error = start_error(retriability, message);
    let core = error.core().clone().with_source(cause);
    Error::of(error.kind(), core)
}
