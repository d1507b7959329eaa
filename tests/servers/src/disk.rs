//! A disk that is really full.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::skip;

/// A small file system of its own, in memory, which a test can fill. Dropping it unmounts it.
#[derive(Debug)]
pub struct SmallDisk {
    place: PathBuf,
}

/// Enough for a database with its log.
const SIZE: &str = "size=512k,mode=0700";

impl SmallDisk {
    /// Mounts it in a folder of the test, or says that the test is skipped: only root may.
    #[must_use]
    pub fn mount(folder: &Path) -> Option<Self> {
        let place = folder.join("small-disk");
        fs::create_dir(&place).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", SIZE, "small-disk"]);
        let mounted = mount.arg(&place).output();
        let why = match mounted {
            Ok(output) if output.status.success() => return Some(Self { place }),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(cause) => cause.to_string(),
        };
        skip(&format!("a file system cannot be mounted here: {why}"));
        None
    }

    /// Returns its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.place
    }

    /// Takes all the room that is left.
    pub fn fill(&self) {
        let mut file = File::options();
        let mut file = file.create(true).append(true).open(self.ballast()).unwrap();
        let page = [0; 4096];
        loop {
            match file.write_all(&page) {
                Ok(()) => {}
                Err(cause) if cause.kind() == ErrorKind::StorageFull => return,
                Err(cause) => unreachable!("{cause}"),
            }
        }
    }

    /// Gives back what [`fill`](Self::fill) took.
    pub fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.place.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Even if a file is still open.
        let mut unmount = Command::new("umount");
        let _ = unmount.arg("--lazy").arg(&self.place).status();
    }
}
