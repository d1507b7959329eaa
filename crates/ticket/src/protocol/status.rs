//! How a client is doing, in words (protocol section 10.2). What it is computed from is in
//! `client`.

use std::fmt;

/// How a client is doing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum StatusCode {
    /// All that was asked for is there and fresh.
    Ok,
    /// Something was not fetched anew for too long. It is still in use.
    Warning,
    /// Something is missing, or too old to be relied upon.
    Error,
    /// Not all tickets are there, and the settings allow that.
    IncompleteTicketsSet,
}

impl StatusCode {
    /// Returns the number that the original gives to it.
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

/// How a client is doing, and the last thing that went wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientStatus {
    code: StatusCode,
    last_error: String,
}

impl ClientStatus {
    /// Puts both together.
    #[must_use]
    pub fn new(code: StatusCode, last_error: impl Into<String>) -> Self {
        Self {
            code,
            last_error: last_error.into(),
        }
    }

    /// Returns how the client is doing.
    #[must_use]
    pub fn code(&self) -> StatusCode {
        self.code
    }

    /// Returns the last thing that went wrong and was not mended since, in one line; `OK` if all
    /// is well.
    #[must_use]
    pub fn last_error(&self) -> &str {
        &self.last_error
    }

    /// Returns the line for monitoring, newline included: `0` for Ok, `1` for Warning and
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
