//! The status of a client, computed from its data and their age (protocol sections 10.1 and 10.2).

use super::StatusCode;

/// Seconds since the epoch.
pub type Seconds = i64;

/// The parts of a client's state that determine its status.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "what the rules look at")]
pub struct Health {
    /// Where the client fetches its data from.
    pub mode: Mode,
    /// How many tickets there should be; `None` if the client fetches none. In tvmtool mode these
    /// are names, several of which may refer to one destination.
    pub wanted_tickets: Option<usize>,
    /// The tickets; `None` if there is no set at all.
    pub tickets: Option<TicketSet>,
    /// When tickets were fetched; `None` if never.
    pub tickets_updated: Option<Seconds>,
    /// Whether the client checks tickets.
    pub wants_keys: bool,
    /// When keys were fetched.
    pub keys_updated: Option<Seconds>,
    /// The age in seconds at which roles cause a warning; `None` if the client has no roles.
    pub roles_warn_after: Option<Seconds>,
    /// When roles were fetched.
    pub roles_updated: Option<Seconds>,
}

/// Where a client fetches its data from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there are these two")]
pub enum Mode {
    /// From tvm-api and tirole.
    TvmApi {
        /// Whether missing tickets are an error.
        incomplete_is_error: bool,
    },
    /// From tvmtool.
    Tool {
        /// When its configuration was fetched.
        config_updated: Option<Seconds>,
    },
}

/// A set of tickets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "what the rules look at")]
pub struct TicketSet {
    /// How many of the wanted tickets it has.
    pub count: usize,
    /// When the first of them expires; `None` if no expiry is known.
    pub invalid_at: Option<Seconds>,
}

impl TicketSet {
    /// Whether the set is not reliable any more.
    #[must_use]
    pub fn is_invalid(&self, now: Seconds) -> bool {
        self.count > 0 && self.invalid_at.unwrap_or(0).saturating_sub(MARGIN) < now
    }
}

impl Health {
    /// Returns the status by the first rule that applies.
    #[must_use]
    pub fn status(&self, now: Seconds) -> StatusCode {
        let older = |updated: Option<Seconds>, limit| {
            updated.is_none_or(|at| now.saturating_sub(at) > limit)
        };
        let keys_unusable = self.keys_updated.is_none_or(|at| keys_unusable(at, now));
        let tickets_invalid = self.tickets.is_some_and(|set| set.is_invalid(now));
        let tickets_missing = |wanted| self.tickets.is_none_or(|set| set.count < wanted);
        match (self.mode, self.wanted_tickets) {
            (Mode::TvmApi { .. }, Some(_)) if tickets_invalid || self.tickets.is_none() => {
                return StatusCode::Error;
            }
            (
                Mode::TvmApi {
                    incomplete_is_error,
                },
                Some(wanted),
            ) if tickets_missing(wanted) => {
                return if incomplete_is_error {
                    StatusCode::Error
                } else {
                    StatusCode::IncompleteTicketsSet
                };
            }
            (Mode::Tool { .. }, Some(wanted)) if tickets_invalid || tickets_missing(wanted) => {
                return StatusCode::Error;
            }
            _ => {}
        }
        if self.wants_keys && keys_unusable {
            return StatusCode::Error;
        }
        let config_is_old = match self.mode {
            Mode::Tool { config_updated } => older(config_updated, CONFIG_WARN),
            Mode::TvmApi { .. } => false,
        };
        let roles_are_old = self
            .roles_warn_after
            .is_some_and(|limit| older(self.roles_updated, limit));
        if self.wanted_tickets.is_some() && older(self.tickets_updated, TICKETS_WARN)
            || self.wants_keys && older(self.keys_updated, KEYS_WARN)
            || roles_are_old
            || config_is_old
        {
            StatusCode::Warning
        } else {
            StatusCode::Ok
        }
    }
}

/// Returns whether keys from a disk or a daemon are too old to be used.
#[must_use]
pub fn keys_unusable(updated: Seconds, now: Seconds) -> bool {
    updated.saturating_add(KEYS_UNUSABLE - MARGIN) < now
}

/// Something counts as expired this many seconds before its end.
const MARGIN: Seconds = 60;
const HOUR: Seconds = 60 * 60;
const DAY: Seconds = 24 * HOUR;
const TICKETS_WARN: Seconds = 2 * HOUR;
const KEYS_WARN: Seconds = 2 * DAY;
/// The maximum age of keys.
pub const KEYS_UNUSABLE: Seconds = 6 * DAY;
const CONFIG_WARN: Seconds = 30;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Seconds = 1_000_000;

    fn health() -> Health {
        Health {
            mode: Mode::TvmApi {
                incomplete_is_error: true,
            },
            wanted_tickets: Some(1),
            tickets: Some(TicketSet {
                count: 1,
                invalid_at: Some(NOW + 60),
            }),
            tickets_updated: Some(NOW - TICKETS_WARN),
            wants_keys: true,
            keys_updated: Some(NOW - KEYS_WARN),
            roles_warn_after: Some(1200),
            roles_updated: Some(NOW - 1200),
        }
    }

    #[test]
    fn each_age_has_a_border() {
        assert_eq!(health().status(NOW), StatusCode::Ok);
        // One second later the ticket counts as expired.
        assert_eq!(health().status(NOW + 1), StatusCode::Error);
        let fresh = |change: fn(&mut Health)| {
            let mut health = health();
            change(&mut health);
            health.status(NOW)
        };
        let warned = [
            fresh(|h| h.tickets_updated = Some(NOW - TICKETS_WARN - 1)),
            fresh(|h| h.keys_updated = Some(NOW - KEYS_WARN - 1)),
            fresh(|h| h.keys_updated = Some(NOW - KEYS_UNUSABLE + MARGIN)),
            fresh(|h| h.roles_updated = Some(NOW - 1201)),
            fresh(|h| h.roles_updated = None),
        ];
        assert_eq!(warned, [StatusCode::Warning; 5]);
        let failed = [
            fresh(|h| h.keys_updated = None),
            fresh(|h| h.keys_updated = Some(NOW - KEYS_UNUSABLE + MARGIN - 1)),
            fresh(|h| h.tickets = None),
            fresh(|h| h.wanted_tickets = Some(2)),
            fresh(|h| {
                h.tickets = Some(TicketSet {
                    count: 1,
                    invalid_at: None,
                });
            }),
        ];
        assert_eq!(failed, [StatusCode::Error; 5]);
    }

    #[test]
    fn an_old_configuration_of_tvmtool_is_a_warning() {
        let at = |config_updated| Health {
            mode: Mode::Tool { config_updated },
            ..health()
        };
        assert_eq!(at(Some(NOW - 30)).status(NOW), StatusCode::Ok);
        assert_eq!(at(Some(NOW - 31)).status(NOW), StatusCode::Warning);
        assert_eq!(at(None).status(NOW), StatusCode::Warning);
    }

    #[test]
    fn a_clock_turned_back_makes_nothing_old() {
        assert_eq!(health().status(0), StatusCode::Ok);
    }
}
