//! A client of tvm-api and tirole: what it reads from the disk, what it fetches, and when (protocol
//! sections 11 to 14).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use vouchsafe_core::call::Call;
use vouchsafe_core::url::BaseUrl;
use vouchsafe_core::{CoreClient, Secret};
use zeroize::Zeroizing;

use super::files::Files;
use super::roles::{parse_on_disk, take_roles, unless_known};
use crate::client::fetch::{Fetcher, Phase};
use crate::client::held::{Held, Moment};
use crate::client::keys::{Accepted, Wanted};
use crate::client::protocol::blob::{append_json_array, join_roles, join_tickets, split_tickets};
use crate::client::protocol::requests::{ProcInfo, keys_path, ticket_body, tirole_path};
use crate::client::protocol::{
    CacheFile, DiskCache, Fetched, Retriability, Scope, Seconds, TicketSet, Tickets, keys_unusable,
    parse_all, parse_tvm_api,
};
use crate::client::settings::ApiSettings;
use crate::client::wishes::Asked;
use crate::engine::check::peek_expiration;
use crate::engine::ids::TvmId;
use crate::error::{Error, ErrorKind, Result};
use crate::generated::tirole::operations::GET_ACTUAL_ROLES;
use crate::generated::tvm_api::operations::{GET_KEYS, GET_TICKETS};

#[derive(Debug)]
pub(crate) struct ApiSource {
    held: Arc<Held>,
    fetcher: Fetcher,
    authority: Authority,
    files: Files,
    all_is_due: bool,
    /// The current answers in the form of the disk cache.
    answers: Option<Zeroizing<String>>,
    /// All tickets that the disk cache had at the start, for destinations to be added later.
    at_start: BTreeMap<TvmId, Secret>,
    at_start_time: Seconds,
}

/// The targets and contents of requests.
#[derive(Debug)]
struct Authority {
    tvm: BaseUrl,
    tirole: BaseUrl,
    settings: ApiSettings,
}

const TICKETS_UPDATE: Seconds = 60 * 60;
const KEYS_UPDATE: Seconds = 24 * 60 * 60;

impl ApiSource {
    pub(crate) fn new(
        core: CoreClient,
        held: Arc<Held>,
        settings: ApiSettings,
        disk: Option<DiskCache>,
    ) -> Result<Self> {
        let (tvm, tirole) = settings.base_urls()?;
        Ok(Self {
            fetcher: Fetcher::of_authority(core, Arc::clone(&held)),
            held,
            authority: Authority {
                tvm,
                tirole,
                settings,
            },
            files: Files::new(disk),
            all_is_due: false,
            answers: None,
            at_start: BTreeMap::new(),
            at_start_time: 0,
        })
    }

    pub(super) fn period(&self) -> Duration {
        self.fetcher.period
    }

    pub(super) async fn start(&mut self) -> Result<()> {
        self.read_disk().await;
        self.held.last_error().clear_all();
        self.cycle(Phase::Start, false).await;
        let settings = &self.authority.settings;
        let has_all = |tickets: &Arc<Tickets>| {
            settings.allow_incomplete || tickets.by_id().len() == tickets.wanted().len()
        };
        let facts = self.held.facts.load();
        let is_ready = (!facts.fetches_tickets
            || self.held.tickets.load().as_ref().is_some_and(has_all))
            && (!facts.checks_tickets || self.held.keys.load().is_some())
            && (facts.slug.is_none() || self.held.roles.load().is_some());
        if is_ready {
            Ok(())
        } else {
            Err(self.fetcher.start_failed())
        }
    }

    pub(super) async fn cycle(&mut self, phase: Phase, all: bool) {
        self.all_is_due = all;
        let facts = self.held.facts.load_full();
        if facts.fetches_tickets {
            self.refresh_tickets(phase).await;
        }
        if facts.checks_tickets {
            self.refresh_keys(phase).await;
        }
        if let Some(slug) = &facts.slug {
            self.refresh_roles(phase, slug).await;
        }
    }

