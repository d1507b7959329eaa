//! A journal on a disk that is full, fails to sync, or loses its power.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use vouchsafe_astakos::Serial;
use vouchsafe_astakos::commission::{CommissionId, FileJournal, Intent, Journal, Outcome};
use vouchsafe_astakos::mock::Server;
use vouchsafe_core::store::{Disk, SystemDisk};

use super::{client, one, quick, used};

/// A disk that can be full, refuse to sync, and knows what would survive a power cut.
#[derive(Debug, Default)]
struct Frail {
    is_full: AtomicBool,
    fails_to_sync: AtomicBool,
    synced: AtomicU64,
}

impl Disk for Frail {
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        if self.is_full.load(Ordering::SeqCst) {
            SystemDisk.write(file, &bytes[..bytes.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        SystemDisk.write(file, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.fails_to_sync.load(Ordering::SeqCst) {
            return Err(io::Error::other("planted"));
        }
        SystemDisk.sync(file)?;
        self.synced.store(file.metadata()?.len(), Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn a_full_disk_stops_the_journal_only_while_it_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let disk = Arc::new(Frail::default());
    let journal = FileJournal::open_on(&path, Arc::clone(&disk) as _).unwrap();
    let server = Server::new();
    let issuer = quick(client(&server), Arc::new(journal)).build().unwrap();
    let guard = issuer.issue(&one()).await.unwrap();
    let before = fs::read(&path).unwrap();

    disk.is_full.store(true, Ordering::SeqCst);
    let error = issuer.issue(&one()).await.unwrap_err().to_string();
    assert!(error.contains("cannot write the journal"), "{error}");
    assert_eq!(server.commissions().len(), 1, "it was issued all the same");
    assert_eq!(fs::read(&path).unwrap(), before);

    disk.is_full.store(false, Ordering::SeqCst);
    issuer.issue(&one()).await.unwrap().commit().await.unwrap();
    guard.commit().await.unwrap();
    assert_eq!(used(&server), (2, 2));
}

#[tokio::test]
async fn a_journal_opens_on_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = FileJournal::open(&path).unwrap();
    let (open, closed) = (CommissionId::random(), CommissionId::random());
    let (open, closed) = (open.unwrap(), closed.unwrap());
    for id in [open, closed] {
        journal.intent(&Intent::new(id, "")).await.unwrap();
    }
    journal.outcome(closed, Outcome::Closed).await.unwrap();
    drop(journal);
    let before = fs::read(&path).unwrap();
    let disk = Arc::new(Frail::default());
    disk.is_full.store(true, Ordering::SeqCst);
    let journal = FileJournal::open_on(&path, Arc::clone(&disk) as _).unwrap();
    assert_eq!(journal.open().await.unwrap()[0].id, open);
    assert_eq!(fs::read(&path).unwrap(), before);
    disk.is_full.store(false, Ordering::SeqCst);
    journal.outcome(open, Outcome::Closed).await.unwrap();
    assert_eq!(journal.open().await.unwrap(), []);
}

#[tokio::test]
async fn a_failed_sync_closes_the_journal_until_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let disk = Arc::new(Frail::default());
    let journal = Arc::new(FileJournal::open_on(&path, Arc::clone(&disk) as _).unwrap());
    let server = Server::new();
    let issuer = quick(client(&server), Arc::clone(&journal) as _)
        .build()
        .unwrap();
    let guard = issuer.issue(&one()).await.unwrap();

    disk.fails_to_sync.store(true, Ordering::SeqCst);
    let error = guard.commit().await.unwrap_err().to_string();
    assert!(error.contains("cannot sync the journal"), "{error}");
    // The caller got the error that it is not accepted.
    assert_eq!(journal.open().await.unwrap()[0].committing, None);
    disk.fails_to_sync.store(false, Ordering::SeqCst);
    let error = issuer.issue(&one()).await.unwrap_err().to_string();
    assert!(error.contains("open it again"), "{error}");

    issuer.flush(super::files::LIMIT).await;
    assert_eq!(used(&server), (0, 0));
    drop((issuer, journal));
    let journal = super::files::reopened(&path).await;
    let issuer = quick(client(&server), Arc::new(journal)).build().unwrap();
    issuer.issue(&one()).await.unwrap().commit().await.unwrap();
    assert_eq!(used(&server), (1, 1));
}

/// The records of a commission that a journal has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    last: Option<Outcome>,
    is_closed: bool,
}

/// Tells a journal some things, and keeps what it answered for.
async fn tell(
    journal: &FileJournal,
    told: &mut BTreeMap<CommissionId, Told>,
    random: &mut fastrand::Rng,
) {
    for number in 0..random.u64(1..12) {
        let open: Vec<CommissionId> = told
            .iter()
            .filter(|(_, told)| !told.is_closed)
            .map(|(&id, _)| id)
            .collect();
        if open.is_empty() || random.u8(..3) == 0 {
            let id = CommissionId::random().unwrap();
            journal.intent(&Intent::new(id, "")).await.unwrap();
            let new = Told {
                last: None,
                is_closed: false,
            };
            told.insert(id, new);
            continue;
        }
        let id = open[random.usize(..open.len())];
        let outcome = match random.u8(..4) {
            0 => Outcome::Rejecting,
            1 => Outcome::Committing(Serial::new(number + 1).unwrap()),
            _ => Outcome::Closed,
        };
        let result = journal.outcome(id, outcome).await;
        let told = told.get_mut(&id).unwrap();
        match (outcome, told.last) {
            (Outcome::Committing(_), Some(Outcome::Rejecting)) => assert!(result.is_err()),
            (Outcome::Closed, _) => {
                result.unwrap();
                told.is_closed = true;
            }
            _ => {
                result.unwrap();
                told.last = Some(outcome);
            }
        }
    }
}

/// Damages what was not synced, as a power cut may.
fn cut_power(path: &Path, synced: u64, random: &mut fastrand::Rng) {
    let mut bytes = fs::read(path).unwrap();
    let synced = usize::try_from(synced).unwrap();
    let lost = &mut bytes[synced..];
    if !lost.is_empty() {
        for _ in 0..random.usize(..4) {
            let (from, to) = (random.usize(..lost.len()), random.usize(..=lost.len()));
            let byte = [0, 0, b'\n', random.u8(..)][random.usize(..4)];
            lost[from.min(to)..from.max(to)].fill(byte);
        }
    }
    bytes.truncate(random.usize(synced..=bytes.len()));
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(0).unwrap();
    SystemDisk.write(&file, &bytes).unwrap();
}

#[tokio::test]
async fn a_power_cut_loses_nothing_that_was_answered_for() {
    let mut damaged = 0;
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut told = BTreeMap::new();
        for life in 0..4 {
            let disk = Arc::new(Frail::default());
            let journal = FileJournal::open_on(&path, Arc::clone(&disk) as _)
                .unwrap_or_else(|error| panic!("seed {seed}, life {life}: {error}"));
            let open: BTreeMap<_, _> = journal
                .open()
                .await
                .unwrap()
                .into_iter()
                .map(|open| (open.id, open.committing))
                .collect();
            for (id, told) in &told {
                let what = format!("seed {seed}, life {life}, {told:?}");
                let told: &Told = told;
                let expected = match told.last {
                    Some(Outcome::Committing(serial)) => Some(serial),
                    _ => None,
                };
                match open.get(id) {
                    Some(committing) => assert_eq!(*committing, expected, "{what}"),
                    None => assert!(told.is_closed, "{what}"),
                }
            }
            assert!(open.keys().all(|id| told.contains_key(id)));
            told.retain(|id, _| open.contains_key(id));
            for told in told.values_mut() {
                told.is_closed = false;
            }
            tell(&journal, &mut told, &mut random).await;
            drop(journal);
            let before = fs::read(&path).unwrap();
            cut_power(&path, disk.synced.load(Ordering::SeqCst), &mut random);
            damaged += u32::from(fs::read(&path).unwrap() != before);
        }
    }
    println!("{damaged} of 1,200 power cuts damaged the file");
    assert!(damaged > 300);
}
