//! Every fault at every step: nothing is charged twice, lost, or left pending.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vouchsafe_astakos::commission::{Issuer, Journal, MemoryJournal, Outcome};
use vouchsafe_astakos::mock::{CommissionState, Server};
use vouchsafe_astakos::{Client, CommissionRequest, ErrorKind};
use vouchsafe_core::env;
use vouchsafe_core::mock::Fault;

use super::grounds::{Ground, Kind, in_memory, on_store};
use super::network::{Fate, ISSUE, RESOLVE, client_over};
use super::{VM, client, quick, used};

/// How many seeded runs there are.
pub(super) const RUNS: &str = "VOUCHSAFE_RUNS";
const DEFAULT_RUNS: u64 = 300;
const FAULTS: u64 = 18;

pub(super) const STEPS: [&str; 4] = [
    "account.issueCommission",
    "account.pendingCommissions",
    "account.commissionInfo",
    "account.resolveCommissions",
];

/// How late a request arrives at most.
const LATEST: Duration = Duration::from_secs(30);

/// The outcome of a commission for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It was accepted.
    Accepted,
    /// It was not, and never will be.
    Not,
    /// It will be: the decision was written down and the answer did not come.
    Decided,
    /// Nothing: either, but not by halves.
    Unknown,
}

/// One of the faults that core can make.
pub(super) fn fault(on: &str, number: u64) -> Fault {
    let fault = Fault::on(on);
    match number % FAULTS {
        0 => fault.status(500),
        1 => fault.status(502).body("<html>bad gateway</html>"),
        2 => fault.status(503).retry_after(Duration::from_secs(1)),
        3 => fault.status(429),
        4 => fault.garbage(),
        5 => fault.huge_body(300 << 20),
        6 => fault.delay(Duration::from_secs(7)),
        7 => fault.no_answer(),
        8 => fault.reset_before_head(),
        9 => fault.reset_in_head(),
        10 => fault.reset_after_head(),
        11 => fault.cut_body(),
        12 => fault.wrong_length(1 << 20),
        13 => fault.not_http(),
        14 => fault.drip(1, Duration::from_millis(300)),
        15 => fault.wrong_length(1),
        16 => fault.skewed_date(-86_400),
        _ => fault.status(401),
    }
}

/// What a caller does with a commission.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Commit,
    Reject,
    Drop,
    GiveUpIssuing(Duration),
    GiveUpCommitting(Duration),
}

pub(super) fn request(number: u64) -> CommissionRequest {
    let alice = Server::alice();
    CommissionRequest::one(&alice, [(&alice, VM, 1)])
        .name(format!("number {number}"))
        .force(true)
}

/// Issues a commission, works for a while, and does with it what is to be done.
async fn act(issuer: &Issuer, number: u64, work: Duration, deed: Deed) -> Told {
    let request = request(number);
    let issuing = issuer.issue(&request);
    let issued = match deed {
        Deed::GiveUpIssuing(after) => match tokio::time::timeout(after, issuing).await {
            Ok(result) => result,
            Err(_) => return Told::Not,
        },
        _ => issuing.await,
    };
    let Ok(guard) = issued else {
        return Told::Not;
    };
    tokio::time::sleep(work).await;
    match deed {
        Deed::Drop => {
            drop(guard);
            Told::Not
        }
        Deed::Reject => {
            // Whatever is answered, it was not to be accepted.
            let _ = guard.reject().await;
            Told::Not
        }
        Deed::Commit | Deed::GiveUpIssuing(_) => match guard.commit().await {
            Ok(_) => Told::Accepted,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("no other client resolves here: {error}")
            }
            Err(_) => Told::Decided,
        },
        Deed::GiveUpCommitting(after) => match tokio::time::timeout(after, guard.commit()).await {
            Ok(Ok(_)) => Told::Accepted,
            // No time passes while a journal writes.
            Ok(Err(_)) | Err(_) => Told::Decided,
        },
    }
}

/// Compares the server with the callers' outcomes.
pub(super) fn check(server: &Server, told: &BTreeMap<u64, Told>, what: &str) {
    assert!(
        server.pending_commissions().is_empty(),
        "{what}: left pending"
    );
    let mut accepted: BTreeMap<u64, i64> = BTreeMap::new();
    for commission in server.commissions() {
        let (_, text) = commission.name.split_once("] ").unwrap();
        let number = text.strip_prefix("number ").unwrap().parse().unwrap();
        if commission.state == CommissionState::Accepted {
            *accepted.entry(number).or_default() += 1;
        }
    }
    for (&number, &told) in told {
        let times = accepted.get(&number).copied().unwrap_or(0);
        let is_right = match told {
            Told::Accepted | Told::Decided => times == 1,
            Told::Not => times == 0,
            Told::Unknown => times <= 1,
        };
        assert!(
            is_right,
            "{what}: {number} was told {told:?} and accepted {times} times"
        );
    }
    let sum: i64 = accepted.values().sum();
    assert_eq!(
        used(server),
        (sum, sum),
        "{what}: usage is the sum of what was accepted"
    );
}

