//! The last error of each kind of data that a client fetches (protocol section 10.2).

use super::Verdict;

/// The kinds of data that a client fetches.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "all that a client fetches")]
pub enum Scope {
    /// Service tickets.
    ServiceTickets,
    /// Public keys.
    PublicKeys,
    /// Roles.
    Roles,
    /// The configuration of tvmtool.
    TvmtoolConfig,
}

impl Scope {
    /// Returns the displayed name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServiceTickets => "ServiceTickets",
            Self::PublicKeys => "PublicKeys",
            Self::Roles => "Roles",
            Self::TvmtoolConfig => "TvmtoolConfig",
        }
    }
}

/// Whether another attempt may succeed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "it may or it will not")]
pub enum Retriability {
    /// It may succeed.
    Retriable,
    /// It will fail: something must be changed first.
    NonRetriable,
}

/// The last error within each scope.
#[derive(Clone, Debug, Default)]
pub struct LastError {
    by_scope: [Option<(Retriability, String)>; 4],
}

impl LastError {
    /// Records an error. Within a scope, a retriable error never replaces a permanent one.
    pub fn record(&mut self, scope: Scope, retriability: Retriability, message: &str) {
        let place = &mut self.by_scope[scope as usize];
        let is_hidden = matches!(place, Some((Retriability::NonRetriable, _)))
            && retriability == Retriability::Retriable;
        if !is_hidden {
            *place = Some((retriability, one_line(scope, message)));
        }
    }

    /// Records an unsuccessful answer.
    pub fn record_http(&mut self, scope: Scope, path: &str, status: u16, body: &str) {
        let retriability = match Verdict::of(status) {
            Verdict::NonRetriable => Retriability::NonRetriable,
            _ => Retriability::Retriable,
        };
        self.record(scope, retriability, &http_message(path, status, body));
    }

    /// Removes the error of a scope, which was fetched successfully.
    pub fn clear(&mut self, scope: Scope) {
        self.by_scope[scope as usize] = None;
    }

    /// Removes all errors.
    pub fn clear_all(&mut self) {
        *self = Self::default();
    }

    /// Returns the first permanent error, or else the first one.
    #[must_use]
    pub fn chosen(&self) -> Option<(Retriability, &str)> {
        let noted = || self.by_scope.iter().flatten();
        noted()
            .find(|(retriability, _)| *retriability == Retriability::NonRetriable)
            .or_else(|| noted().next())
            .map(|(retriability, message)| (*retriability, message.as_str()))
    }

    /// Returns the error of a scope.
    #[must_use]
    pub fn of(&self, scope: Scope) -> Option<String> {
        let noted = self.by_scope[scope as usize].as_ref();
        noted.map(|(_, message)| message.clone())
    }

    /// Returns the message that is shown while the status is not Ok.
    #[must_use]
    pub fn message(&self) -> &str {
        self.chosen().map_or(NOTHING_NOTED, |(_, message)| message)
    }
}

/// Formats an unsuccessful answer.
#[must_use]
pub fn http_message(path: &str, status: u16, body: &str) -> String {
    format!("Path:{path}.Code={status}: {body}")
}

fn one_line(scope: Scope, message: &str) -> String {
    let message: String = message.chars().take(LONGEST).collect();
    let message = message.replace('\r', "").replace('\n', " ");
    format!("{}: {message}", scope.name())
}

/// How many characters of a foreign text are kept: a proxy may answer with a whole page.
const LONGEST: usize = 2000;

const NOTHING_NOTED: &str = "Internal client error: failed to collect last useful error message, \
                             please report this message";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permanent_errors_come_first_and_then_the_order_of_scopes() {
        let mut last = LastError::default();
        assert_eq!(last.message(), NOTHING_NOTED);
        last.record(Scope::TvmtoolConfig, Retriability::Retriable, "d");
        last.record(Scope::PublicKeys, Retriability::Retriable, "b");
        assert_eq!(last.message(), "PublicKeys: b");
        last.record(Scope::Roles, Retriability::NonRetriable, "c");
        assert_eq!(last.message(), "Roles: c");
        last.record(Scope::Roles, Retriability::Retriable, "hides nothing");
        assert_eq!(last.message(), "Roles: c");
        last.clear(Scope::Roles);
        last.clear(Scope::PublicKeys);
        assert_eq!(last.message(), "TvmtoolConfig: d");
        last.clear_all();
        assert!(last.chosen().is_none());
    }

    #[test]
    fn an_answer_is_shown_in_one_line() {
        let mut last = LastError::default();
        last.record_http(Scope::PublicKeys, "/2/keys", 404, "not\r\nhere");
        let expected = "PublicKeys: Path:/2/keys.Code=404: not here";
        assert_eq!(last.chosen(), Some((Retriability::NonRetriable, expected)));
        last.record_http(Scope::PublicKeys, "/2/keys", 500, &"x".repeat(1 << 20));
        assert_eq!(last.message(), expected);
    }
}
