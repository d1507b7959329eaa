//! What the status of an answer means for further attempts (protocol section 11.3).

/// How to treat an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "take it, try again, or give up")]
pub enum Verdict {
    /// It is used.
    Accept,
    /// Another attempt may succeed.
    Retriable,
    /// No further attempt will succeed.
    NonRetriable,
}

impl Verdict {
    /// Returns the verdict on a status.
    #[must_use]
    pub fn of(status: u16) -> Self {
        match status {
            400..=499 => Self::NonRetriable,
            200..=398 => Self::Accept,
            _ => Self::Retriable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_borders_are_those_of_the_original() {
        let judged = [199, 200, 398, 399, 400, 499, 500].map(Verdict::of);
        use Verdict::{Accept, NonRetriable, Retriable};
        assert_eq!(
            judged,
            [
                Retriable,
                Accept,
                Accept,
                Retriable,
                NonRetriable,
                NonRetriable,
                Retriable
            ]
        );
    }
}