    /// Answers callers that wait for destinations.
    pub(super) async fn add_destinations(&mut self, asked: Vec<Asked>) {
        let ids: BTreeSet<TvmId> = asked.iter().flat_map(|asked| &asked.ids).copied().collect();
        let held = self.held.tickets.load_full().unwrap_or_default();
        let missing: BTreeSet<TvmId> = ids
            .into_iter()
            .filter(|id| !held.by_id().contains_key(id))
            .collect();
        let mut failure = None;
        if !missing.is_empty() && !self.add_from_start(&missing).await {
            let missing: Vec<TvmId> = missing.into_iter().collect();
            match self.fetch_tickets(Phase::Asked, &missing).await {
                Some((fetched, answers)) => {
                    let now = self.held.now();
                    let time = self.held.updated.tickets.as_of(now);
                    self.add(fetched, &answers, time.unwrap_or(now)).await;
                }
                None => failure = self.held.last_error().of(Scope::ServiceTickets),
            }
        }
        let held = self.held.tickets.load_full().unwrap_or_default();
        for asked in asked {
            let outcome = |id: TvmId| {
                if held.by_id().contains_key(&id) {
                    return Ok(());
                }
                let why = held.errors().get(&id).or(failure.as_ref());
                let why = why.map_or("Unknown reason", String::as_str);
                let message = format!("Failed to get ticket for '{id}': {why}");
                Err(Error::new(ErrorKind::MissingServiceTicket, message))
            };
            let outcomes = asked.ids.iter().map(|&id| (id, outcome(id))).collect();
            // The caller may have stopped waiting.
            let _ = asked.answer.send(outcomes);
        }
    }

    /// Takes destinations from the initial content of the disk cache, if it has valid tickets for
    /// all of them.
    async fn add_from_start(&mut self, missing: &BTreeSet<TvmId>) -> bool {
        let now = self.held.now();
        let mut fetched = Fetched::default();
        for &id in missing {
            let Some(ticket) = self.at_start.get(&id).cloned() else {
                return false;
            };
            let set = TicketSet {
                count: 1,
                invalid_at: peek_expiration(ticket.expose()),
            };
            if set.is_invalid(now) {
                return false;
            }
            fetched.tickets.insert(id, ticket);
        }
        let born = self.at_start_time;
        let updated = self
            .held
            .updated
            .tickets
            .as_of(self.held.now())
            .unwrap_or(born)
            .min(born);
        self.add(fetched, &[], updated).await;
        true
    }

    async fn read_disk(&mut self) {
        if let Some(blob) = self.files.read(CacheFile::RetrySettings).await
            && let Ok(header) = blob.text()
        {
            self.fetcher.apply(header);
        }
        let facts = self.held.facts.load_full();
        if facts.fetches_tickets {
            self.tickets_from_disk().await;
        }
        if facts.checks_tickets {
            self.keys_from_disk().await;
        }
        if let Some(slug) = &facts.slug {
            self.roles_from_disk(slug).await;
        }
    }

    async fn tickets_from_disk(&mut self) {
        let Some(blob) = self.files.read(CacheFile::ServiceTickets).await else {
            return;
        };
        let settings = &self.authority.settings;
        let wanted = settings.wanted();
        let ids: Vec<TvmId> = wanted.iter().copied().collect();
        let parts = blob.text().ok().and_then(split_tickets);
        let Some((answers, _)) = parts.filter(|(_, id)| *id == settings.own_id) else {
            tracing::warn!("Tickets in the disk cache are of another service");
            return;
        };
        let (Ok(fetched), Ok(all)) = (parse_tvm_api(answers, &ids), parse_all(answers)) else {
            tracing::warn!("Tickets in the disk cache are invalid");
            return;
        };
        self.at_start = all;
        self.at_start_time = blob.time;
        let tickets = fetched.tickets;
        let tickets = Tickets::new(tickets, BTreeMap::new(), wanted, settings.aliases.clone());
        let set = tickets.health();
        if set.count == 0 || set.is_invalid(self.held.now()) {
            tracing::info!("Tickets in the disk cache are too old");
            return;
        }
        self.answers = Some(Zeroizing::new(answers.to_owned()));
        self.held.tickets.store(Some(Arc::new(tickets)));
        self.held.updated.tickets.set(blob.time, self.held.now());
    }

