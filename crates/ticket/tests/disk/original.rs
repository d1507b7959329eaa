//! The original's way with the folder, written from the protocol text (section 12), against
//! ours.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hmac::{Hmac, KeyInit as _, Mac as _};
use vouchsafe_core::store::lock;
use vouchsafe_ticket::protocol::{CacheFile, DiskCache};

use super::FILES;

/// Writes in place, under a lock.
fn write(path: &Path, time: i64, data: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    if !lock::try_exclusive(&file)? {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    file.set_len(0)?;
    file.write_all(&content(time, data))?;
    // A process that is just being started, by another test, would hold on to the lock.
    lock::unlock(&file)
}

/// Reads under a lock; `None` for what is too small or changed.
pub(crate) fn read(path: &Path) -> io::Result<Option<(i64, Vec<u8>)>> {
    let mut file = File::open(path)?;
    if !lock::try_shared(&file)? {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    if bytes.len() <= 40 || content_hash(&bytes[32..]) != bytes[..32] {
        return Ok(None);
    }
    let time = i64::from_le_bytes(bytes[32..40].try_into().unwrap());
    Ok(Some((time, bytes[40..].to_vec())))
}

fn content(time: i64, data: &[u8]) -> Vec<u8> {
    let rest = [&time.to_le_bytes()[..], data].concat();
    [content_hash(&rest), rest].concat()
}

fn content_hash(rest: &[u8]) -> Vec<u8> {
    let mut hash = Hmac::<sha2::Sha256>::new_from_slice(b"").unwrap();
    hash.update(rest);
    hash.finalize().into_bytes().to_vec()
}

#[test]
fn each_reads_what_the_other_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let cache = DiskCache::open(folder.path()).unwrap();
    for (which, time) in FILES.into_iter().zip(-1..) {
        let path = folder.path().join(which.name());
        write(&path, time, b"theirs").unwrap();
        let blob = cache.read(which).unwrap().unwrap();
        assert_eq!((blob.time, blob.text().unwrap()), (time, "theirs"));
        cache.write(which, time + 1, b"ours").unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), (time + 1, b"ours".to_vec()));
        // In place again, shorter than before.
        write(&path, time + 2, b"x").unwrap();
        assert_eq!(cache.read(which).unwrap().unwrap().text().unwrap(), "x");
    }
}

#[test]
fn files_that_the_original_refuses_are_refused_and_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let cache = DiskCache::open(folder.path()).unwrap();
    let path = folder.path().join("roles");
    let good = content(1, b"roles");
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let broken = [
        Vec::new(),
        good[..40].to_vec(),
        content(1, b""),
        good[..good.len() - 1].to_vec(),
        flipped(0),
        flipped(32),
        flipped(44),
        [&good[..], b"\n"].concat(),
        vec![0; 41],
        b"roles".repeat(100),
    ];
    for bytes in broken {
        fs::write(&path, &bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(cache.read(CacheFile::Roles).is_err(), "{bytes:?}");
        assert!(read(&path).unwrap().is_none(), "{bytes:?}");
        cache.write(CacheFile::Roles, 2, b"new").unwrap();
        let blob = cache.read(CacheFile::Roles).unwrap().unwrap();
        assert_eq!((blob.time, blob.text().unwrap()), (2, "new"));
    }
}

#[test]
fn half_of_what_the_original_writes_is_never_read() {
    let folder = tempfile::tempdir().unwrap();
    let cache = DiskCache::open(folder.path()).unwrap();
    let path = folder.path().join("roles");
    let value = |round: u8| vec![round; 1000 + 3000 * usize::from(round)];
    write(&path, 0, &value(0)).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..=200 {
                // Fails while the reader holds the lock, as the original's write does.
                let _ = write(&path, round.into(), &value(round));
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            match cache.read(CacheFile::Roles) {
                Ok(blob) => {
                    let blob = blob.unwrap();
                    assert!(*blob.data == value(blob.time.try_into().unwrap()));
                }
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.starts_with("Failed to read"), "half was read: {text}");
                }
            }
        }
    });
    assert!(cache.read(CacheFile::Roles).unwrap().is_some());
}

#[test]
fn readers_never_miss_a_file_that_is_being_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let cache = DiskCache::open(folder.path()).unwrap();
    let path = folder.path().join("roles");
    cache.write(CacheFile::Roles, 0, b"x").unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=300 {
                cache.write(CacheFile::Roles, round, b"x").unwrap();
            }
            done.store(true, Ordering::Release);
        });
        let mut newest = 0;
        while !done.load(Ordering::Acquire) {
            let ours = cache.read(CacheFile::Roles).unwrap().unwrap().time;
            let theirs = read(&path).unwrap().unwrap().0;
            assert!(newest <= ours && ours <= theirs);
            newest = theirs;
        }
    });
}
