//! A client of tvm-api and tirole: what is read from the disk, what is fetched, and when (protocol
//! sections 11 to 14).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::HeaderName;
use vouchsafe_core::Secret;
use vouchsafe_core::call::Call;
use vouchsafe_core::url::BaseUrl;
use zeroize::Zeroizing;

use super::fetch::Phase;
use super::keys::{Accepted, Keys, Wanted};
use super::settings::ApiSettings;
use super::shared::{Moment, Place, Shared};
use super::worker::Worker;
use crate::client::protocol::blob::{append_json_array, join_tickets, split_tickets};
use crate::client::protocol::requests::{ProcInfo, keys_path, ticket_body, tirole_path};
use crate::client::protocol::{
    CacheFile, Fetched, Retriability, Scope, Seconds, TicketSet, Tickets, keys_unusable, parse_all,
    parse_tvm_api,
};
use crate::engine::check::peek_expiration;
use crate::engine::ids::TvmId;
use crate::error::{Error, ErrorKind, Result};
use crate::generated::tirole::operations::GET_ACTUAL_ROLES;
use crate::generated::tvm_api::operations::{GET_KEYS, GET_TICKETS};

/// What only the worker knows of tickets.
#[derive(Debug, Default)]
pub(super) struct ApiState {
    /// The answers at hand as the disk cache holds them.
    answers: Option<Zeroizing<String>>,
    /// All tickets that the disk cache had at the start, for destinations yet to be named.
    at_start: BTreeMap<TvmId, Secret>,
    at_start_time: Seconds,
}

const TICKETS_UPDATE: Seconds = 60 * 60;
const KEYS_UPDATE: Seconds = 24 * 60 * 60;
/// How far clocks may differ, of the processes that share a folder or of a daemon.
const SKEW: Seconds = 60;

impl Worker {
    pub(super) async fn start_api(&mut self) -> Result<()> {
        let settings = self.settings().clone();
        self.read_disk(&settings).await;
        self.shared.last_error().clear_all();
        if self.shared.fetches_tickets() {
            self.refresh_tickets(Phase::Start).await;
            let tickets = self.shared.tickets.load();
            let has_all = tickets.as_ref().is_some_and(|tickets| {
                settings.allow_incomplete || tickets.by_id().len() == tickets.wanted().len()
            });
            if !has_all {
                return Err(self.start_failed());
            }
        }
        if self.shared.checks_tickets() {
            self.refresh_keys(Phase::Start).await;
            if self.shared.keys.load().is_none() {
                return Err(self.start_failed());
            }
        }
        if let Some(slug) = &settings.roles {
            self.refresh_roles(Phase::Start, slug).await;
            if self.shared.roles.load().is_none() {
                return Err(self.start_failed());
            }
        }
        Ok(())
    }

    pub(super) async fn cycle_api(&mut self, phase: Phase) {
        if self.shared.fetches_tickets() {
            self.refresh_tickets(phase).await;
        }
        if self.shared.checks_tickets() {
            self.refresh_keys(phase).await;
        }
        if let Some(slug) = self.shared.slug() {
            self.refresh_roles(phase, &slug).await;
        }
    }

