//! The journal in a file.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vouchsafe_astakos::ErrorKind;
use vouchsafe_astakos::commission::{FileJournal, Journal, Outcome};
use vouchsafe_astakos::mock::Server;

use super::{client, one, quick};

const LIMIT: Duration = Duration::from_secs(10);

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Opens a journal that was in use a moment ago: what ran in the background lets go of it when
/// the runtime comes to it.
async fn reopened(path: &Path) -> FileJournal {
    loop {
        match FileJournal::open(path) {
            Ok(journal) => return journal,
            Err(error) if error.to_string().contains("another process") => {
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

#[tokio::test]
async fn an_unfinished_line_at_the_end_is_cut_off() {
    let (server, folder) = (Server::new(), folder());
    let path = folder.path().join("journal");
    let whole = {
        let journal = Arc::new(FileJournal::open(&path).unwrap());
        let issuer = quick(client(&server), Arc::clone(&journal) as _)
            .build()
            .unwrap();
        let guard = issuer.issue(&one()).await.unwrap();
        guard.commit().await.unwrap();
        issuer.flush(LIMIT).await;
        fs::read(&path).unwrap()
    };
    drop(reopened(&path).await);
    let lines = whole.iter().filter(|&&byte| byte == b'\n').count();
    assert_eq!(lines, 3);
    for end in 0..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let journal = FileJournal::open(&path).unwrap();
        let expected = whole[..end].iter().filter(|&&byte| byte == b'\n').count();
        let open = journal.open().await.unwrap();
        assert_eq!(open.len(), usize::from(expected > 0), "{end}");
        let kept = fs::read(&path).unwrap();
        assert!(whole.starts_with(&kept) && kept.last().is_none_or(|&byte| byte == b'\n'));
    }
}

#[tokio::test]
async fn a_damaged_line_before_the_end_is_told() {
    let (server, folder) = (Server::new(), folder());
    let path = folder.path().join("journal");
    {
        let journal = Arc::new(FileJournal::open(&path).unwrap());
        let issuer = quick(client(&server), journal as _).build().unwrap();
        issuer.issue(&one()).await.unwrap().commit().await.unwrap();
        issuer.flush(LIMIT).await;
    }
    drop(reopened(&path).await);
    let mut text = fs::read(&path).unwrap();
    let at = text.len() / 2;
    text[at] ^= 1;
    fs::write(&path, &text).unwrap();
    let error = FileJournal::open(&path).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Core(vouchsafe_core::ErrorKind::Store)
    );
    assert!(error.to_string().contains("line 2"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), text, "nothing was cut");
}

#[tokio::test]
async fn one_process_has_it_at_a_time() {
    let folder = folder();
    let path = folder.path().join("journal");
    let journal = FileJournal::open(&path).unwrap();
    let error = FileJournal::open(&path).unwrap_err();
    assert!(error.to_string().contains("another process"), "{error}");
    drop(journal);
    FileJournal::open(&path).unwrap();
}

#[tokio::test]
async fn a_long_journal_is_written_anew_and_keeps_what_is_open() {
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