    async fn keys_from_disk(&mut self) {
        let Some(blob) = self.files.read(CacheFile::PublicKeys).await else {
            return;
        };
        if keys_unusable(blob.time, self.held.now()) {
            tracing::info!("Public keys in the disk cache are too old");
            return;
        }
        let taken = blob.text().and_then(|text| self.take_keys(text, blob.time));
        if let Err(error) = taken {
            tracing::warn!(
                error = error.message(),
                "Public keys in the disk cache are invalid"
            );
        }
    }

    async fn refresh_tickets(&mut self, phase: Phase) {
        let held = self.held.tickets.load_full();
        let wanted = match &held {
            Some(held) => held.wanted().clone(),
            None => self.authority.settings.wanted(),
        };
        let is_old = self.is_due(&self.held.updated.tickets, TICKETS_UPDATE);
        if held.is_none() || is_old {
            let ids: Vec<TvmId> = wanted.iter().copied().collect();
            if let Some((fetched, answers)) = self.fetch_tickets(phase, &ids).await {
                self.replace(fetched, &answers).await;
            }
        } else if let Some(held) = held
            && phase == Phase::Start
        {
            let is_missing = |id: &&TvmId| !held.by_id().contains_key(*id);
            let missing: Vec<TvmId> = wanted.iter().filter(is_missing).copied().collect();
            if missing.is_empty() {
                return;
            }
            if let Some((fetched, answers)) = self.fetch_tickets(phase, &missing).await {
                let now = self.held.now();
                let time = self.held.updated.tickets.as_of(now);
                self.add(fetched, &answers, time.unwrap_or(now)).await;
            }
        }
    }

    /// Fetches tickets, as many per request as the authority accepts. Failures are recorded;
    /// returns `None` if any request got no answer.
    async fn fetch_tickets(
        &mut self,
        phase: Phase,
        ids: &[TvmId],
    ) -> Option<(Fetched, Vec<Zeroizing<String>>)> {
        let mut all = Fetched::default();
        let mut answers = Vec::new();
        let process = self.process();
        let chunks = ids.chunks(self.fetcher.destinations_limit.max(1));
        for (place, ids) in chunks.enumerate() {
            // The wait before the first request spreads the load of many clients. A wait before
            // each could add up to more than the lifetime of tickets.
            let phase = match place {
                0 => phase,
                _ if phase == Phase::Start => phase,
                _ => Phase::Rest,
            };
            let form = || self.authority.tickets_call(ids, self.held.now(), &process);
            let base = &self.authority.tvm;
            let answer = self.fetcher.fetch(phase, Scope::ServiceTickets, base, form);
            let answer = answer.await?;
            let settings = self.fetcher.heed(&answer);
            self.save_settings(settings).await;
            let read = answer.text().map_err(Error::from);
            let read = read.and_then(|text| Ok((parse_tvm_api(text, ids)?, text)));
            match read {
                Ok((mut fetched, text)) => {
                    self.fetcher.hide_in(&mut fetched, &answer);
                    all.merge(fetched);
                    answers.push(Zeroizing::new(text.to_owned()));
                }
                Err(error) => {
                    self.fetcher.fail_to_read(Scope::ServiceTickets, &error);
                    return None;
                }
            }
        }
        self.fetcher.succeed(Scope::ServiceTickets);
        for (id, error) in &all.errors {
            let message = format!("Failed to get ServiceTicket for {id}: {error}");
            let error = Error::new(ErrorKind::MissingServiceTicket, message);
            self.fetcher
                .fail(Scope::ServiceTickets, Retriability::NonRetriable, &error);
        }
        Some((all, answers))
    }

