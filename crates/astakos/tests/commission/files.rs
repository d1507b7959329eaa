//! The journal in a file.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vouchsafe_astakos::ErrorKind;
use vouchsafe_astakos::commission::{CommissionId, FileJournal, Journal, Outcome};
use vouchsafe_astakos::mock::Server;

use super::{client, one, quick};

pub(super) const LIMIT: Duration = Duration::from_secs(10);

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Opens a journal that was in use a moment ago: what ran in the background lets go of it when
/// the runtime comes to it.
pub(super) async fn reopened(path: &Path) -> FileJournal {
    loop {
        match FileJournal::open(path) {
            Ok(journal) => return journal,
            Err(error) if error.to_string().contains("this process has it open") => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn what_is_open_is_read_back() {
    let (server, folder) = (Server::new(), folder());
    let path = folder.path().join("journal");
    let (open, serial) = {
        let journal = Arc::new(FileJournal::open(&path).unwrap());
        let issuer = quick(client(&server), Arc::clone(&journal) as _)
            .build()
            .unwrap();
        let guard = issuer.issue(&one()).await.unwrap();
        issuer.issue(&one()).await.unwrap().commit().await.unwrap();
        issuer.flush(LIMIT).await;
        let committing = Outcome::Committing(guard.serial());
        journal.outcome(guard.id(), committing).await.unwrap();
        (journal.open().await.unwrap(), guard.serial())
    };
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].committing, Some(serial));
    let again = reopened(&path).await;
    assert_eq!(again.open().await.unwrap(), open);
    assert!(!fs::read_to_string(&path).unwrap().contains("server 42"));
}

/// A journal with a commission that was issued, committed and closed.
async fn used_up(path: &Path) -> Vec<u8> {
    let server = Server::new();
    let journal = Arc::new(FileJournal::open(path).unwrap());
    let issuer = quick(client(&server), journal as _).build().unwrap();
    issuer.issue(&one()).await.unwrap().commit().await.unwrap();
    issuer.flush(LIMIT).await;
    drop(issuer);
    drop(reopened(path).await);
    fs::read(path).unwrap()
}

/// Makes a file as an editor would; only its owner may write it.
fn write(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[tokio::test]
async fn an_unfinished_line_at_the_end_is_cut_off() {
    let folder = folder();
    let path = folder.path().join("journal");
    let whole = used_up(&path).await;
    let header = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let text = String::from_utf8(whole.clone()).unwrap();
    let end_of = |what: &str| {
        let at = text.find(what).unwrap();
        at + text[at..].find('\n').unwrap()
    };
    let (intent, closed) = (end_of(" intent "), end_of(" closed "));
    for end in 0..whole.len() {
        write(&path, &whole[..end]);
        let journal = FileJournal::open(&path);
        if end > 0 && end < header {
            let error = journal.unwrap_err();
            assert!(error.to_string().contains("not a journal"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), &whole[..end], "it was changed");
            continue;
        }
        let open = journal.unwrap().open().await.unwrap();
        let is_open = intent < end && end <= closed;
        assert_eq!(open.len(), usize::from(is_open), "{end}");
        let kept = fs::read(&path).unwrap();
        let cut = whole[..end].iter().rposition(|&byte| byte == b'\n');
        assert!(kept.starts_with(&whole[..cut.map_or(0, |at| at + 1)]));
        assert!(kept.ends_with(b"\n"));
    }
}

#[tokio::test]
async fn a_damaged_line_is_named_and_nothing_is_changed() {
    let folder = folder();
    let path = folder.path().join("journal");
    let whole = used_up(&path).await;
    let text = String::from_utf8(whole.clone()).unwrap();
    for what in ["intent", "committing", "closed"] {
        let at = text.find(what).unwrap();
        let line = 1 + text[..at].matches('\n').count();
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        write(&path, &damaged);
        let error = FileJournal::open(&path).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Core(vouchsafe_core::ErrorKind::Store)
        );
        let expected = format!("line {line} is damaged");
        assert!(error.to_string().contains(&expected), "{error}");
        assert_eq!(fs::read(&path).unwrap(), damaged, "it was changed");
    }
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("journal");
    let bytes: [&[u8]; 6] = [
        b"gt-0123456789012345678901.planted",
        b"gt-0123456789012345678901.planted\n",
        b"{\"planted\": 1}\n",
        &[0; 100_000],
        b"0123456789abcdef intent 00112233445566778899aabbccddeeff\n",
        b"\n",
    ];
    for bytes in bytes {
        write(&path, bytes);
        let error = FileJournal::open(&path).unwrap_err().to_string();
        assert!(error.contains("not a journal"), "{error}");
        assert!(!error.contains("planted"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    write(&path, b"vouchsafe-commissions 3\nsomething\n");
    let error = FileJournal::open(&path).unwrap_err().to_string();
    assert!(error.contains("version 3"), "{error}");
    // Half a GiB of nothing, which must not be read.
    write(&path, b"");
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(512 << 20).unwrap();
    let error = FileJournal::open(&path).unwrap_err().to_string();
    assert!(error.contains("too many"), "{error}");
}

#[tokio::test]
async fn an_empty_file_becomes_a_journal() {
    let folder = folder();
    let path = folder.path().join("journal");
    write(&path, b"");
    drop(FileJournal::open(&path).unwrap());
    assert!(
        fs::read(&path)
            .unwrap()
            .starts_with(b"vouchsafe-commissions 2\n")
    );
}

#[tokio::test]
async fn a_journal_without_a_header_is_read_and_gets_one() {
    let folder = folder();
    let path = folder.path().join("journal");
    let whole = String::from_utf8(used_up(&path).await).unwrap();
    let records = ["intent", "committing"];
    let lines = whole.lines().filter(|line| {
        let is_of = |kind: &&str| line.contains(&format!(" {kind} "));
        records.iter().any(is_of)
    });
    let mut old: Vec<String> = lines.map(|line| format!("{line}\n")).collect();
    write(&path, old.concat().as_bytes());
    let open = FileJournal::open(&path).unwrap().open().await.unwrap();
    assert_eq!(open.len(), 1);
    assert!(open[0].committing.is_some());
    assert!(
        fs::read(&path)
            .unwrap()
            .starts_with(b"vouchsafe-commissions 2\n")
    );
    assert_eq!(
        FileJournal::open(&path).unwrap().open().await.unwrap(),
        open
    );
    // There, the last line may have been synced as well as any other.
    let last = old[1].len() - 2;
    old[1].replace_range(last..=last, "x");
    write(&path, old.concat().as_bytes());
    let error = FileJournal::open(&path).unwrap_err().to_string();
    assert!(error.contains("line 2 is damaged"), "{error}");
}

const OTHER: &str = "VOUCHSAFE_OTHER_PROCESS";

/// Not a separate test: another process's view of a journal.
#[test]
fn another_process_opens_a_journal() {
    if let Some(path) = vouchsafe_core::env::var(OTHER).unwrap() {
        match FileJournal::open(path) {
            Ok(_) => println!("opened"),
            Err(error) => println!("refused: {error}"),
        }
    }
}

fn in_another_process(path: &Path) -> String {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "files::another_process_opens_a_journal"])
        .args(["--nocapture", "--quiet"])
        .env(OTHER, path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn one_journal_has_the_file_at_a_time_whatever_it_is_called() {
    let folder = folder();
    let path = folder.path().join("journal");
    let journal = Arc::new(FileJournal::open(&path).unwrap());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let hard = folder.path().join("hard");
    let refuse = |path: &Path| {
        let error = FileJournal::open(path).unwrap_err().to_string();
        assert!(error.contains("this process has it open"), "{error}");
        let other = in_another_process(path);
        assert!(other.contains("another process has it open"), "{other}");
    };
    refuse(&path);
    refuse(&link);
    fs::hard_link(&path, &hard).unwrap();
    refuse(&hard);
    // Nothing is written while the file has another name: it would be left behind there.
    let id = CommissionId::random().unwrap();
    let error = journal.outcome(id, Outcome::Closed).await.unwrap_err();
    assert!(error.to_string().contains("2 names"), "{error}");
    fs::remove_file(&hard).unwrap();
    shorten(&journal, &path).await;
    refuse(&path);
    refuse(&link);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(name == "journal" || name == "link", "{name:?} lies about");
    }
    drop(journal);
    assert!(in_another_process(&link).contains("opened"));
    FileJournal::open(&path).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_written_through_a_planted_link() {
    let folder = folder();
    let path = folder.path().join("journal");
    let precious = folder.path().join("precious");
    write(&precious, b"precious");
    for name in ["journal.new", "journal.lock", "journal.draft"] {
        std::os::unix::fs::symlink(&precious, folder.path().join(name)).unwrap();
    }
    let journal = FileJournal::open(&path).unwrap();
    shorten(&journal, &path).await;
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
}

/// Closes what is closed until the journal is shortened.
async fn shorten(journal: &FileJournal, path: &Path) {
    let id = CommissionId::random().unwrap();
    let mut longest = 0;
    loop {
        journal.outcome(id, Outcome::Closed).await.unwrap();
        let bytes = fs::metadata(path).unwrap().len();
        if bytes < longest {
            return;
        }
        longest = bytes;
    }
}

#[tokio::test]
async fn a_long_journal_is_rewritten_and_keeps_what_is_open() {
    let (server, folder) = (Server::new(), folder());
    let path = folder.path().join("journal");
    let journal = Arc::new(FileJournal::open(&path).unwrap());
    let issuer = quick(client(&server), Arc::clone(&journal) as _)
        .build()
        .unwrap();
    let guard = issuer.issue(&one()).await.unwrap();
    let committing = Outcome::Committing(guard.serial());
    journal.outcome(guard.id(), committing).await.unwrap();
    let mut longest = 0;
    let id = vouchsafe_astakos::commission::CommissionId::random().unwrap();
    loop {
        // Closing what is closed is written down like anything else.
        journal.outcome(id, Outcome::Closed).await.unwrap();
        let bytes = fs::metadata(&path).unwrap().len();
        if bytes < longest {
            break;
        }
        longest = bytes;
    }
    assert!(longest > (1 << 20) - 100);
    assert!(fs::metadata(&path).unwrap().len() < 1024);
    let open = journal.open().await.unwrap();
    assert_eq!(open[0].committing, Some(guard.serial()));
    drop((guard, issuer, journal));
    let again = reopened(&path).await;
    assert_eq!(again.open().await.unwrap(), open);
}
