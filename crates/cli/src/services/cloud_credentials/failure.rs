//! What the errors of Cortex Data Lake come to, and what to do about them.

use vouchsafe::cloud_credentials;

use crate::failure::Failure;

impl From<cloud_credentials::Error> for Failure {
    fn from(error: cloud_credentials::Error) -> Self {
        Self::from(error.core().clone())
            .warned_of_doubling(error.core(), cloud_credentials::mock::operations())
    }
}
