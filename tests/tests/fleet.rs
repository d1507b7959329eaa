//! Processes that share credentials through one store. `cargo xtask fleet table` has more of them, and
//! the processes of `pancloud` beside them.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use vouchsafe_test_stores::Ground;
use vouchsafe_tests::fleet;

/// Defines a test for each store.
macro_rules! four_processes_of_fifty_tasks_make_one_request {
    ($($by:ident: $ground:ident,)*) => {
        mod four_processes_of_fifty_tasks_make_one_request {
            use super::{Ground, of_four_processes};

            $(
                #[tokio::test]
                async fn $by() {
                    of_four_processes(Ground::$ground).await;
                }
            )*
        }
    };
}

four_processes_of_fifty_tasks_make_one_request! {
    by_the_file_of_credentials: File,
    by_sqlite: Sqlite,
    by_leases_in_memcached: Memcached,
    by_redis: Redis,
    by_valkey: Valkey,
    by_postgresql: Postgres,
    by_etcd: Etcd,
    by_nats: Nats,
    by_openbao: OpenBao,
    by_dynamodb: DynamoDb,
}

/// Defines a test for each store.
macro_rules! a_hint_ends_the_wait_for_the_refresh_of_another_process {
    ($($by:ident: $ground:ident,)*) => {
        mod a_hint_ends_the_wait_for_the_refresh_of_another_process {
            use super::{Ground, of_a_hint};

            $(
                #[tokio::test(start_paused = true)]
                async fn $by() {
                    of_a_hint(Ground::$ground).await;
                }
            )*
        }
    };
}

a_hint_ends_the_wait_for_the_refresh_of_another_process! {
    by_redis: Redis,
    by_postgresql: Postgres,
    by_etcd: Etcd,
    by_nats: Nats,
}

async fn of_four_processes(ground: Ground) {
    let missed = fleet::four_processes(Path::new(env!("CARGO_BIN_EXE_fleet")), ground).await;
    assert_eq!(missed, Ok(Vec::new()));
}

/// Timers stand still meanwhile, so that no wait ends because its time is over.
async fn of_a_hint(ground: Ground) {
    // A paused clock only goes on while there is no blocking task.
    let (_until_the_end, end) = mpsc::channel::<()>();
    let _still = tokio::task::spawn_blocking(move || end.recv_timeout(PATIENCE));
    let begun = Instant::now();
    let done = timeout(100 * PATIENCE, fleet::hinted(ground)).await;
    assert_eq!(begun.elapsed(), Duration::ZERO, "no hint came; {done:?}");
    assert_eq!(done, Ok(Ok(())));
}

/// How long a hint may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