/// Reconciles as the next process would.
pub(super) async fn reconcile(server: &Server, journal: Arc<dyn Journal>, what: &str) {
    server.faults().clear();
    let issuer = quick(client(server), Arc::clone(&journal)).build().unwrap();
    issuer.reconcile().await.unwrap();
    assert!(
        journal.open().await.unwrap().is_empty(),
        "{what}: open in the journal"
    );
}

async fn every_fault_at_every_step(ground: &Ground) {
    let mut runs = 0;
    for step in STEPS {
        for number in 0..FAULTS {
            for times in [1, 3] {
                for deed in [Deed::Commit, Deed::Reject, Deed::Drop] {
                    let what = format!("{step}, fault {number} {times} times, {deed:?}");
                    let server = Server::new();
                    let book = ground.book();
                    let issuer = quick(client(&server), book.open().await).build().unwrap();
                    // Only a lost answer makes an issuer look at pending ones.
                    if step != STEPS[0] && step != STEPS[3] {
                        server
                            .faults()
                            .add(Fault::on(STEPS[0]).times(1).reset_in_head());
                    }
                    server.faults().add(fault(step, number).times(times));
                    let told = BTreeMap::from([(0, act(&issuer, 0, Duration::ZERO, deed).await)]);
                    issuer.flush(Duration::from_secs(60)).await;
                    drop(issuer);
                    reconcile(&server, book.open().await, &what).await;
                    check(&server, &told, &what);
                    runs += 1;
                }
            }
        }
    }
    println!("{runs} runs: each fault at each step");
}

/// Leaves three behind, as a process that died: one decided, one not, one in no journal.
async fn left_behind(server: &Server, journal: &Arc<dyn Journal>) -> BTreeMap<u64, Told> {
    let mut told = BTreeMap::new();
    let lost: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    for (number, journal) in [(0, journal), (1, journal), (2, &lost)] {
        let issuer = quick(client(server), Arc::clone(journal)).build().unwrap();
        let guard = issuer.issue(&request(number)).await.unwrap();
        if number == 0 {
            let committing = Outcome::Committing(guard.serial());
            journal.outcome(guard.id(), committing).await.unwrap();
        }
        told.insert(
            number,
            if number == 0 {
                Told::Accepted
            } else {
                Told::Not
            },
        );
        drop(issuer);
        // The last owner of the issuer: no work remains.
        drop(guard);
    }
    told
}

async fn every_fault_while_reconciling(ground: &Ground) {
    let (mut runs, mut failed) = (0, 0);
    for step in &STEPS[1..] {
        for number in 0..FAULTS {
            for nth in [None, Some(1), Some(2)] {
                let what = format!("reconcile, {step}, fault {number}, {nth:?}");
                let server = Server::new();
                let book = ground.book();
                let told = left_behind(&server, &book.open().await).await;
                assert_eq!(server.pending_commissions().len(), 3, "{what}");
                let fault = fault(step, number);
                server.faults().add(match nth {
                    Some(nth) => fault.nth(nth),
                    None => fault,
                });
                let issuer = quick(client(&server), book.open().await);
                failed += u32::from(issuer.build().unwrap().reconcile().await.is_err());
                reconcile(&server, book.open().await, &what).await;
                check(&server, &told, &what);
                runs += 1;
            }
        }
    }
    assert!(failed > runs / 3, "faults that do nothing test nothing");
    println!(
        "{runs} runs: each fault at each step of reconciling, {failed} of them failed at first"
    );
}

/// One of `divisor` runs.
async fn seeded_faults_and_crashes(ground: &Ground, divisor: u64) {
    let runs = env::var(RUNS).unwrap();
    let runs: u64 = runs.map_or(DEFAULT_RUNS, |runs| runs.parse().unwrap());
    let runs = runs.div_ceil(divisor);
    let mut tally = BTreeMap::new();
    for seed in 0..runs {
        let told = run(seed, ground).await;
        for told in told.into_values() {
            *tally.entry(format!("{told:?}")).or_insert(0) += 1;
        }
    }
    println!("{runs} seeded runs, of which callers were told {tally:?}");
}