    /// Uses a complete new set. Tickets of destinations that were added in the meantime are kept.
    async fn replace(&mut self, fetched: Fetched, answers: &[Zeroizing<String>]) {
        let now = self.held.now();
        let held = self.held.tickets.load_full().unwrap_or_default();
        let (mut wanted, aliases) = self.names();
        wanted.extend(held.wanted());
        let mut tickets = fetched.tickets;
        for (id, ticket) in held.by_id() {
            if !fetched.errors.contains_key(id) {
                tickets.entry(*id).or_insert_with(|| ticket.clone());
            }
        }
        tracing::info!(
            tickets = tickets.len(),
            "Cache was updated with service tickets"
        );
        let set = Tickets::new(tickets, fetched.errors, wanted, aliases);
        self.held.tickets.store(Some(Arc::new(set)));
        self.held.updated.tickets.set(now, self.held.now());
        self.answers = None;
        self.keep_answers(answers, now).await;
    }

    /// Adds tickets to the set, whose age is unchanged.
    async fn add(&mut self, fetched: Fetched, answers: &[Zeroizing<String>], updated: Seconds) {
        let held = self.held.tickets.load_full().unwrap_or_default();
        let (mut wanted, aliases) = self.names();
        wanted.extend(held.wanted());
        wanted.extend(fetched.tickets.keys());
        let mut tickets = held.by_id().clone();
        let mut errors = held.errors().clone();
        errors.retain(|id, _| !fetched.tickets.contains_key(id));
        errors.extend(fetched.errors);
        tickets.extend(fetched.tickets);
        tracing::info!(
            tickets = tickets.len(),
            "Cache was partly updated with service tickets"
        );
        let set = Tickets::new(tickets, errors, wanted, aliases);
        self.held.tickets.store(Some(Arc::new(set)));
        self.held.updated.tickets.set(updated, self.held.now());
        if !answers.is_empty() {
            self.keep_answers(answers, updated).await;
        }
    }

    /// Appends answers to the current ones, and writes all to the disk.
    async fn keep_answers(&mut self, answers: &[Zeroizing<String>], time: Seconds) {
        let texts: Vec<&str> = answers.iter().map(|answer| answer.as_str()).collect();
        let base = self.answers.as_ref().map(|answers| answers.as_str());
        let Some(joined) = append_json_array(base, &texts) else {
            return;
        };
        let joined = Zeroizing::new(joined);
        let file = join_tickets(&joined, self.authority.settings.own_id);
        self.answers = Some(joined);
        self.files
            .write(CacheFile::ServiceTickets, time, file.into_bytes())
            .await;
    }

    async fn refresh_keys(&mut self, phase: Phase) {
        let updated = &self.held.updated.keys;
        if self.held.keys.load().is_some() && !self.is_due(updated, KEYS_UPDATE) {
            return;
        }
        let process = self.process();
        let form = || self.authority.keys_call(&process);
        let base = &self.authority.tvm;
        let fetched = self.fetcher.fetch(phase, Scope::PublicKeys, base, form);
        let Some(answer) = fetched.await else {
            return;
        };
        let settings = self.fetcher.heed(&answer);
        self.save_settings(settings).await;
        let now = self.held.now();
        let text = answer.text().map_err(Error::from);
        match text.and_then(|text| self.take_keys(text, now).map(|()| text)) {
            Ok(text) => {
                self.fetcher.succeed(Scope::PublicKeys);
                tracing::info!("Cache was updated with public keys");
                self.files
                    .write(CacheFile::PublicKeys, now, text.as_bytes().to_vec())
                    .await;
            }
            Err(error) => self.fetcher.fail_to_read(Scope::PublicKeys, &error),
        }
    }

