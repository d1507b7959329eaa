//! Events of channels.

use super::*;

fn group(n: i64) -> Value {
    json!({"logType": "a", "event": [n]})
}

fn done() -> (u16, Value) {
    (200, json!({}))
}

const POLL: &str = "POST /event-service/v1/channels/c/poll";
const ACK: &str = "POST /event-service/v1/channels/c/ack";
const NACK: &str = "POST /event-service/v1/channels/c/nack";

#[tokio::test(start_paused = true)]
async fn a_page_is_acknowledged_once_all_of_it_was_taken() {
    let service = Service::new([(200, json!([group(1), group(2)])), done(), (200, json!([]))]);
    let client = service.client();
    let mut walk = client.events().walk("c").unwrap().acknowledge();
    for n in 1..=2 {
        let events = walk.next().await.unwrap().unwrap().event;
        assert_eq!(events, [json!(n)]);
    }
    assert_eq!(service.asked(), [POLL]);
    assert!(walk.next().await.unwrap().is_none());
    assert_eq!(service.asked(), [ACK, POLL]);
    drop(walk);
    settle().await;
    assert!(service.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_not_acknowledged_is_given_back_when_the_walk_is_dropped() {
    let service = Service::new([(200, json!([group(1)])), done()]);
    let client = service.client();
    let mut walk = client.events().walk("c").unwrap().acknowledge();
    walk.next().await.unwrap();
    drop(walk);
    settle().await;
    assert_eq!(service.asked(), [POLL, NACK]);
    // Where nothing is acknowledged, nothing is given back either.
    let service = Service::new([(200, json!([group(1)]))]);
    let client = service.client();
    let mut walk = client.events().walk("c").unwrap();
    walk.next().await.unwrap();
    walk.next().await.unwrap();
    drop(walk);
    settle().await;
    assert_eq!(service.asked(), [POLL, POLL]);
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_is_not_confirmed_is_an_error_and_tried_again() {
    let service = Service::new([
        (200, json!([group(1)])),
        (204, json!(null)),
        done(),
        (200, json!([])),
    ]);
    let client = service.client();
    let mut walk = client.events().walk("c").unwrap().acknowledge();
    walk.next().await.unwrap();
    let error = walk.next().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NO_CONTENT));
    assert!(walk.next().await.unwrap().is_none());
    assert_eq!(service.asked(), [POLL, ACK, ACK, POLL]);
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_follows_asks_again_after_a_pause() {
    let service = Service::new([
        (200, json!([])),
        (200, json!([])),
        (200, json!([group(1)])),
        (200, json!([])),
    ]);
    let client = service.client();
    let walk = client.events().walk("c").unwrap();
    let mut walk = walk.follow(Duration::from_secs(7));
    assert!(walk.next().await.unwrap().is_some());
    assert_eq!(service.pauses(), [7000, 7000]);
    let waited = tokio::time::timeout(Duration::from_secs(3), walk.next()).await;
    assert!(waited.is_err());
    assert_eq!(service.asked().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_returned_again_since_nothing_is_acknowledged_has_nothing_new() {
    let service = Service::new([
        (200, json!([group(1)])),
        (200, json!([group(1)])),
        (200, json!([group(1), group(2)])),
    ]);
    let client = service.client();
    let mut walk = client.events().walk("c").unwrap();
    for n in [Some(1), None, Some(1), Some(2), None, None] {
        let found = walk.next().await.unwrap().map(|group| group.event);
        assert_eq!(found, n.map(|n| vec![json!(n)]));
    }
    assert_eq!(service.asked(), [POLL; 5]);
    // One that follows asks no more often than it should.
    let service = Service::new([(200, json!([group(1)]))]);
    let client = service.client();
    let walk = client.events().walk("c").unwrap();
    let mut walk = walk.follow(Duration::from_secs(7));
    assert!(walk.next().await.unwrap().is_some());
    let waited = tokio::time::timeout(Duration::from_secs(20), walk.next()).await;
    assert!(waited.is_err());
    assert_eq!(service.pauses(), [0, 7000, 7000]);
    // What was acknowledged is not returned again, so the same is new.
    let service = Service::new([
        (200, json!([group(1)])),
        done(),
        (200, json!([group(1)])),
        done(),
        (200, json!([])),
    ]);
    let client = service.client();
    let mut walk = client.events().walk("c").unwrap().acknowledge();
    assert!(walk.next().await.unwrap().is_some());
    assert!(walk.next().await.unwrap().is_some());
    assert!(walk.next().await.unwrap().is_none());
}
