//! Processes that share credentials through one store. `cargo xtask fleet table` has more of them, and
//! the processes of `pancloud` beside them.

use std::path::Path;

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

async fn of_four_processes(ground: Ground) {
    let missed = fleet::four_processes(Path::new(env!("CARGO_BIN_EXE_fleet")), ground).await;
    assert_eq!(missed.unwrap(), [""; 0]);
}
