//! How long to wait between tries (protocol section 11.3).

use std::time::Duration;

use super::RetrySettings;
use crate::error::{Error, ErrorKind};

/// A wait that grows with each failure and shrinks with each success.
///
/// Core's `Backoff` cannot stand in: here the authority sets all numbers at any time, a success shrinks
/// the wait instead of resetting it, and the random part is drawn from a normal distribution. The
/// random numbers are those of core.
///
/// With the original's minimum wait of zero it would never grow, because it grows by a factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    factor: f64,
    jitter: f64,
    current: Duration,
}

impl Backoff {
    /// Creates a backoff that starts at its minimum wait.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::IllegalUsage`] unless the factor is above one and the jitter in [0, 1).
    pub fn new(min: Duration, max: Duration, factor: f64, jitter: f64) -> Result<Self, Error> {
        let illegal = |what| Err(Error::new(ErrorKind::IllegalUsage, what));
        if !(factor > 1.0 && factor.is_finite()) {
            return illegal("factor must be greater than 1");
        }
        if !(0.0..1.0).contains(&jitter) {
            return illegal("jitter must be in [0, 1)");
        }
        Ok(Self {
            min,
            max,
            factor,
            jitter,
            current: min,
        })
    }

    /// Returns how long to wait now.
    #[must_use]
    pub fn current(&self) -> Duration {
        self.current
    }

    /// Grows after a failure; `draw` is a sample of the standard normal distribution.
    pub fn fail(&mut self, draw: f64) {
        let grown = (self.current.as_secs_f64() * self.factor).min(self.max.as_secs_f64());
        // |N(0,1)| with the sign of the sample is the sample itself.
        self.current = duration(grown + draw * self.jitter * grown);
    }

    /// Shrinks after a success.
    pub fn succeed(&mut self) {
        let shrunk = self.current.as_secs_f64() / self.factor;
        self.current = duration(shrunk).max(self.min);
    }

    /// Applies the values of the authority's settings; the others stay.
    pub fn apply(&mut self, settings: &RetrySettings) {
        let seconds = |value: u32| Duration::from_secs(value.into());
        if let Some(min) = settings.exponential_backoff_min_sec {
            self.min = seconds(min);
        }
        if let Some(max) = settings.exponential_backoff_max_sec {
            self.max = seconds(max);
        }
        self.factor = settings.exponential_backoff_factor.unwrap_or(self.factor);
        self.jitter = settings.exponential_backoff_jitter.unwrap_or(self.jitter);
        self.current = self.current.max(self.min);
    }
}

impl Default for Backoff {
    /// The original's numbers, except for the minimum wait: 100 milliseconds instead of zero, so
    /// that the wait can grow.
    fn default() -> Self {
        let min = Duration::from_millis(100);
        Self {
            min,
            max: Duration::from_secs(60),
            factor: 2.0,
            jitter: 0.5,
            current: min,
        }
    }
}

/// Negative values, from a large negative sample, become zero.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_its_limit_and_shrinks_to_its_start() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 4 * second, 2.0, 0.0).unwrap();
        for expected in [2, 4, 4] {
            backoff.fail(3.0);
            assert_eq!(backoff.current(), expected * second);
        }
        for expected in [2, 1, 1] {
            backoff.succeed();
            assert_eq!(backoff.current(), expected * second);
        }
    }

    #[test]
    fn a_draw_never_makes_a_wait_negative() {
        let mut backoff = Backoff::default();
        backoff.fail(-100.0);
        assert_eq!(backoff.current(), Duration::ZERO);
        backoff.succeed();
        assert_eq!(backoff.current(), Duration::from_millis(100));
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        let make = |factor, jitter| Backoff::new(Duration::ZERO, Duration::MAX, factor, jitter);
        assert!(make(1.0, 0.5).is_err() && make(f64::NAN, 0.5).is_err());
        assert!(make(2.0, 1.0).is_err() && make(2.0, -0.1).is_err());
        assert!(make(1.1, 0.0).is_ok());
    }

    #[test]
    fn settings_of_the_authority_are_taken_over() {
        let mut backoff = Backoff::default();
        backoff.apply(&RetrySettings {
            exponential_backoff_min_sec: Some(3),
            exponential_backoff_jitter: Some(0.0),
            ..RetrySettings::default()
        });
        assert_eq!(backoff.current(), Duration::from_secs(3));
        backoff.fail(1.0);
        assert_eq!(backoff.current(), Duration::from_secs(6));
    }
}
