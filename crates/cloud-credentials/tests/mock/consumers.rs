//! What the services keep: entries, queries on them, events and jobs.

use std::time::Duration;

use serde_json::{Value, json};
use vouchsafe_cloud_credentials::mock::{Seed, Server};
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
    let id = client.queries().create(&job).await.unwrap().job_id.unwrap();
    let mut pages = client.queries().pages(&id).unwrap().page_size(3);
    let mut rows = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        rows.push(page.rows_in_page.unwrap());
    }
    assert_eq!(rows, [3, 2]);

    let id = client.queries().create(&job).await.unwrap().job_id.unwrap();
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
            .filter_map(|group| group.log_type)
            .collect::<Vec<_>>()
    };
    assert_eq!(poll().await, ["panw.traffic"]);
    write(&client, 1).await;
    assert_eq!(poll().await, ["panw.traffic", "acme.door"]);
    let one: EventPoll = serde_json::from_value(json!({"fetchCount": 1})).unwrap();
    let groups = events.poll("c").body(&one).send().await.unwrap();
    assert_eq!(groups[0].log_type.as_deref(), Some("panw.traffic"));
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

#[tokio::test]
async fn the_directory_has_the_objects_of_the_seed_until_they_are_set() {
    let seed = r#"{
        "clients": [],
        "directory": {
            "example.org": {
                "users": [
                    {"Name": "alice", "Mail": "a@example.org"},
                    {"Name": "bob"}, {"Name": "carol"}
                ],
                "groups": [{"Name": "staff"}]
            },
            "example.com": {"users": [{"Name": "dave"}]}
        }
    }"#;
    let server = Server::from_seed(&Seed::parse(seed).unwrap());
    let client = server.client().unwrap();
    let directory = client.directory();
    let domains = directory.domains().await.unwrap();
    assert_eq!(domains, json!({"domains": ["example.com", "example.org"]}));
    let attributes = serde_json::to_value(directory.attributes().await.unwrap()).unwrap();
    let expected = json!({"group": {"Name": "name"}, "user": {"Mail": "mail", "Name": "name"}});
    assert_eq!(attributes, expected);
    let count = async |class: &str, domain: Option<&str>| {
        let count = directory.count(class);
        let count = match domain {
            Some(domain) => count.domain(domain),
            None => count,
        };
        count.send().await.unwrap()
    };
    assert_eq!(count("users", None).await, 4);
    assert_eq!(count("users", Some("example.org")).await, 3);
    assert_eq!(count("users", Some("elsewhere.org")).await, 0);
    assert_eq!(count("computers", None).await, 0);
    let page = async |number: usize| {
        let query = json!({
            "domain": "example.org", "attributes": ["Name"], "pageNumber": number, "pageSize": 2,
        });
        let query = serde_json::from_value(query).unwrap();
        let page = directory.query("users", &query).await.unwrap();
        (page.result, page.count, page.page_size, page.unread_results)
    };
    let first = vec![json!({"Name": "alice"}), json!({"Name": "bob"})];
    assert_eq!(page(0).await, (first, Some(3), Some(2), Some(1)));
    let second = vec![json!({"Name": "carol"})];
    assert_eq!(page(1).await, (second, Some(3), Some(1), Some(0)));
    assert_eq!(page(9).await, (vec![], Some(3), Some(0), Some(0)));
    assert_eq!(server.snapshot()["directory_objects"], 5);
    let own = json!({"domain": "example.org", "class": "users", "objects": [{"Name": "erin"}]});
    let handler = server.host().handler();
    let told = handler.act("directory", own.to_string().as_bytes());
    assert_eq!(told.unwrap(), json!({"objects": 3}));
    assert_eq!(page(0).await.0, [json!({"Name": "erin"})]);
    server.reset();
    assert_eq!(count("users", None).await, 4);
}
