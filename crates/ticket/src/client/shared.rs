//! What the clones of a client and its worker share. Reading takes no lock.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use vouchsafe_core::sync::lock;
use vouchsafe_core::timestamp::{from_unix_seconds, unix_seconds};
use vouchsafe_core::url::BaseUrl;
use vouchsafe_core::{Clock, CoreClient, Secret};

use super::api::ApiState;
use super::keys::Keys;
use super::settings::{ApiSettings, Checks, ToolSettings};
use crate::client::protocol::tool::ToolConfig;
use crate::client::protocol::{DiskCache, Health, LastError, Mode, Seconds, StatusCode, Tickets};
use crate::engine::ids::TvmId;
use crate::engine::redact::without_signatures;
use crate::engine::roles::Roles;
use crate::error::Error;

/// Where a client gets everything from.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Api {
        tvm: BaseUrl,
        tirole: BaseUrl,
        settings: Box<ApiSettings>,
    },
    Tool {
        base: BaseUrl,
        token: Secret,
        settings: ToolSettings,
    },
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) core: CoreClient,
    pub(crate) place: Place,
    pub(crate) disk: Option<DiskCache>,
    pub(crate) ticket_cache: Option<usize>,
    pub(crate) tickets: ArcSwapOption<Tickets>,
    pub(crate) keys: ArcSwapOption<Keys>,
    pub(crate) roles: ArcSwapOption<Roles>,
    /// In tvmtool mode only, and there always after the start.
    pub(crate) config: ArcSwapOption<ToolConfig>,
    pub(crate) updated: Updated,
    /// In seconds.
    pub(crate) roles_warn_after: AtomicI64,
    pub(crate) last_error: Mutex<LastError>,
    /// Here and not in the task, which another may have to go on for.
    api: Mutex<ApiState>,
    /// The authority's settings of retries, as their text last came.
    retry_settings: Mutex<Option<String>>,
    pub(crate) stopped: AtomicBool,
    /// The worker has ended, though nobody stopped it.
    pub(crate) worker_gone: AtomicBool,
    /// Somebody waits for something to be fetched.
    pub(crate) wake: Notify,
    pub(crate) asked: Mutex<Vec<Asked>>,
    /// Who waits for everything to be fetched anew.
    pub(crate) refresh: Mutex<Vec<oneshot::Sender<()>>>,
    pid: u32,
}

/// Destinations that somebody waits for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) ids: Vec<TvmId>,
    pub(crate) answer: oneshot::Sender<Vec<(TvmId, Result<(), Error>)>>,
}

/// When each part was fetched.
#[derive(Debug)]
pub(crate) struct Updated {
    pub(crate) tickets: Moment,
    pub(crate) keys: Moment,
    pub(crate) roles: Moment,
    pub(crate) config: Moment,
}

/// A time in seconds since the epoch, or never.
///
/// It ages by two clocks, and the larger age counts: tokio's stands still while the machine is
/// suspended, and the wall clock may be set back.
#[derive(Debug)]
pub(crate) struct Moment {
    at: AtomicI64,
    /// The same time in seconds since `origin`.
    since_origin: AtomicI64,
    origin: Instant,
}

impl Moment {
    fn never() -> Self {
        Self {
            at: AtomicI64::new(NEVER),
            since_origin: AtomicI64::new(0),
            origin: Instant::now(),
        }
    }

    /// Returns the time as it was noted.
    pub(crate) fn get(&self) -> Option<Seconds> {
        Some(self.at.load(Ordering::Acquire)).filter(|&at| at != NEVER)
    }

    /// Returns the time, moved back by as much as the wall clock was since it was noted.
    pub(crate) fn as_of(&self, now: Seconds) -> Option<Seconds> {
        let at = self.get()?;
        let age = self
            .passed()
            .saturating_sub(self.since_origin.load(Ordering::Relaxed));
        Some(at.min(now.saturating_sub(age)))
    }

    /// Notes a time, which the wall clock says is now or some time ago.
    pub(crate) fn set(&self, at: Seconds, now: Seconds) {
        let age = now.saturating_sub(at);
        let since_origin = self.passed().saturating_sub(age);
        // A reader in between takes the old time as it was.
        self.since_origin.store(since_origin, Ordering::Relaxed);
        self.at.store(at, Ordering::Release);
    }

    fn passed(&self) -> Seconds {
        Seconds::try_from(self.origin.elapsed().as_secs()).unwrap_or(Seconds::MAX)
    }
}

const NEVER: i64 = i64::MIN;

impl Shared {
    pub(crate) fn new(
        core: CoreClient,
        place: Place,
        disk: Option<DiskCache>,
        ticket_cache: Option<usize>,
    ) -> Self {
        Self {
            core,
            place,
            disk,
            ticket_cache,
            tickets: ArcSwapOption::empty(),
            keys: ArcSwapOption::empty(),
            roles: ArcSwapOption::empty(),
            config: ArcSwapOption::empty(),
            updated: Updated {
                tickets: Moment::never(),
                keys: Moment::never(),
                roles: Moment::never(),
                config: Moment::never(),
            },
            roles_warn_after: AtomicI64::new(20 * 60),
            last_error: Mutex::default(),
            api: Mutex::default(),
            retry_settings: Mutex::default(),
            stopped: AtomicBool::new(false),
            worker_gone: AtomicBool::new(false),
            wake: Notify::new(),
            asked: Mutex::default(),
            refresh: Mutex::default(),
            pid: std::process::id(),
        }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.core.clock().as_ref()
    }

