//! Failures of the client of Cortex Data Lake, and hints about them.

use vouchsafe::cloud_credentials;

use crate::failure::Failure;

impl From<cloud_credentials::Error> for Failure {
    fn from(error: cloud_credentials::Error) -> Self {
        Self::from(error.core().clone())
            .warned_of_doubling(error.core(), cloud_credentials::mock::operations())
    }
}
