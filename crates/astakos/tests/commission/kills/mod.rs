//! Processes that are killed between any two steps, over real sockets and with a journal on disk or in
//! a store.

mod place;
mod process;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use vouchsafe_astakos::commission::{CommissionId, FileJournal, Journal as _, Outcome};
use vouchsafe_astakos::mock::Server;
use vouchsafe_core::env;
use vouchsafe_core::mock::Fault;

use self::place::{Ground, Place};
use self::process::{is_killed, process};
use super::faults::{self, RUNS, STEPS, Told, check, fault, request};
use super::grounds::Kind;
use super::{client, quick};

async fn served(server: &Server) -> (vouchsafe_core::mock::Serving, String) {
    let serving = server.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("{}{}", serving.url(), server.identity_path());
    (serving, url)
}

async fn reconcile(server: &Server, place: &Place, what: &str) {
    faults::reconcile(server, place.open().await, what).await;
}

async fn kill_before_any_step(kind: Option<Kind>) {
    let Some(ground) = Ground::start(kind) else {
        return;
    };
    let mut kills = 0;
    for (deed, lost) in [
        ("commit", None),
        ("commit", Some(STEPS[0])),
        ("commit", Some(STEPS[3])),
        ("reject", None),
        ("reject", Some(STEPS[3])),
        ("drop", None),
        ("drop", Some(STEPS[0])),
    ] {
        for step in 1.. {
            let what = format!("{deed}, {lost:?} lost, killed before step {step}");
            let server = Server::new();
            let (_serving, url) = served(&server).await;
            let place = ground.place(&format!("{deed}-{lost:?}-{step}"));
            if let Some(lost) = lost {
                server
                    .faults()
                    .add(Fault::on(lost).times(1).reset_before_head());
            }
            let (status, told) = process(&url, &server, &place, deed, step, 1);
            reconcile(&server, &place, &what).await;
            check(&server, &told, &what);
            if !is_killed(status) {
                assert!(status.success(), "{what}: {status}");
                assert!(step > 8, "{what}: so few steps");
                break;
            }
            kills += 1;
        }
    }
    println!("{kills} processes killed, one before each step");
}

/// Kills while the store works: before a write has arrived, and before it was answered.
async fn kill_within_any_call(kind: Kind) {
    let Some(ground) = Ground::start(Some(kind)) else {
        return;
    };
    let mut kills = 0;
    for deed in ["inner commit", "inner reject", "inner drop"] {
        for step in 1.. {
            let what = format!("{deed}, killed before step {step}");
            let server = Server::new();
            let (_serving, url) = served(&server).await;
            let place = ground.place(&format!("{deed}-{step}"));
            let (status, told) = process(&url, &server, &place, deed, step, 1);
            reconcile(&server, &place, &what).await;
            check(&server, &told, &what);
            if !is_killed(status) {
                assert!(status.success(), "{what}: {status}");
                // To read and write the journal, and to write it three times.
                assert!(step > 2 * 5, "{what}: so few steps");
                break;
            }
            kills += 1;
        }
    }
    println!("{kills} processes killed within a call of the store");
}

