//! Processes that share credentials through one store. Those that need a server are in
//! `cargo xtask fleet table`.

use std::path::Path;

use vouchsafe_test_stores::Ground;
use vouchsafe_tests::fleet;

async fn missed(ground: Ground) -> Result<Vec<String>, String> {
    fleet::four_processes(Path::new(env!("CARGO_BIN_EXE_fleet")), ground).await
}

#[tokio::test]
async fn four_processes_of_fifty_tasks_make_one_request_by_the_file_of_credentials() {
    assert_eq!(missed(Ground::File).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn four_processes_of_fifty_tasks_make_one_request_by_sqlite() {
    assert_eq!(missed(Ground::Sqlite).await.unwrap(), [""; 0]);
}
