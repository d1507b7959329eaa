//! The authority's settings for retries in the header `X-Ya-Retry-Settings` (protocol section
//! 11.3).

use crate::engine::base64url;
use crate::engine::wire::{Reader, Value, Writer};
use crate::error::{Error, ErrorKind};

/// The settings of one header; missing ones are `None`.
///
/// A client applies the values returned by [`bounded`](Self::bounded).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the fields of the message")]
pub struct RetrySettings {
    /// The minimum wait of the backoff, in seconds.
    pub exponential_backoff_min_sec: Option<u32>,
    /// The maximum wait of the backoff, in seconds.
    pub exponential_backoff_max_sec: Option<u32>,
    /// The factor by which the wait grows.
    pub exponential_backoff_factor: Option<f64>,
    /// The random share of the wait.
    pub exponential_backoff_jitter: Option<f64>,
    /// The maximum random delay before an attempt, in milliseconds, while the status is not Ok.
    pub max_random_sleep_default: Option<u32>,
    /// The maximum random delay before an attempt, in milliseconds, while the status is Ok.
    pub max_random_sleep_when_ok: Option<u32>,
    /// The number of attempts during the start.
    pub retries_on_start: Option<u32>,
    /// The number of attempts afterwards.
    pub retries_in_background: Option<u32>,
    /// How often the worker wakes up, in seconds.
    pub worker_awaking_period_sec: Option<u32>,
    /// The maximum number of destinations in a request.
    pub dsts_limit: Option<u32>,
    /// After how many seconds roles are fetched again.
    pub roles_update_period_sec: Option<u32>,
    /// The age in seconds at which roles cause a warning.
    pub roles_warn_period_sec: Option<u32>,
}

/// The settings of a header up to the first invalid field.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "the two halves of an outcome")]
pub struct Parsed {
    /// The settings to apply.
    pub settings: RetrySettings,
    /// Why the rest is ignored.
    pub fault: Option<Error>,
}

impl RetrySettings {
    /// Parses the header's text. Fields before an invalid one are used.
    #[must_use]
    pub fn parse(header: &str) -> Parsed {
        let mut settings = Self::default();
        let fault = settings.read(header).err();
        Parsed {
            settings,
            fault: fault.map(|why| Error::new(ErrorKind::IllegalUsage, why)),
        }
    }

    /// Formats a header's text, for emulators.
    #[must_use]
    pub fn to_header(&self) -> String {
        let mut message = Writer::default();
        let mut number = |field: u32, value: Option<u32>| {
            if let Some(value) = value {
                message.varint(field, value.into());
            }
        };
        number(1, self.exponential_backoff_min_sec);
        number(2, self.exponential_backoff_max_sec);
        number(5, self.max_random_sleep_default);
        number(6, self.retries_on_start);
        number(7, self.worker_awaking_period_sec);
        number(8, self.dsts_limit);
        number(9, self.retries_in_background);
        number(10, self.roles_update_period_sec);
        number(11, self.roles_warn_period_sec);
        number(12, self.max_random_sleep_when_ok);
        if let Some(factor) = self.exponential_backoff_factor {
            message.fixed64(3, factor.to_bits());
        }
        if let Some(jitter) = self.exponential_backoff_jitter {
            message.fixed64(4, jitter.to_bits());
        }
        base64url::encode(&message.finish())
    }

    /// Returns the settings with every value limited to the maximum that a client applies.
    ///
    /// The limits prevent a wrong or forged header from stopping a client: with a period of
    /// `u32::MAX` seconds it would not fetch anything for 136 years, and since the header is kept
    /// in the disk cache, not even a restart would help. They are far above what a sensible server
    /// asks for, and low enough that tickets, keys and roles are refreshed before they become
    /// unusable.
    ///
    /// | field | maximum |
    /// | --- | --- |
    /// | `exponential_backoff_min_sec` | 1 minute |
    /// | `exponential_backoff_max_sec` | 10 minutes |
    /// | `exponential_backoff_factor` | 100 |
    /// | `max_random_sleep_default` | 5 minutes |
    /// | `max_random_sleep_when_ok` | 10 minutes |
    /// | `retries_on_start`, `retries_in_background` | 10 |
    /// | `worker_awaking_period_sec` | 10 minutes, and at least 1 second |
    /// | `dsts_limit` | 10,000 |
    /// | `roles_update_period_sec` | 1 hour |
    /// | `roles_warn_period_sec` | 1 day |
    #[must_use]
    pub fn bounded(self) -> Self {
        const MINUTE: u32 = 60;
        const MILLIS: u32 = 1000;
        let most = |value: Option<u32>, ceiling: u32| value.map(|value| value.min(ceiling));
        Self {
            exponential_backoff_min_sec: most(self.exponential_backoff_min_sec, MINUTE),
            exponential_backoff_max_sec: most(self.exponential_backoff_max_sec, 10 * MINUTE),
            exponential_backoff_factor: self
                .exponential_backoff_factor
                .map(|factor| factor.min(100.0)),
            exponential_backoff_jitter: self.exponential_backoff_jitter,
            max_random_sleep_default: most(self.max_random_sleep_default, 5 * MINUTE * MILLIS),
            max_random_sleep_when_ok: most(self.max_random_sleep_when_ok, 10 * MINUTE * MILLIS),
            retries_on_start: most(self.retries_on_start, 10),
            retries_in_background: most(self.retries_in_background, 10),
            // Zero would keep a core busy.
            worker_awaking_period_sec: most(self.worker_awaking_period_sec, 10 * MINUTE)
                .map(|period| period.max(1)),
            dsts_limit: most(self.dsts_limit, 10_000),
            roles_update_period_sec: most(self.roles_update_period_sec, 60 * MINUTE),
            roles_warn_period_sec: most(self.roles_warn_period_sec, 24 * 60 * MINUTE),
        }
    }

