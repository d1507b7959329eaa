//! Failures of the client of Cortex Data Lake, and hints about them.

use vouchsafe::cloud_credentials::{self, ErrorKind};

use crate::failure::Failure;

impl From<cloud_credentials::Error> for Failure {
    fn from(error: cloud_credentials::Error) -> Self {
        let failure = Self::from(error.core().clone())
            .warned_of_doubling(error.core(), cloud_credentials::mock::operations());
        match error.kind() {
            _ if error.is_reauthorization_needed() => failure
                .kind("reauthorization_needed")
                .hint("log in again: vouchsafe credentials login"),
            ErrorKind::PartialCredentials => failure
                .kind("partial_credentials")
                .hint("run vouchsafe credentials doctor for details"),
            ErrorKind::StoreCorrupt if !error.is_repairable() => failure
                .kind("store_corrupt")
                .hint("correct the file by hand, or remove it and log in again"),
            ErrorKind::StoreCorrupt => failure.kind("store_corrupt").hint(
                "vouchsafe credentials repair puts the last good content back, if there is any",
            ),
            _ => failure,
        }
    }
}