    /// Answers those who wait for destinations.
    pub(super) async fn fetch_asked(&mut self) {
        let asked = std::mem::take(&mut *self.shared.asked());
        if asked.is_empty() {
            return;
        }
        let ids: BTreeSet<TvmId> = asked.iter().flat_map(|asked| &asked.ids).copied().collect();
        let held = self.shared.tickets.load_full().unwrap_or_default();
        let missing: BTreeSet<TvmId> = ids
            .into_iter()
            .filter(|id| !held.by_id().contains_key(id))
            .collect();
        let mut failure = None;
        if !missing.is_empty() && !self.add_from_start(&missing).await {
            let missing: Vec<TvmId> = missing.into_iter().collect();
            match self.fetch_tickets(Phase::Asked, &missing).await {
                Some((fetched, answers)) => {
                    let now = self.shared.now();
                    let time = self.shared.updated.tickets.as_of(now);
                    self.add(fetched, &answers, time.unwrap_or(now)).await;
                }
                None => failure = self.shared.last_error().of(Scope::ServiceTickets),
            }
        }
        let held = self.shared.tickets.load_full().unwrap_or_default();
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
            // Who does not wait any more does not need to know.
            let _ = asked.answer.send(outcomes);
        }
    }

    /// Takes destinations from what the disk had at the start, if it has all and they are good.
    async fn add_from_start(&mut self, missing: &BTreeSet<TvmId>) -> bool {
        let now = self.shared.now();
        let mut fetched = Fetched::default();
        for &id in missing {
            let Some(ticket) = self.shared.api().at_start.get(&id).cloned() else {
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
        let born = self.shared.api().at_start_time;
        let updated = self
            .shared
            .updated
            .tickets
            .as_of(self.shared.now())
            .unwrap_or(born)
            .min(born);
        self.add(fetched, &[], updated).await;
        true
    }

    async fn read_disk(&mut self, settings: &ApiSettings) {
        if self.shared.disk.is_none() {
            tracing::info!(
                "Disk cache disabled. Please set disk cache directory in settings for best \
                 reliability"
            );
            return;
        }
        if let Some(blob) = self.read(CacheFile::RetrySettings).await
            && let Ok(header) = blob.text()
        {
            self.fetcher.apply(header);
        }
        if self.shared.fetches_tickets() {
            self.tickets_from_disk(settings).await;
        }
        if self.shared.checks_tickets() {
            self.keys_from_disk().await;
        }
        if let Some(slug) = &settings.roles {
            self.roles_from_disk(slug).await;
        }
    }

    async fn tickets_from_disk(&mut self, settings: &ApiSettings) {
        let Some(blob) = self.read(CacheFile::ServiceTickets).await else {
            return;
        };
        let wanted = settings.wanted();
        let ids: Vec<TvmId> = wanted.iter().copied().collect();
        let parts = blob.text().ok().and_then(split_tickets);
        let Some((answers, _)) = parts.filter(|(_, id)| *id == settings.own_id) else {
            tracing::warn!("Tickets in the disk cache are of another service");
            return;
        };
        let (Ok(fetched), Ok(all)) = (parse_tvm_api(answers, &ids), parse_all(answers)) else {
            tracing::warn!("Tickets in the disk cache make no sense");
            return;
        };
        {
            let mut api = self.shared.api();
            api.at_start = all;
            api.at_start_time = blob.time;
        }
        let tickets = fetched.tickets;
        let tickets = Tickets::new(tickets, BTreeMap::new(), wanted, settings.aliases.clone());
        let set = tickets.health();
        if set.count == 0 || set.is_invalid(self.shared.now()) {
            tracing::info!("Tickets in the disk cache are too old");
            return;
        }
        self.shared.api().answers = Some(Zeroizing::new(answers.to_owned()));
        self.shared.tickets.store(Some(Arc::new(tickets)));
        self.shared
            .updated
            .tickets
            .set(blob.time, self.shared.now());
    }

    async fn keys_from_disk(&mut self) {
        let Some(blob) = self.read(CacheFile::PublicKeys).await else {
            return;
        };
        if keys_unusable(blob.time, self.shared.now()) {
            tracing::info!("Public keys in the disk cache are too old");
            return;
        }
        let taken = blob.text().and_then(|text| self.take_keys(text, blob.time));
        if let Err(error) = taken {
            tracing::warn!(
                error = error.message(),
                "Public keys in the disk cache make no sense"
            );
        }
    }

    async fn refresh_tickets(&mut self, phase: Phase) {
        let held = self.shared.tickets.load_full();
        let wanted = match &held {
            Some(held) => held.wanted().clone(),
            None => self.settings().wanted(),
        };
        let is_old = self.is_due(&self.shared.updated.tickets, TICKETS_UPDATE);
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
                let now = self.shared.now();
                let time = self.shared.updated.tickets.as_of(now);
                self.add(fetched, &answers, time.unwrap_or(now)).await;
            }
        }
    }

    /// Fetches tickets, as many at once as the authority takes. What went wrong is noted; `None`
    /// if any request brought no answer.
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
            // Many clients are kept apart by the wait before the first request. A wait before each
            // could add up to more than tickets live.
            let phase = match place {
                0 => phase,
                _ if phase == Phase::Start => phase,
                _ => Phase::Rest,
            };
            let form = |shared: &Shared| tickets_call(shared, ids, &process);
            let answer = self
                .fetcher
                .fetch(phase, Scope::ServiceTickets, form)
                .await?;
            let settings = self.fetcher.heed(&answer);
            self.save_settings(settings).await;
            let read = answer.text().map_err(Error::from);
            let read = read.and_then(|text| Ok((parse_tvm_api(text, ids)?, text)));
            match read {
                Ok((fetched, text)) => {
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

    /// Takes a whole new set over. Tickets of destinations that were added meanwhile stay.
    async fn replace(&mut self, fetched: Fetched, answers: &[Zeroizing<String>]) {
        let now = self.shared.now();
        let held = self.shared.tickets.load_full().unwrap_or_default();
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
        self.shared.tickets.store(Some(Arc::new(set)));
        self.shared.updated.tickets.set(now, self.shared.now());
        self.shared.api().answers = None;
        self.keep_answers(answers, now).await;
    }

    /// Adds tickets to the set; its age stays.
    async fn add(&mut self, fetched: Fetched, answers: &[Zeroizing<String>], updated: Seconds) {
        let held = self.shared.tickets.load_full().unwrap_or_default();
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
        self.shared.tickets.store(Some(Arc::new(set)));
        self.shared.updated.tickets.set(updated, self.shared.now());
        if !answers.is_empty() {
            self.keep_answers(answers, updated).await;
        }
    }

    /// Appends answers to those at hand, and writes all to the disk.
    async fn keep_answers(&mut self, answers: &[Zeroizing<String>], time: Seconds) {
        let texts: Vec<&str> = answers.iter().map(|answer| answer.as_str()).collect();
        let file = {
            let mut api = self.shared.api();
            let base = api.answers.as_ref().map(|answers| answers.as_str());
            let Some(joined) = append_json_array(base, &texts) else {
                return;
            };
            let joined = Zeroizing::new(joined);
            let file = join_tickets(&joined, self.settings().own_id);
            api.answers = Some(joined);
            file
        };
        self.write(CacheFile::ServiceTickets, time, file.into_bytes())
            .await;
    }

    async fn refresh_keys(&mut self, phase: Phase) {
        let updated = &self.shared.updated.keys;
        if self.shared.keys.load().is_some() && !self.is_due(updated, KEYS_UPDATE) {
            return;
        }
        let process = self.process();
        let form = |shared: &Shared| keys_call(shared, &process);
        let Some(answer) = self.fetcher.fetch(phase, Scope::PublicKeys, form).await else {
            return;
        };
        let settings = self.fetcher.heed(&answer);
        self.save_settings(settings).await;
        let now = self.shared.now();
        let text = answer.text().map_err(Error::from);
        match text.and_then(|text| self.take_keys(text, now).map(|()| text)) {
            Ok(text) => {
                self.fetcher.succeed(Scope::PublicKeys);
                tracing::info!("Cache was updated with public keys");
                self.write(CacheFile::PublicKeys, now, text.as_bytes().to_vec())
                    .await;
            }
            Err(error) => self.fetcher.fail_to_read(Scope::PublicKeys, &error),
        }
    }

    fn take_keys(&self, text: &str, time: Seconds) -> Result<()> {
        let settings = self.settings();
        let wanted = Wanted {
            service: settings.check_service_tickets.then(|| Accepted {
                own_id: settings.own_id,
                also_for: settings.also_for.clone(),
                any: !settings.checks.destination,
            }),
            user: settings.check_user_tickets,
            cache: self.shared.ticket_cache,
        };
        self.store_keys(text, wanted)?;
        self.shared.updated.keys.set(time, self.shared.now());
        Ok(())
    }

    /// Keeps the contexts if the same would come out: they remember checked tickets.
    pub(super) fn store_keys(&self, text: &str, wanted: Wanted) -> Result<()> {
        let held = self.shared.keys.load();
        if !held.as_ref().is_some_and(|keys| keys.are_of(text, &wanted)) {
            let keys = Keys::new(text, wanted)?;
            self.shared.keys.store(Some(Arc::new(keys)));
        }
        Ok(())
    }

    async fn refresh_roles(&mut self, phase: Phase, slug: &str) {
        let updated = &self.shared.updated.roles;
        if self.shared.roles.load().is_some()
            && !self.is_due(updated, self.fetcher.roles_update_after)
        {
            return;
        }
        let process = self.process();
        let known = self.shared.roles.load_full();
        let form = |shared: &Shared| roles_call(shared, slug, &process);
        let form = |shared: &Shared| {
            let (base, call) = form(shared)?;
            Ok((base, super::roles::unless_known(known.as_deref(), call)?))
        };
        if let Some(answer) = self.fetcher.fetch(phase, Scope::Roles, form).await
            && let Some(document) = self.take_roles(&answer).await
        {
            self.save_roles(&document, slug).await;
        }
    }

    async fn save_settings(&self, header: Option<String>) {
        if let Some(header) = header {
            self.write(
                CacheFile::RetrySettings,
                self.shared.now(),
                header.into_bytes(),
            )
            .await;
        }
    }

    pub(super) fn is_due(&self, updated: &Moment, after: Seconds) -> bool {
        let now = self.shared.now();
        let is_old = |at: Seconds| now.saturating_sub(at) > after;
        // A time to come was noted under a clock that went wrong: nothing would be due until then.
        let is_to_come = |at: Seconds| at.saturating_sub(now) > SKEW;
        self.all_is_due
            || updated.as_of(now).is_none_or(is_old)
            || updated.get().is_some_and(is_to_come)
    }

    fn names(&self) -> (BTreeSet<TvmId>, BTreeMap<String, TvmId>) {
        let settings = self.settings();
        (settings.wanted(), settings.aliases.clone())
    }

    fn process(&self) -> ProcInfo {
        ProcInfo::of_this_process(&self.settings().version_prefix)
    }

    fn settings(&self) -> &ApiSettings {
        match &self.shared.place {
            Place::Api { settings, .. } => settings,
            Place::Tool { .. } => unreachable!("only a client of tvm-api comes here"),
        }
    }
}

fn api(shared: &Shared) -> Result<(&BaseUrl, &BaseUrl, &ApiSettings)> {
    match &shared.place {
        Place::Api {
            tvm,
            tirole,
            settings,
        } => Ok((tvm, tirole, settings)),
        Place::Tool { .. } => Err(Error::new(
            ErrorKind::IllegalUsage,
            "not a client of tvm-api",
        )),
    }
}

fn tickets_call(shared: &Shared, ids: &[TvmId], process: &ProcInfo) -> Result<(BaseUrl, Call)> {
    let (tvm, _, settings) = api(shared)?;
    let secret = settings.secret.as_ref().ok_or_else(|| {
        Error::new(
            ErrorKind::BrokenSettings,
            "Secret is required for fetching of Service Tickets",
        )
    })?;
    let body = ticket_body(settings.own_id, secret, ids, shared.now(), process);
    let call = Call::encoded(&GET_TICKETS, "/2/ticket")?.secret_form(&body, &["sign"]);
    Ok((tvm.clone(), call))
}

fn keys_call(shared: &Shared, process: &ProcInfo) -> Result<(BaseUrl, Call)> {
    let (tvm, _, settings) = api(shared)?;
    let path = keys_path(settings.own_id, settings.check_user_tickets, process);
    // Who could change the answer could sign any ticket.
    let call = Call::encoded(&GET_KEYS, &path)?.believed();
    Ok((tvm.clone(), call))
}

fn roles_call(shared: &Shared, slug: &str, process: &ProcInfo) -> Result<(BaseUrl, Call)> {
    let (_, tirole, settings) = api(shared)?;
    let tickets = shared.tickets.load_full().unwrap_or_default();
    let ticket = tickets.get(settings.tirole_id.into())?;
    let call = Call::encoded(&GET_ACTUAL_ROLES, &tirole_path(slug, process))?
        .secret_header(SERVICE_TICKET, &ticket)?;
    Ok((tirole.clone(), call))
}

const SERVICE_TICKET: HeaderName = HeaderName::from_static("x-ya-service-ticket");
