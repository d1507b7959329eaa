//! The files of the disk cache. Failures are logged: the client works without them.

use std::time::Duration;

use vouchsafe_core::task::MayHang;

use crate::client::protocol::{Blob, CacheFile, DiskCache, Seconds};
use crate::error::Error;

#[derive(Debug)]
pub(super) struct Files(Option<Box<OnDisk>>);

#[derive(Debug)]
struct OnDisk {
    disk: DiskCache,
    /// A disk that does not answer must not keep the client from working.
    using: MayHang,
}

/// For how long a file is waited for.
const LONGEST_USE: Duration = Duration::from_secs(5);

impl Files {
    pub(super) fn new(disk: Option<DiskCache>) -> Self {
        if disk.is_none() {
            tracing::info!(
                "Disk cache disabled. Please set disk cache directory in settings for best \
                 reliability"
            );
        }
        Self(disk.map(|disk| {
            let using = MayHang::new("using the disk cache", LONGEST_USE);
            Box::new(OnDisk { disk, using })
        }))
    }

    pub(super) async fn read(&self, which: CacheFile) -> Option<Blob> {
        let OnDisk { disk, using } = self.0.as_deref()?;
        let disk = disk.clone();
        let read = using.run(move || disk.read(which)).await;
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
        let Some(OnDisk { disk, using }) = self.0.as_deref() else {
            return;
        };
        let disk = disk.clone();
        let data = zeroize::Zeroizing::new(data);
        let write = move || disk.write(which, time, &data);
        let written = using.run(write).await;
        match written.map_err(Error::from).and_then(|written| written) {
            Ok(()) => tracing::info!(file = which.name(), "File was successfully written"),
            Err(error) => tracing::warn!(file = which.name(), %error, "File cannot be written"),
        }
    }
}