/// A client over a network that loses and delays some of what changes something.
fn rough(server: &Server, random: &mut fastrand::Rng) -> Client {
    let odds = if random.bool() {
        random.f64() / 2.0
    } else {
        0.0
    };
    let random = Mutex::new(fastrand::Rng::with_seed(random.u64(..)));
    client_over(server, move |method, path| {
        let mut random = random.lock().unwrap();
        let changes = [ISSUE, RESOLVE];
        let changes = changes
            .iter()
            .any(|of| method == of.0 && path.ends_with(of.1));
        if !changes || random.f64() >= odds {
            Fate::Arrives
        } else if random.u8(..3) == 0 {
            Fate::IsNotSent
        } else {
            Fate::IsLate(LATEST.mul_f64(random.f64().powi(4)))
        }
    })
}

async fn run(seed: u64, ground: &Ground) -> BTreeMap<u64, Told> {
    let mut random = fastrand::Rng::with_seed(seed);
    let what = format!("seed {seed}");
    let server = Server::new();
    let book = ground.book();
    let mut told = BTreeMap::new();
    let mut number = 0;
    // Several lives of a process, each ended by a crash at some moment.
    for _ in 0..random.u64(1..=3) {
        for step in STEPS {
            if random.bool() {
                let fault = fault(step, random.u64(..));
                server
                    .faults()
                    .add(fault.probability(random.f64(), random.u64(..)));
            }
        }
        let issuer = quick(rough(&server, &mut random), book.open().await)
            .patience(Duration::from_secs(random.u64(1..30)))
            .build()
            .unwrap();
        let mut tasks = Vec::new();
        // Reconciliation runs concurrently, which is allowed.
        let beside = random.bool().then(|| {
            let (issuer, pause) = (issuer.clone(), Duration::from_millis(random.u64(1..5000)));
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(pause).await;
                    // What fails is done by the next.
                    let _ = issuer.reconcile().await;
                }
            })
        });
        for _ in 0..random.u64(1..=5) {
            let patience = Duration::from_millis(random.u64(1..8000));
            let deed = match random.u8(..6) {
                0 | 1 => Deed::Commit,
                2 => Deed::Reject,
                3 => Deed::Drop,
                4 => Deed::GiveUpIssuing(patience),
                _ => Deed::GiveUpCommitting(patience),
            };
            let work = LATEST.mul_f64(random.f64().powi(4));
            let (issuer, of) = (issuer.clone(), number);
            number += 1;
            // What was not returned before the crash is unknown.
            told.insert(of, Told::Unknown);
            tasks.push((
                of,
                tokio::spawn(async move { act(&issuer, of, work, deed).await }),
            ));
        }
        let life = Duration::from_millis(random.u64(1..40_000));
        tokio::time::sleep(life).await;
        for (of, task) in tasks {
            if task.is_finished() {
                told.insert(of, task.await.unwrap());
            } else {
                task.abort();
            }
        }
        if let Some(beside) = beside {
            beside.abort();
        }
        drop(issuer);
        if random.bool() {
            // The next process dies while it reconciles.
            let issuer = quick(rough(&server, &mut random), book.open().await);
            let issuer = issuer.build().unwrap();
            let life = Duration::from_millis(random.u64(..100));
            let _ = tokio::time::timeout(life, issuer.reconcile()).await;
        }
        server.faults().clear();
        if random.bool() {
            reconcile(&server, book.open().await, &what).await;
        }
    }
    // What was under way when the process died has ended: nothing arrives any more.
    tokio::time::sleep(2 * LATEST).await;
    reconcile(&server, book.open().await, &what).await;
    check(&server, &told, &what);
    told
}

/// A module of the tests for each ground. The many runs are for memory, where they take no time.
macro_rules! on {
    ($name:ident, $divisor:expr, $on:ident($($kind:expr)?)) => {
        mod $name {
            use super::*;

            #[test]
            fn every_fault_at_every_step_once_and_for_a_while() {
                $on($($kind,)? async |ground: Ground| every_fault_at_every_step(&ground).await);
            }

            #[test]
            fn every_fault_at_every_step_of_reconciling() {
                $on($($kind,)? async |ground: Ground| every_fault_while_reconciling(&ground).await);
            }

            #[test]
            fn seeded_faults_and_crashes_lose_nothing_and_charge_nothing_twice() {
                $on($($kind,)? async |ground: Ground| seeded_faults_and_crashes(&ground, $divisor).await);
            }
        }
    };
}

on!(memory, 1, in_memory());
on!(sqlite, 3, on_store(Kind::Sqlite));
on!(redis, 10, on_store(Kind::Redis));
on!(postgres, 10, on_store(Kind::Postgres));
on!(etcd, 10, on_store(Kind::Etcd));