/// Makes a journal that is shortened with the next record.
async fn long_journal(path: &Path) {
    let journal = FileJournal::open(path).unwrap();
    let id = CommissionId::random().unwrap();
    while std::fs::metadata(path).unwrap().len() <= (1 << 20) - 100 {
        journal.outcome(id, Outcome::Closed).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_any_two_steps_on_the_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("long");
    long_journal(&long).await;
    let (mut kills, mut drafts) = (0, 0);
    for (deed, is_long) in [
        ("inner commit", false),
        ("inner commit", true),
        ("inner reject", true),
        ("inner drop", false),
    ] {
        for step in 1.. {
            let what = format!("{deed}, long: {is_long}, killed before step {step}");
            let server = Server::new();
            let (_serving, url) = served(&server).await;
            let folder = tempfile::tempdir().unwrap();
            let journal = folder.path().join("journal");
            let place = Place::file(&journal);
            if is_long {
                std::fs::copy(&long, &journal).unwrap();
            }
            let (status, told) = process(&url, &server, &place, deed, step, 1);
            drafts += std::fs::read_dir(folder.path())
                .unwrap()
                .filter(|entry| entry.as_ref().unwrap().path() != journal)
                .count();
            reconcile(&server, &place, &what).await;
            check(&server, &told, &what);
            if !is_killed(status) {
                assert!(status.success(), "{what}: {status}");
                assert!(step > 10, "{what}: so few steps");
                break;
            }
            kills += 1;
        }
    }
    println!("{kills} processes killed between steps on the disk, {drafts} with a draft");
    assert!(drafts > 4, "none was killed while it shortened the journal");
}

async fn kill_while_reconciling(kind: Option<Kind>) {
    let Some(ground) = Ground::start(kind) else {
        return;
    };
    for step in 1.. {
        let what = format!("reconcile, killed before step {step}");
        let server = Server::new();
        let (_serving, url) = served(&server).await;
        let place = ground.place(&format!("reconcile-{step}"));
        {
            let journal = place.open().await;
            let issuer = quick(client(&server), Arc::clone(&journal))
                .build()
                .unwrap();
            let decided = issuer.issue(&request(0)).await.unwrap();
            let committing = Outcome::Committing(decided.serial());
            journal.outcome(decided.id(), committing).await.unwrap();
            let open = issuer.issue(&request(1)).await.unwrap();
            // Neither guard may do anything more: as if the process were gone.
            std::mem::forget((decided, open));
        }
        let left = place.left();
        let (status, _) = process(&url, &server, &left, "reconcile", step, 0);
        reconcile(&server, &left, &what).await;
        let told = BTreeMap::from([(0, Told::Accepted), (1, Told::Not)]);
        check(&server, &told, &what);
        if !is_killed(status) {
            assert!(status.success(), "{what}: {status}");
            assert!(step > 8, "so few steps");
            println!("{} processes killed while reconciling", step - 1);
            break;
        }
    }
}

/// One of `divisor` runs.
async fn seeded_kills_under_faults(kind: Option<Kind>, divisor: u64) {
    let Some(ground) = Ground::start(kind) else {
        return;
    };
    let runs: u64 = env::var(RUNS)
        .unwrap()
        .map_or(300, |runs| runs.parse().unwrap());
    let runs = runs / divisor;
    let (mut kills, mut accepted) = (0, 0);
    for seed in 0..runs {
        let what = format!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let server = Server::new();
        let (_serving, url) = served(&server).await;
        let place = ground.place(&what);
        for step in STEPS {
            // Those that only take long would make this take long.
            let number = random.u64(8..15);
            let fault = fault(step, if number == 14 { 1 } else { number });
            server
                .faults()
                .add(fault.probability(random.f64() / 2.0, random.u64(..)));
        }
        let deed = ["commit", "commit", "reject", "drop"][random.usize(..4)];
        let step = random.u64(1..60);
        let (status, told) = process(&url, &server, &place, deed, step, random.u64(1..6));
        reconcile(&server, &place, &what).await;
        check(&server, &told, &what);
        kills += u64::from(is_killed(status));
        accepted += told
            .values()
            .filter(|&&told| told == Told::Accepted)
            .count();
    }
    println!(
        "{runs} seeded processes, {kills} of them killed, {accepted} commissions told accepted"
    );
    assert!(runs < 20 || kills > runs / 4);
}

/// A module of the tests for each ground.
macro_rules! on {
    ($name:ident, $kind:expr, $divisor:expr) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_kill_before_any_step_loses_nothing_and_charges_nothing_twice() {
                kill_before_any_step($kind).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_kill_while_reconciling_can_be_made_good() {
                kill_while_reconciling($kind).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn seeded_kills_of_many_tasks_under_faults() {
                seeded_kills_under_faults($kind, $divisor).await;
            }
        }
    };
}

on!(file, None, 10);
on!(sqlite, Some(Kind::Sqlite), 30);
on!(redis, Some(Kind::Redis), 30);
on!(postgres, Some(Kind::Postgres), 30);
on!(etcd, Some(Kind::Etcd), 30);

mod a_kill_within_any_call_of_the_store_loses_nothing {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        kill_within_any_call(Kind::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn redis() {
        kill_within_any_call(Kind::Redis).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        kill_within_any_call(Kind::Postgres).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn etcd() {
        kill_within_any_call(Kind::Etcd).await;
    }
}
