//! The status of a client (protocol section 10.2). `client` computes it.

use std::fmt;

/// The status of a client.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum StatusCode {
    /// Everything that was configured is present and fresh.
    Ok,
    /// Something has not been refreshed for too long. It is still in use.
    Warning,
    /// Something is missing, or too old to be reliable.
    Error,
    /// Some tickets are missing, and the settings allow that.
    IncompleteTicketsSet,
}

impl StatusCode {
    /// Returns the original's number for it.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Error => 2,
            Self::IncompleteTicketsSet => 3,
        }
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "Ok",
            Self::Warning => "Warning",
            Self::Error => "Error",
            Self::IncompleteTicketsSet => "IncompleteTicketsSet",
        }
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The status of a client and its last error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientStatus {
    code: StatusCode,
    last_error: String,
}

impl ClientStatus {
    /// Creates a status from both parts.
    #[must_use]
    pub fn new(code: StatusCode, last_error: impl Into<String>) -> Self {
        Self {
            code,
            last_error: last_error.into(),
        }
    }

    /// Returns the status code.
    #[must_use]
    pub fn code(&self) -> StatusCode {
        self.code
    }

    /// Returns the last error that has not been resolved since, in one line; `OK` if there is none.
    #[must_use]
    pub fn last_error(&self) -> &str {
        &self.last_error
    }

    /// Returns the line for monitoring, including the newline: `0` for Ok, `1` for Warning and
    /// IncompleteTicketsSet, `2` for Error.
    #[must_use]
    #[doc(alias = "CreateJugglerStatus")]
    pub fn monitoring_line(&self) -> String {
        let level = match self.code {
            StatusCode::Ok => 0,
            StatusCode::Warning | StatusCode::IncompleteTicketsSet => 1,
            StatusCode::Error => 2,
        };
        format!("{level};TvmClient: {}\n", self.last_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_monitoring_has_three_levels() {
        let line = |code| ClientStatus::new(code, "x").monitoring_line();
        assert_eq!(line(StatusCode::Ok), "0;TvmClient: x\n");
        assert_eq!(line(StatusCode::Warning), "1;TvmClient: x\n");
        assert_eq!(line(StatusCode::IncompleteTicketsSet), "1;TvmClient: x\n");
        assert_eq!(line(StatusCode::Error), "2;TvmClient: x\n");
    }
}
