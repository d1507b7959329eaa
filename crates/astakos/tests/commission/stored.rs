//! The journal in a store.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use vouchsafe_astakos::commission::{CommissionId, Intent, Journal, Outcome, StoreJournal};
use vouchsafe_astakos::mock::Server;
use vouchsafe_astakos::{ErrorKind, Serial};
use vouchsafe_core::store::{Capabilities, Expect, Key, Loaded, MemoryStore, Store, Swapped};
use vouchsafe_core::{BoxFuture, Error, Result, SecretBytes};

use super::{client, one, quick, used};

/// Records that outlive the journals of a test. Answers take time, can fail, and can be lost.
#[derive(Debug, Default)]
struct Records {
    records: MemoryStore,
    writes: AtomicUsize,
    is_down: AtomicBool,
    odds: Mutex<Option<fastrand::Rng>>,
    max_bytes: Option<usize>,
}

impl Records {
    fn check(&self) -> Result<()> {
        let mut odds = self.odds.lock().unwrap();
        let fails = odds.as_mut().is_some_and(|odds| odds.u8(..5) == 0);
        if fails || self.is_down.load(Ordering::SeqCst) {
            let planted = Error::new(vouchsafe_core::ErrorKind::Store, "planted");
            return Err(planted.with_retryable(true));
        }
        Ok(())
    }
}

impl Store for Records {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            self.check()?;
            self.records.load(key).await
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            self.capabilities().require_room(key, value)?;
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.check()?;
            self.writes.fetch_add(1, Ordering::SeqCst);
            let swapped = self.records.compare_and_swap(key, expect, value).await?;
            tokio::time::sleep(Duration::from_millis(1)).await;
            // The answer is lost, but not the write.
            self.check()?;
            Ok(swapped)
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        self.records.remove(key, expect)
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(vouchsafe_core::store::Scope::Network);
        capabilities.max_bytes = self.max_bytes;
        capabilities
    }
}

fn key() -> Key {
    Key::new("commissions", "worker")
}

async fn open(store: &Arc<Records>) -> StoreJournal {
    StoreJournal::open(Arc::clone(store) as _, key())
        .await
        .unwrap()
}

fn id() -> CommissionId {
    CommissionId::random().unwrap()
}

async fn begin(journal: &StoreJournal) -> Result<CommissionId> {
    let id = id();
    journal.intent(&Intent::new(id, "server 42")).await?;
    Ok(id)
}

