//! How often a user may call a service (protocol section 6).

use std::collections::BTreeMap;

/// The state of a user's rate limit for a service, in a window of one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) limit: i64,
    pub(super) used: i64,
    /// Seconds since 1970.
    pub(super) reset: i64,
    pub(super) service: String,
}

/// The open windows, by service and user.
#[derive(Clone, Debug, Default)]
pub(super) struct Windows(BTreeMap<(String, String), Window>);

#[derive(Clone, Copy, Debug)]
struct Window {
    used: i64,
    end: i64,
}

impl Windows {
    /// Counts a request, unless the window is full. The first request opens a window.
    pub(super) fn hit(
        &mut self,
        service: &str,
        username: &str,
        limit: i64,
        now: i64,
    ) -> Result<Rate, Rate> {
        let window = self
            .0
            .entry((service.to_owned(), username.to_owned()))
            .or_insert(Window { used: 0, end: 0 });
        if window.end <= now {
            *window = Window {
                used: 0,
                end: now.saturating_add(WINDOW),
            };
        }
        let has_room = window.used < limit;
        window.used += i64::from(has_room);
        let rate = Rate {
            limit,
            used: window.used.min(limit),
            reset: window.end,
            service: service.to_owned(),
        };
        if has_room { Ok(rate) } else { Err(rate) }
    }
}

const WINDOW: i64 = 60;
