//! Failures of the client of {{TITLE}}, and hints about them.

use vouchsafe::{{MODULE}};

use crate::failure::Failure;

impl From<{{MODULE}}::Error> for Failure {
    fn from(error: {{MODULE}}::Error) -> Self {
        Self::from(error.core().clone())
            .warned_of_doubling(error.core(), {{MODULE}}::mock::operations())
    }
}
