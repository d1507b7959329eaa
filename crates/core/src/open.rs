//! Opening files whose paths come from users, which may lead to anything.

use std::fs::{Metadata, OpenOptions};
use std::io;

/// Opens without waiting for the other end of a pipe. A symbolic link at the path is followed, or
/// refused, on Unix.
pub(crate) fn without_waiting(options: &mut OpenOptions, follows_links: bool) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        use rustix::fs::OFlags;
        let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        if !follows_links {
            flags |= OFlags::NOFOLLOW;
        }
        options.custom_flags(flags.bits().cast_signed());
    }
    #[cfg(not(unix))]
    let _ = (options, follows_links);
}

/// Refuses everything but regular files. Ask it about the open file: a path may lead to another
/// one by now.
pub(crate) fn require_regular(about: &Metadata) -> io::Result<()> {
    let kind = about.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let what = if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a symbolic link to nothing"
    } else {
        "a pipe, a socket or a device"
    };
    Err(io::Error::other(format!("it is not a file but {what}")))
}