    pub(crate) fn now(&self) -> Seconds {
        unix_seconds(self.clock().now())
    }

    pub(crate) fn last_error(&self) -> MutexGuard<'_, LastError> {
        lock(&self.last_error)
    }

    pub(super) fn api(&self) -> MutexGuard<'_, ApiState> {
        lock(&self.api)
    }

    pub(crate) fn retry_settings(&self) -> MutexGuard<'_, Option<String>> {
        lock(&self.retry_settings)
    }

    pub(crate) fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        lock(&self.asked)
    }

    pub(crate) fn refresh(&self) -> MutexGuard<'_, Vec<oneshot::Sender<()>>> {
        lock(&self.refresh)
    }

    /// Drops all wishes, so that who has one stops waiting.
    pub(crate) fn forget_wishes(&self) {
        self.asked().clear();
        self.refresh().clear();
    }

    /// Whether this is the process that the client was made in. In another, a fork of it, there
    /// is no worker.
    pub(crate) fn is_own_process(&self) -> Result<(), (u32, u32)> {
        let current = std::process::id();
        if current == self.pid {
            Ok(())
        } else {
            Err((self.pid, current))
        }
    }

    pub(crate) fn fetches_tickets(&self) -> bool {
        match &self.place {
            Place::Api { settings, .. } => settings.secret.is_some(),
            Place::Tool { .. } => self
                .config
                .load()
                .as_ref()
                .is_some_and(|config| !config.destinations.is_empty()),
        }
    }

    /// Takes out of a foreign text what nobody may see: servers quote what they refuse.
    pub(crate) fn hide(&self, text: &str) -> String {
        let text = without_signatures(text);
        match &self.place {
            // A shorter one would be found in words.
            Place::Tool { token, .. } if token.expose().len() >= 8 => {
                text.replace(token.expose(), "")
            }
            _ => text,
        }
    }

    /// Which checks go beyond keys.
    pub(crate) fn checks(&self) -> &Checks {
        match &self.place {
            Place::Api { settings, .. } => &settings.checks,
            Place::Tool { settings, .. } => &settings.checks,
        }
    }

    pub(crate) fn checks_tickets(&self) -> bool {
        match &self.place {
            Place::Api { settings, .. } => {
                settings.check_service_tickets || settings.check_user_tickets.is_some()
            }
            Place::Tool { .. } => true,
        }
    }

    /// The role system. In tvmtool mode it is that of the start.
    pub(crate) fn slug(&self) -> Option<String> {
        match &self.place {
            Place::Api { settings, .. } => settings.roles.clone(),
            Place::Tool { .. } => self.config.load().as_ref()?.idm_slug.clone(),
        }
    }

    pub(crate) fn status_code(&self) -> StatusCode {
        let now = self.now();
        self.health(now).status(now)
    }

    fn health(&self, now: Seconds) -> Health {
        let tickets = self.tickets.load();
        let config = self.config.load();
        let wanted = match (&self.place, config.as_ref()) {
            (Place::Api { settings, .. }, _) => match tickets.as_ref() {
                Some(tickets) => tickets.wanted().len(),
                None => settings.wanted().len(),
            },
            (Place::Tool { .. }, Some(config)) => config.destinations.len(),
            (Place::Tool { .. }, None) => 0,
        };
        let mut set = tickets.as_ref().map(|tickets| tickets.health());
        if let (Some(set), Some(tickets), Some(config)) =
            (&mut set, tickets.as_ref(), config.as_ref())
        {
            // Two names of one destination count twice on both sides.
            let has_ticket = |id: &&TvmId| tickets.by_id().contains_key(*id);
            set.count = config.destinations.values().filter(has_ticket).count();
        }
        Health {
            mode: match &self.place {
                Place::Api { settings, .. } => Mode::TvmApi {
                    incomplete_is_error: !settings.allow_incomplete,
                },
                Place::Tool { .. } => Mode::Tool {
                    config_updated: self.updated.config.as_of(now),
                },
            },
            wanted_tickets: self.fetches_tickets().then_some(wanted),
            tickets: set,
            tickets_updated: self.updated.tickets.as_of(now),
            wants_keys: self.checks_tickets(),
            keys_updated: self.updated.keys.as_of(now),
            roles_warn_after: self
                .slug()
                .map(|_| self.roles_warn_after.load(Ordering::Relaxed)),
            roles_updated: self.updated.roles.as_of(now),
        }
    }
}

pub(crate) fn system_time(seconds: Seconds) -> SystemTime {
    from_unix_seconds(seconds.max(0)).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_moment_ages_by_the_clock_that_went_further() {
        let hour = Duration::from_secs(3600);
        let moment = Moment::never();
        assert_eq!(moment.as_of(10_000), None);
        moment.set(9_900, 10_000);
        assert_eq!(moment.as_of(10_000), Some(9_900));
        // The machine was suspended for an hour: tokio's clock stood still.
        assert_eq!(moment.as_of(13_600), Some(9_900));
        // An hour passes while the wall clock is set back to where it was: the age is 3,700 s.
        tokio::time::advance(hour).await;
        assert_eq!(moment.as_of(10_000), Some(6_300));
        assert_eq!(moment.as_of(13_600), Some(9_900));
        assert_eq!(moment.get(), Some(9_900));
        // Noted again, it is new under the clock that was set back.
        moment.set(10_000, 10_000);
        assert_eq!(moment.as_of(10_000), Some(10_000));
        // What was noted as a time to come stays one.
        moment.set(20_000, 10_000);
        assert_eq!(moment.as_of(10_000), Some(20_000));
    }
}