fn committing(serial: u64) -> Outcome {
    Outcome::Committing(Serial::new(serial).unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_is_open_is_there_for_the_next_worker_and_closed_for_the_last() {
    let store = Arc::new(Records::default());
    let first = open(&store).await;
    let (decided, open_one, done) = (
        begin(&first).await.unwrap(),
        begin(&first).await.unwrap(),
        begin(&first).await.unwrap(),
    );
    first.outcome(decided, committing(7)).await.unwrap();
    first.outcome(done, Outcome::Closed).await.unwrap();
    let record = store.load(&key()).await.unwrap().unwrap();
    let record = String::from_utf8(record.value.expose().to_vec()).unwrap();
    assert!(!record.contains("server 42"), "{record}");

    let second = open(&store).await;
    let mut there = second.open().await.unwrap();
    there.sort_by_key(|open| open.committing);
    assert_eq!(there.len(), 2);
    assert_eq!((there[0].id, there[0].committing), (open_one, None));
    assert_eq!(
        (there[1].id, there[1].committing),
        (decided, Serial::new(7))
    );

    // The first wakes up again: it can neither decide nor begin, nor see what is open.
    for result in [
        first.outcome(open_one, committing(8)).await,
        begin(&first).await.map(drop),
        first.open().await.map(drop),
        first.outcome(decided, Outcome::Closed).await,
    ] {
        let error = result.unwrap_err();
        assert!(!error.is_retryable());
        assert!(
            error.to_string().contains("another process has opened it"),
            "{error}"
        );
    }
    assert_eq!(second.open().await.unwrap().len(), 2);
    second.outcome(open_one, committing(8)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_was_replaced_neither_charges_nor_rejects() {
    let (server, store) = (Server::new(), Arc::new(Records::default()));
    let old = quick(client(&server), Arc::new(open(&store).await));
    let old = old.build().unwrap();
    let guard = old.issue(&one()).await.unwrap();
    let new = quick(client(&server), Arc::new(open(&store).await));
    let new = new.build().unwrap();
    assert_eq!(new.reconcile().await.unwrap().rejected.len(), 1);
    let of_new = new.issue(&one()).await.unwrap();

    guard.commit().await.unwrap_err();
    old.issue(&one()).await.unwrap_err();
    old.reconcile().await.unwrap_err();
    assert_eq!(used(&server), (0, 1));
    of_new.commit().await.unwrap();
    assert_eq!(used(&server), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn many_tasks_share_a_write() {
    let store = Arc::new(Records::default());
    let journal = Arc::new(open(&store).await);
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move { begin(&journal).await.unwrap() });
    }
    let begun = tasks.join_all().await;
    // One to open it, the first task, and all that came in the meantime.
    assert_eq!(store.writes.load(Ordering::SeqCst), 3);
    let there = open(&store).await.open().await.unwrap();
    assert_eq!((begun.len(), there.len()), (100, 100));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_gives_up_while_it_writes_for_all_loses_nothing() {
    for patience in 0..4 {
        let store = Arc::new(Records::default());
        let journal = Arc::new(open(&store).await);
        let begun = begin(&journal).await.unwrap();
        let mut others = JoinSet::new();
        let patience = Duration::from_millis(patience) / 2 * 3;
        let committed = tokio::time::timeout(patience, journal.outcome(begun, committing(7)));
        for _ in 0..10 {
            let journal = Arc::clone(&journal);
            others.spawn(async move { begin(&journal).await.unwrap() });
        }
        let is_committed = committed.await.is_ok();
        if !is_committed {
            journal.outcome(begun, Outcome::Rejecting).await.unwrap();
            // It may have been written, and is withdrawn.
            journal.outcome(begun, committing(7)).await.unwrap_err();
        }
        assert_eq!(others.join_all().await.len(), 10);
        let here = journal.open().await.unwrap();
        let stored = open(&store).await.open().await.unwrap();
        assert_eq!((here.len(), &here), (11, &stored));
        let decided = here.iter().find(|open| open.id == begun).unwrap();
        assert_eq!(decided.committing.is_some(), is_committed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_stops_the_journal_only_while_it_is_down() {
    let (server, store) = (Server::new(), Arc::new(Records::default()));
    let journal = Arc::new(open(&store).await);
    let issuer = quick(client(&server), journal).build().unwrap();
    let guard = issuer.issue(&one()).await.unwrap();
    let other = issuer.issue(&one()).await.unwrap();
    store.is_down.store(true, Ordering::SeqCst);
    let error = issuer.issue(&one()).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Core(vouchsafe_core::ErrorKind::Store)
    );
    assert_eq!(server.commissions().len(), 2, "it was issued all the same");
    guard.commit().await.unwrap_err();
    store.is_down.store(false, Ordering::SeqCst);
    other.commit().await.unwrap();
    issuer.issue(&one()).await.unwrap().commit().await.unwrap();
    issuer.flush(Duration::from_secs(60)).await;
    assert_eq!(used(&server), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_full_record_takes_no_commission_but_every_decision() {
    let store = Arc::new(Records {
        max_bytes: Some(2000),
        ..Records::default()
    });
    let journal = open(&store).await;
    let mut begun = Vec::new();
    let error = loop {
        match begin(&journal).await {
            Ok(id) => begun.push(id),
            Err(error) => break error,
        }
    };
    let told = error.to_string();
    assert!(
        told.contains(&format!("{} commissions are open", begun.len())),
        "{told}"
    );
    assert!(begun.len() > 10 && error.is_retryable());
    for &id in &begun {
        journal
            .outcome(id, committing(i64::MAX as u64))
            .await
            .unwrap();
    }
    journal.outcome(begun[0], Outcome::Closed).await.unwrap();
    begin(&journal).await.unwrap();
}

#[tokio::test]
async fn a_store_that_forgets_is_refused() {
    let memory = Arc::new(MemoryStore::new());
    let error = StoreJournal::open(memory, key()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadValue);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_no_journal_or_damaged_is_refused_and_left_alone() {
    let store = Arc::new(Records::default());
    let journal = open(&store).await;
    begin(&journal).await.unwrap();
    let whole = store.load(&key()).await.unwrap().unwrap();
    let whole = whole.value.expose().to_vec();
    let mut records: Vec<Vec<u8>> = [&b""[..], b"planted", b"planted\n", b"opened by planted\n"]
        .map(<[u8]>::to_vec)
        .into();
    records.extend((0..whole.len()).map(|end| whole[..end].to_vec()));
    records.extend((0..whole.len()).map(|at| {
        let mut damaged = whole.clone();
        // Letters of an id change to other digits, which is for the checksums to notice.
        damaged[at] ^= 0x40;
        damaged
    }));
    for record in records {
        let value = SecretBytes::from(record.clone());
        let planted = store.compare_and_swap(&key(), &Expect::Any, &value).await;
        let Swapped::Done(version) = planted.unwrap() else {
            panic!("any is expected");
        };
        let error = StoreJournal::open(Arc::clone(&store) as _, key()).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("commissions/worker"), "{error}");
        assert!(!error.contains("planted"), "{error}");
        assert_eq!(store.load(&key()).await.unwrap().unwrap().version, version);
    }
    assert!(store.remove(&key(), &Expect::Any).await.unwrap());
    let error = begin(&journal).await.unwrap_err();
    assert!(error.to_string().contains("was removed"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn lost_answers_and_crashes_lose_nothing_that_was_answered_for() {
    let mut failed = 0;
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let store = Arc::new(Records::default());
        // What the last answer says of each: `None` if there was none to the last decision.
        let mut told: BTreeMap<CommissionId, Option<Option<Outcome>>> = BTreeMap::new();
        for life in 0..4 {
            *store.odds.lock().unwrap() = None;
            let journal = open(&store).await;
            let there = journal.open().await.unwrap();
            let there: BTreeMap<_, _> = there
                .into_iter()
                .map(|open| (open.id, open.committing))
                .collect();
            for (id, told) in &told {
                let what = format!("seed {seed}, life {life}: {told:?}");
                match told {
                    Some(Some(Outcome::Committing(serial))) => {
                        assert_eq!(there.get(id), Some(&Some(*serial)), "{what}");
                    }
                    Some(Some(Outcome::Rejecting) | None) => {
                        assert_eq!(there.get(id), Some(&None), "{what}");
                    }
                    Some(Some(Outcome::Closed)) => assert!(!there.contains_key(id), "{what}"),
                    None => {}
                }
            }
            *store.odds.lock().unwrap() = Some(fastrand::Rng::with_seed(random.u64(..)));
            for number in 1..random.u64(2..20) {
                let known: Vec<_> = told.keys().copied().collect();
                if known.is_empty() || random.u8(..3) == 0 {
                    let id = id();
                    let result = journal.intent(&Intent::new(id, "")).await;
                    failed += u32::from(result.is_err());
                    told.insert(id, result.is_ok().then_some(None));
                    continue;
                }
                let id = known[random.usize(..known.len())];
                let outcome = match random.u8(..3) {
                    0 => Outcome::Rejecting,
                    1 => committing(number),
                    _ => Outcome::Closed,
                };
                let patience = Duration::from_millis(random.u64(1..5));
                let result = tokio::time::timeout(patience, journal.outcome(id, outcome)).await;
                let before = told[&id];
                let after = match (result, before, outcome) {
                    // Rejecting what is done, or perhaps is, has no effect.
                    (Ok(Ok(())), Some(Some(Outcome::Closed)), Outcome::Rejecting) => before,
                    (Ok(Ok(())), None, Outcome::Rejecting) => None,
                    (Ok(Ok(())), _, _) => Some(Some(outcome)),
                    // Refused for what it was, which it stays.
                    (
                        Ok(Err(error)),
                        Some(Some(Outcome::Rejecting | Outcome::Closed)),
                        Outcome::Committing(_),
                    ) if !error.is_retryable() => before,
                    _ => {
                        failed += 1;
                        None
                    }
                };
                told.insert(id, after);
            }
        }
    }
    assert!(failed > 1000, "{failed} failures test nothing");
}
