//! The files of the disk cache. Failures are logged: the client works without them.

use vouchsafe_core::task::blocking;

use crate::client::protocol::{Blob, CacheFile, DiskCache, Seconds};
use crate::error::Error;

#[derive(Debug)]
pub(super) struct Files(Option<DiskCache>);

impl Files {
    pub(super) fn new(disk: Option<DiskCache>) -> Self {
        if disk.is_none() {
            tracing::info!(
                "Disk cache disabled. Please set disk cache directory in settings for best \
                 reliability"
            );
        }
        Self(disk)
    }

    pub(super) async fn read(&self, which: CacheFile) -> Option<Blob> {
        let disk = self.0.clone()?;
        let read = blocking("reading the disk cache", move || disk.read(which)).await;
        match read.map_err(Error::from).and_then(|read| read) {
            Ok(Some(blob)) => {
                tracing::info!(file = which.name(), "File was successfully read");
                Some(blob)
            }
            Ok(None) => {
                tracing::debug!(file = which.name(), "File does not exist");
                None
            }
            Err(error) => {
                tracing::warn!(file = which.name(), %error, "File cannot be read");
                None
            }
        }
    }

    pub(super) async fn write(&self, which: CacheFile, time: Seconds, data: Vec<u8>) {
        let Some(disk) = self.0.clone() else {
            return;
        };
        let data = zeroize::Zeroizing::new(data);
        let write = move || disk.write(which, time, &data);
        let written = blocking("writing the disk cache", write).await;
        match written.map_err(Error::from).and_then(|written| written) {
            Ok(()) => tracing::info!(file = which.name(), "File was successfully written"),
            Err(error) => tracing::warn!(file = which.name(), %error, "File cannot be written"),
        }
    }
}
