use super::super::SystemDisk;
use super::*;

fn open(path: &Path) -> io::Result<PrivateFile> {
    PrivateFile::open(path, b"begin\n", Arc::new(SystemDisk))
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    (folder, path)
}

fn refusal(path: &Path) -> String {
    open(path).unwrap_err().to_string()
}

#[test]
fn what_is_appended_or_replaced_is_there_when_it_is_opened_again() {
    let (_folder, path) = scratch();
    let mut file = open(&path).unwrap();
    file.append(b"one\n").unwrap();
    file.handle().sync().unwrap();
    drop(file);
    let mut file = open(&path).unwrap();
    assert_eq!(**file.read(100).unwrap(), *b"begin\none\n");
    file.replace(b"new\n").unwrap();
    file.append(b"two\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new\ntwo\n");
    file.cut(4).unwrap();
    file.append(b"three\n").unwrap();
    assert_eq!(**file.read(100).unwrap(), *b"new\nthree\n");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_second_open_in_this_process_is_refused() {
    let (_folder, path) = scratch();
    let mut file = open(&path).unwrap();
    assert_eq!(refusal(&path), "this process has it open already");
    file.replace(b"").unwrap();
    assert_eq!(refusal(&path), "this process has it open already");
    drop(file);
    let file = open(&path).unwrap();
    assert_eq!(refusal(&path), "this process has it open already");
    drop(file);
    drop(open(&path).unwrap());
    let other = File::open(&path).unwrap();
    assert!(lock::try_exclusive(&other).unwrap());
    assert_eq!(refusal(&path), BY_ANOTHER);
}

#[cfg(unix)]
#[test]
fn an_opener_that_waited_for_a_replaced_file_starts_again() {
    let (_folder, path) = scratch();
    let mut file = open(&path).unwrap();
    let old = File::options().read(true).append(true).open(&path).unwrap();
    file.replace(b"new\n").unwrap();
    // No process holds the lock of the old file any more, and no path refers to it.
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let owner = Owner::of_process();
    let locked = |path: &Path| PrivateFile::locked(path, old.try_clone().unwrap(), owner, &disk);
    assert!(locked(&path).unwrap().is_none());
    assert_eq!(refusal(&path), "this process has it open already");
    assert!(PrivateFile::created(&path, b"", &disk).unwrap().is_none());
    drop(file);
    assert!(locked(&path.join("below")).is_err());
    fs::remove_file(&path).unwrap();
    assert!(locked(&path).unwrap().is_none());
}

#[cfg(unix)]
#[test]
fn a_second_opener_is_refused_whatever_it_calls_the_file() {
    let (folder, path) = scratch();
    let _file = open(&path).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(refusal(&link).contains("open already"));
    let hard = folder.path().join("hard");
    fs::hard_link(&path, &hard).unwrap();
    assert!(refusal(&hard).contains("open already"));
    let below = folder.path().join("below");
    std::os::unix::fs::symlink(folder.path(), &below).unwrap();
    assert!(refusal(&below.join("file")).contains("open already"));
}

#[cfg(unix)]
#[test]
fn a_write_that_would_be_lost_is_refused_until_the_cause_is_gone() {
    let (folder, path) = scratch();
    let mut file = open(&path).unwrap();
    let other = folder.path().join("other");
    fs::hard_link(&path, &other).unwrap();
    assert!(
        file.append(b"x")
            .unwrap_err()
            .to_string()
            .contains("2 names")
    );
    assert!(file.replace(b"x").is_err());
    fs::remove_file(&other).unwrap();
    file.append(b"1\n").unwrap();

    fs::rename(&path, &other).unwrap();
    assert!(
        file.append(b"x")
            .unwrap_err()
            .to_string()
            .contains("removed")
    );
    fs::write(&path, "begin\n1\n").unwrap();
    let error = file.append(b"x").unwrap_err().to_string();
    assert!(error.contains("took its place"), "{error}");
    assert!(file.replace(b"x").is_err());
    fs::rename(&other, &path).unwrap();
    file.append(b"2\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"begin\n1\n2\n");

    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(3)
        .unwrap();
    let error = file.append(b"x").unwrap_err().to_string();
    assert!(error.contains("3 bytes instead of 10"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_with_two_names_is_not_opened() {
    let (folder, path) = scratch();
    fs::write(&path, "x").unwrap();
    fs::hard_link(&path, folder.path().join("other")).unwrap();
    assert!(refusal(&path).contains("2 names"));
    assert_eq!(fs::read(&path).unwrap(), b"x");
}

#[cfg(unix)]
#[test]
fn what_others_can_write_is_refused_and_what_they_can_read_is_made_private_when_claimed() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, path) = scratch();
    drop(open(&path).unwrap());
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    assert_eq!(mode(), 0o600);
    for bad in [0o666, 0o620, 0o602] {
        set(&path, bad);
        assert!(refusal(&path).contains("other users may write it"));
        assert_eq!(mode(), bad);
    }
    set(&path, 0o644);
    let file = open(&path).unwrap();
    assert_eq!(mode(), 0o644, "it may be anything yet");
    file.claim().unwrap();
    drop(file);
    assert_eq!(mode(), 0o600);
    set(folder.path(), 0o777);
    assert!(refusal(&path).contains("other users may write to the folder"));
}

#[cfg(unix)]
#[test]
fn what_is_not_a_file_is_refused_and_does_not_hang() {
    let (folder, path) = scratch();
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    assert!(refusal(&path).contains("a pipe"));
    assert!(refusal(folder.path()).contains("a folder"));
    assert!(open(Path::new("/dev/full")).is_err());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path().join("none"), &link).unwrap();
    assert!(refusal(&link).contains("a symbolic link to nothing"));
    assert!(!folder.path().join("none").exists());
}

/// A disk with room for this many bytes.
#[derive(Debug)]
struct Small {
    left: Mutex<usize>,
    cuts: bool,
}

impl Disk for Small {
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        let mut left = self.left.lock().unwrap();
        let written = bytes.len().min(*left);
        SystemDisk.write(file, &bytes[..written])?;
        *left -= written;
        if written < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        if self.cuts {
            return SystemDisk.cut(file, length);
        }
        Err(io::Error::other("planted"))
    }
}

/// A disk that cannot make the content of a file safe.
#[derive(Debug)]
struct Unsafe;

impl Disk for Unsafe {
    fn sync(&self, _: &File) -> io::Result<()> {
        Err(io::Error::other("planted"))
    }
}

#[test]
fn a_file_whose_sync_failed_takes_no_writes_once_it_is_closed() {
    let (_folder, path) = scratch();
    drop(open(&path).unwrap());
    let mut file = PrivateFile::open(&path, b"", Arc::new(Unsafe)).unwrap();
    assert_eq!(file.length(), 6);
    assert!(file.handle().sync().is_err());
    file.close("a sync failed");
    let error = file.append(b"x").unwrap_err();
    assert_eq!(error.to_string(), "a sync failed; open it again");
}

#[test]
fn half_a_write_is_cut_off_again_and_later_ones_go_on() {
    let (_folder, path) = scratch();
    let disk = Arc::new(Small {
        left: Mutex::new(8),
        cuts: true,
    });
    let mut file = PrivateFile::open(&path, b"begin\n", Arc::clone(&disk) as _).unwrap();
    let error = file.append(b"too long\n").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(fs::read(&path).unwrap(), b"begin\n");
    *disk.left.lock().unwrap() = 100;
    file.append(b"on\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"begin\non\n");
}

#[test]
fn half_a_write_that_cannot_be_cut_off_closes_the_file() {
    let (_folder, path) = scratch();
    let disk = Arc::new(Small {
        left: Mutex::new(8),
        cuts: false,
    });
    let mut file = PrivateFile::open(&path, b"begin\n", Arc::clone(&disk) as _).unwrap();
    file.append(b"too long\n").unwrap_err();
    *disk.left.lock().unwrap() = 100;
    let error = file.append(b"on\n").unwrap_err().to_string();
    assert!(error.contains("unknown end"), "{error}");
    assert!(file.replace(b"").is_err());
    assert_eq!(fs::read(&path).unwrap(), b"begin\nto");
}