    fn take_keys(&self, text: &str, time: Seconds) -> Result<()> {
        let settings = &self.authority.settings;
        let wanted = Wanted {
            service: settings.check_service_tickets.then(|| Accepted {
                own_id: settings.own_id,
                also_for: settings.also_for.clone(),
                any: !settings.checks.destination,
            }),
            user: settings.check_user_tickets,
            cache: settings.checks.cache,
        };
        self.held.store_keys(text, wanted, time)
    }

    async fn refresh_roles(&mut self, phase: Phase, slug: &str) {
        let updated = &self.held.updated.roles;
        if self.held.roles.load().is_some()
            && !self.is_due(updated, self.fetcher.roles_update_after)
        {
            return;
        }
        let process = self.process();
        let known = self.held.roles.load_full();
        let form = || {
            let tickets = self.held.tickets.load_full().unwrap_or_default();
            let call = self.authority.roles_call(&tickets, slug, &process)?;
            unless_known(known.as_deref(), call)
        };
        let base = &self.authority.tirole;
        if let Some(answer) = self.fetcher.fetch(phase, Scope::Roles, base, form).await
            && let Some(document) = take_roles(&self.held, &self.fetcher, &answer).await
        {
            let text = join_roles(&document, slug);
            self.files
                .write(CacheFile::Roles, self.held.now(), text.into_bytes())
                .await;
        }
    }

    async fn roles_from_disk(&self, slug: &str) {
        let Some(blob) = self.files.read(CacheFile::Roles).await else {
            return;
        };
        match parse_on_disk(&blob, slug, self.held.clock().now()).await {
            Ok(Some(roles)) => {
                self.held.roles.store(Some(Arc::new(roles)));
                self.held.updated.roles.set(blob.time, self.held.now());
            }
            Ok(None) => tracing::warn!("Roles in the disk cache are of another system"),
            Err(error) => {
                tracing::warn!(
                    error = error.message(),
                    "Roles in the disk cache are invalid"
                );
            }
        }
    }

    async fn save_settings(&self, header: Option<String>) {
        if let Some(header) = header {
            self.files
                .write(
                    CacheFile::RetrySettings,
                    self.held.now(),
                    header.into_bytes(),
                )
                .await;
        }
    }

    fn is_due(&self, updated: &Moment, after: Seconds) -> bool {
        self.all_is_due || updated.is_due(self.held.now(), after)
    }

    fn names(&self) -> (BTreeSet<TvmId>, BTreeMap<String, TvmId>) {
        let settings = &self.authority.settings;
        (settings.wanted(), settings.aliases.clone())
    }

    fn process(&self) -> ProcInfo {
        ProcInfo::of_this_process(&self.authority.settings.version_prefix)
    }
}

impl Authority {
    fn tickets_call(&self, ids: &[TvmId], now: Seconds, process: &ProcInfo) -> Result<Call> {
        let settings = &self.settings;
        let secret = settings.secret.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::BrokenSettings,
                "Secret is required for fetching of Service Tickets",
            )
        })?;
        let body = ticket_body(settings.own_id, secret, ids, now, process);
        Ok(Call::encoded(&GET_TICKETS, "/2/ticket")?.secret_form(&body, &["sign"]))
    }

    fn keys_call(&self, process: &ProcInfo) -> Result<Call> {
        let settings = &self.settings;
        let path = keys_path(settings.own_id, settings.check_user_tickets, process);
        // Anyone who can change the answer can sign any ticket.
        Ok(Call::encoded(&GET_KEYS, &path)?.require_secure())
    }

    fn roles_call(&self, tickets: &Tickets, slug: &str, process: &ProcInfo) -> Result<Call> {
        let ticket = tickets.get(self.settings.tirole_id.into())?;
        let call = Call::encoded(&GET_ACTUAL_ROLES, &tirole_path(slug, process))?;
        Ok(call.secret_header(SERVICE_TICKET, &ticket)?)
    }
}

const SERVICE_TICKET: HeaderName = HeaderName::from_static("x-ya-service-ticket");
