//! What the services keep: entries, queries on them, events and jobs.

use std::time::Duration;

use serde_json::{Value, json};
use vouchsafe_cloud_credentials::mock::Server;
use vouchsafe_cloud_credentials::{Client, EventPoll, LogQuery, NewQueryJob};

async fn write(client: &Client, count: i64) {
    let entries: Vec<Value> = (0..count)
        .map(|n| json!({"uuid": n.to_string(), "n": n}))
        .collect();
    let written = client.logging().write("acme", "door", &entries).await;
    assert_eq!(written.unwrap().uuids.len(), entries.len());
}

#[tokio::test(start_paused = true)]
async fn a_query_finds_what_was_written_and_is_gone_afterwards() {
    let server = Server::new();
    let client = server.client().unwrap();
    write(&client, 4).await;
    let begun = client.logging().query(&LogQuery::new("select")).await;
    let id = begun.unwrap().query_id.unwrap();
    let mut hits = client.logging().hits(&id).unwrap();
    let mut found = Vec::new();
    while let Some(hit) = hits.next().await.unwrap() {
        found.push(hit["_source"]["n"].clone());
    }
    assert_eq!(found, [1, 0, 1, 2, 3]);
    let polls = server.journal().count("cloud-credentials.pollLogQuery");
    assert_eq!(polls, 5, "two while it was running, and three pages");
    let error = client.logging().poll(&id, 0).send().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert!(client.logging().delete(&id).await.is_err());
    let empty = client.logging().query(&LogQuery::new("")).await;
    assert_eq!(empty.unwrap_err().code(), Some("invalid_query"));
}

#[tokio::test(start_paused = true)]
async fn a_job_runs_has_pages_and_can_be_cancelled() {
    let server = Server::new();
    let client = server.client().unwrap();
    write(&client, 4).await;
    let job = NewQueryJob::new(json!({"query": "select"}), "test", "1");
    let id = client.queries().create(&job).await.unwrap().job_id;
    let mut pages = client.queries().pages(&id).unwrap().page_size(3);
    let mut rows = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        rows.push(page.rows_in_page.unwrap());
    }
    assert_eq!(rows, [3, 2]);

    let id = client.queries().create(&job).await.unwrap().job_id;
    let mut pages = client.queries().pages(&id).unwrap();
    let wait = Duration::from_millis(100);
    assert!(tokio::time::timeout(wait, pages.next()).await.is_err());
    // Dropped, it cancels the job.
    drop(pages);
    tokio::time::sleep(wait).await;
    let job = client.queries().get(&id).await.unwrap();
    assert_eq!(job.state.as_deref(), Some("CANCELLED"));
    let listed = client.queries().list().send().await.unwrap();
    assert_eq!(listed.len(), 3);
    let error = client.queries().get("other").await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test]
async fn events_come_again_until_they_are_acknowledged() {
    let client = Server::new().client().unwrap();
    let events = client.events();
    let poll = async || {
        let groups = events.poll("c").send().await.unwrap();
        groups
            .into_iter()
            .map(|group| group.log_type)
            .collect::<Vec<_>>()
    };
    assert_eq!(poll().await, ["panw.traffic"]);
    write(&client, 1).await;
    assert_eq!(poll().await, ["panw.traffic", "acme.door"]);
    let one: EventPoll = serde_json::from_value(json!({"fetchCount": 1})).unwrap();
    let groups = events.poll("c").body(&one).send().await.unwrap();
    assert_eq!(groups[0].log_type, "panw.traffic");
    events.ack("c").await.unwrap();
    assert_eq!(poll().await, ["acme.door"]);
    events.nack("c").await.unwrap();
    let mut walk = events.walk("c").unwrap().acknowledge();
    assert!(walk.next().await.unwrap().is_some());
    assert!(walk.next().await.unwrap().is_none());
    write(&client, 1).await;
    events.flush("c").await.unwrap();
    assert!(poll().await.is_empty());
}