    fn read(&mut self, header: &str) -> Result<(), &'static str> {
        let message =
            base64url::decode(header.as_bytes()).ok_or("Invalid base64url in settings")?;
        // If a field occurs twice the last one counts, so the whole message is read before
        // validation.
        let mut given = Self::default();
        let mut fields = Reader::new(&message);
        while let Some(field) = fields
            .next_field()
            .map_err(|_| "Invalid proto in settings")?
        {
            match field {
                (number, Value::Varint(value)) => {
                    if let Some(place) = given.number(number) {
                        *place = Some(value as u32);
                    }
                }
                (3, Value::Fixed64(bits)) => {
                    given.exponential_backoff_factor = Some(f64::from_bits(bits));
                }
                (4, Value::Fixed64(bits)) => {
                    given.exponential_backoff_jitter = Some(f64::from_bits(bits));
                }
                _ => {}
            }
        }
        self.take(given)
    }

    fn number(&mut self, field: u32) -> Option<&mut Option<u32>> {
        Some(match field {
            1 => &mut self.exponential_backoff_min_sec,
            2 => &mut self.exponential_backoff_max_sec,
            5 => &mut self.max_random_sleep_default,
            6 => &mut self.retries_on_start,
            7 => &mut self.worker_awaking_period_sec,
            8 => &mut self.dsts_limit,
            9 => &mut self.retries_in_background,
            10 => &mut self.roles_update_period_sec,
            11 => &mut self.roles_warn_period_sec,
            12 => &mut self.max_random_sleep_when_ok,
            _ => return None,
        })
    }

    /// Takes the fields in the order of their numbers up to the first invalid one.
    fn take(&mut self, given: Self) -> Result<(), &'static str> {
        self.exponential_backoff_min_sec = given.exponential_backoff_min_sec;
        self.exponential_backoff_max_sec = given.exponential_backoff_max_sec;
        let factor = given.exponential_backoff_factor;
        if factor.is_some_and(|factor| !(factor > 1.0 && factor.is_finite())) {
            return Err("factor must be greater than 1");
        }
        self.exponential_backoff_factor = factor;
        let jitter = given.exponential_backoff_jitter;
        if jitter.is_some_and(|jitter| !(0.0..1.0).contains(&jitter)) {
            return Err("jitter must be in [0, 1)");
        }
        self.exponential_backoff_jitter = jitter;
        self.max_random_sleep_default = given.max_random_sleep_default;
        self.retries_on_start = not_zero(given.retries_on_start, "retries_on_start==0")?;
        self.worker_awaking_period_sec = given.worker_awaking_period_sec;
        self.dsts_limit = not_zero(given.dsts_limit, "dsts_limit==0")?;
        self.retries_in_background =
            not_zero(given.retries_in_background, "retries_in_background==0")?;
        self.roles_update_period_sec =
            not_zero(given.roles_update_period_sec, "roles_update_period==0")?;
        self.roles_warn_period_sec =
            not_zero(given.roles_warn_period_sec, "roles_warn_period_sec==0")?;
        self.max_random_sleep_when_ok = given.max_random_sleep_when_ok;
        Ok(())
    }
}

fn not_zero(value: Option<u32>, why: &'static str) -> Result<Option<u32>, &'static str> {
    if value == Some(0) {
        Err(why)
    } else {
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let settings = RetrySettings {
            exponential_backoff_min_sec: Some(0),
            exponential_backoff_factor: Some(1.5),
            exponential_backoff_jitter: Some(0.25),
            worker_awaking_period_sec: Some(300),
            dsts_limit: Some(1),
            ..RetrySettings::default()
        };
        let parsed = RetrySettings::parse(&settings.to_header());
        assert_eq!(parsed.settings, settings);
        assert!(parsed.fault.is_none());
    }

    #[test]
    fn fields_before_a_bad_one_count_and_those_behind_do_not() {
        let settings = RetrySettings {
            exponential_backoff_min_sec: Some(7),
            retries_on_start: Some(0),
            dsts_limit: Some(5),
            ..RetrySettings::default()
        };
        let parsed = RetrySettings::parse(&settings.to_header());
        assert_eq!(parsed.settings.exponential_backoff_min_sec, Some(7));
        assert_eq!(parsed.settings.dsts_limit, None);
        assert_eq!(parsed.fault.unwrap().message(), "retries_on_start==0");
    }

    #[test]
    fn an_invalid_message_changes_nothing() {
        for bad in ["", "***", "_w"] {
            let parsed = RetrySettings::parse(bad);
            assert_eq!(parsed.settings, RetrySettings::default(), "{bad:?}");
            assert!(parsed.fault.is_some(), "{bad:?}");
        }
    }
}
