//! Types, calls and tables, without a client.

use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use serde_json::{from_value, json, to_value};
use vouchsafe_core::call::{Call, CallOptions, Repeat};
use vouchsafe_core::mock::route::Found;
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::url::BaseUrl;
use vouchsafe_core::{BoxFuture, CoreClient, ErrorKind, Result, Secret};

use crate::Address;
use crate::generated::places::operations::FLOOR_NAME;
use crate::generated::wide::calls::{GetDocumentParams, ListThingsParams};
use crate::generated::wide::operations::{CREATE_THING, GET_DOCUMENT, LIST_THINGS, REVOKE_KEY};
use crate::generated::wide::routes::{Op, ROUTES};
use crate::generated::wide::wire::{
    Colour, Grant, HealthStatus, KeySession, ListThingsOrder, Login, NewThing, Note, Size, Thing,
};
use crate::generated::wide::{calls, routes};

fn thing(more: &[(&str, serde_json::Value)]) -> serde_json::Result<Thing> {
    let mut value = json!({"id": 1, "name": "lamp", "createdAt": null});
    for (key, part) in more {
        value[key] = part.clone();
    }
    from_value(value)
}

/// Keeps what it was asked and answers 200.
#[derive(Debug, Default)]
struct Wire(Mutex<Vec<Request>>);

impl Transport for Wire {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        self.0.lock().unwrap().push(request);
        Box::pin(async { Ok(Response::new(StatusCode::OK)) })
    }
}

/// Sends a call and returns what went out.
async fn sent(call: Call) -> Request {
    let wire = Arc::new(Wire::default());
    let client = CoreClient::builder()
        .transport(wire.clone())
        .build()
        .unwrap();
    let base = BaseUrl::parse("https://wide.example.com/api/v1").unwrap();
    client
        .send(&base, call, None, &CallOptions::default())
        .await
        .unwrap();
    let mut requests = wire.0.lock().unwrap();
    requests.pop().unwrap()
}

#[test]
fn absent_values_become_their_defaults() {
    let thing = thing(&[("unknown_key", json!([1]))]).unwrap();
    assert_eq!(thing.colour, Colour::Red);
    assert!((thing.weight - 1.5).abs() < f64::EPSILON);
    assert_eq!((thing.count, thing.none), (3, 0));
    assert_eq!(thing.note, "-");
    assert!(thing.visible && !thing.hidden);
    assert!(thing.tags.is_empty() && thing.labels.is_empty() && thing.free.is_empty());
    assert_eq!(
        (thing.size, thing.maybe_tags, thing.within),
        (None, None, None)
    );
}

#[test]
fn null_is_taken_only_where_the_description_has_it() {
    for key in ["maybe_tags", "within", "createdAt", "type"] {
        assert!(thing(&[(key, json!(null))]).is_ok(), "{key}");
    }
    for key in [
        "tags", "labels", "free", "visible", "count", "note", "parts", "name", "id",
    ] {
        assert!(thing(&[(key, json!(null))]).is_err(), "{key}");
    }
    assert!(thing(&[("labels", json!({"a": null}))]).is_ok());
    assert!(
        from_value::<Thing>(json!({"id": 1, "name": "lamp"})).is_err(),
        "createdAt is required"
    );
    assert!(thing(&[("count", json!(1.5))]).is_err());
}

#[test]
fn a_hand_written_type_replaces_a_text() {
    let read = |text: &str| thing(&[("address", json!(text))]);
    assert_eq!(
        read("/home").unwrap().address,
        Some(Address("/home".to_owned()))
    );
    assert!(
        read("home")
            .unwrap_err()
            .to_string()
            .contains("begins with a slash")
    );
    assert_eq!(thing(&[]).unwrap().inner.depth, None);
    let renamed = thing(&[("self", json!({"depth": 2}))]).unwrap();
    assert_eq!(renamed.own.unwrap().depth, Some(2));
}

#[test]
fn open_enums_keep_unknown_words_and_closed_ones_refuse_them() {
    let read = |word: &str| thing(&[("colour", json!(word))]).unwrap().colour;
    for word in ["dark-green", "2nd", "unknown", "mauve"] {
        assert_eq!(to_value(read(word)).unwrap(), json!(word));
    }
    assert_eq!(read("mauve"), Colour::Unknown("mauve".to_owned()));
    assert_eq!(read("unknown"), Colour::UnknownWord);
    assert_eq!(
        thing(&[("size", json!("large"))]).unwrap().size,
        Some(Size::Large)
    );
    assert!(thing(&[("size", json!("huge"))]).is_err());
    assert!(from_value::<HealthStatus>(json!("ill")).is_err());
}

#[test]
fn a_thing_in_a_thing_comes_back_as_it_was() {
    let inner = json!({"id": 2, "name": "bulb", "createdAt": "then"});
    let outer = thing(&[("within", inner.clone()), ("parts", json!([inner]))]).unwrap();
    assert_eq!(outer.within.as_ref().unwrap().id, 2);
    assert_eq!(
        from_value::<Thing>(to_value(&outer).unwrap()).unwrap(),
        outer
    );
    assert_eq!(to_value(&outer).unwrap()["createdAt"], json!(null));
}

#[test]
fn unset_values_are_sent_as_null_where_the_description_says_so() {
    let body = NewThing {
        name: "lamp".to_owned(),
        colour: None,
        weight: None,
        token_name: None,
        tags: Vec::new(),
    };
    let sent = json!({"name": "lamp", "colour": null, "weight": null, "tags": []});
    assert_eq!(to_value(&body).unwrap(), sent);
}

#[test]
fn secrets_go_into_the_body_of_a_request_and_nowhere_else() {
    let mut login = Login {
        user: "ada".to_owned(),
        password: Secret::from("planted"),
        code: None,
    };
    assert_eq!(
        to_value(&login).unwrap(),
        json!({"user": "ada", "password": "planted"})
    );
    login.code = Some(Secret::from("planted"));
    assert_eq!(to_value(&login).unwrap()["code"], json!("planted"));
    assert!(!format!("{login:?}").contains("planted"));
    let session: KeySession = from_value(json!({"key": "planted", "lifetime": 3})).unwrap();
    assert_eq!(session.key.expose(), "planted");
    assert!(!format!("{session:?}").contains("planted"));
    assert!(REVOKE_KEY.has_sensitive_path());
}

#[tokio::test]
async fn paths_queries_and_headers_are_encoded_piece_by_piece() {
    let params = ListThingsParams {
        tag: vec!["a&b".to_owned(), "c".to_owned()],
        colour: vec![Colour::Red, Colour::Unknown("é".to_owned())],
        limit: Some(10),
        deep: Some(true),
        order: Some(ListThingsOrder::Name_),
        target_: None,
        page: None,
        x_trace: Some("t1".to_owned()),
    };
    let request = sent(calls::list_things("me/you", "tenant", &params).unwrap()).await;
    assert_eq!(request.uri.path(), "/api/v1/things");
    assert_eq!(
        request.uri.query().unwrap(),
        "owner=me%2Fyou&tag=a%26b&tag=c&colour=red%2C%C3%A9&limit=10&deep=true&sort-by=-name"
    );
    assert_eq!(request.headers["x-tenant"], "tenant");
    assert_eq!(request.headers["x-trace"], "t1");

    let bare = ListThingsParams::default();
    let request = sent(calls::list_things("me", "tenant", &bare).unwrap()).await;
    assert_eq!(request.uri.query(), Some("owner=me"));
    assert!(!request.headers.contains_key("x-trace"));

    let request = sent(calls::put_note(7, "a/../b", None).unwrap()).await;
    assert_eq!(request.uri.path(), "/api/v1/things/7/notes/a%2F..%2Fb");
    assert!(request.body.is_empty());
    let body: Note = from_value(json!({"text": "on", "more": "off"})).unwrap();
    let request = sent(calls::put_note(7, "a", Some(&body)).unwrap()).await;
    assert_eq!(request.body, "{\"text\":\"on\",\"more\":\"off\"}");
    assert_eq!(request.headers["content-type"], "application/json");

    let request = sent(calls::revoke_key(&Secret::from("k?1")).unwrap()).await;
    assert_eq!(request.uri.path(), "/api/v1/keys/k%3F1");
}

#[tokio::test]
async fn a_form_holds_what_is_set_and_lists_again_and_again() {
    let mut body: Grant = from_value(json!({
        "id": 1, "grant_type": "a&b", "client_secret": "planted é", "scope": ["x", "y z"],
        "sizes": ["small"], "age": 7, "owner": u64::MAX,
    }))
    .unwrap();
    let request = sent(calls::send_form(&body).unwrap()).await;
    assert_eq!(
        request.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(
        request.body,
        "id=1&grant_type=a%26b&client_secret=planted+%C3%A9&scope=x&scope=y+z&sizes=small\
         &colour=red&age=7&owner=18446744073709551615&hidden=false"
    );
    body.code = Some(Secret::from("planted"));
    body.size = Some(Size::Large);
    body.state = Some(String::new());
    let call = calls::send_form(&body).unwrap();
    assert!(!format!("{body:?}{call:?}").contains("planted"));
    let text = String::from_utf8(sent(call).await.body.to_vec()).unwrap();
    assert!(text.contains("&code=planted&") && text.contains("&size=large&state=&"));

    let trade = from_value(json!({"refresh_token": "planted"})).unwrap();
    let request = sent(calls::get_token(&trade).unwrap()).await;
    assert_eq!(request.body, "refresh_token=planted");
    let trade = from_value(json!({"code": "c", "numbers": [1, 2]})).unwrap();
    let request = sent(calls::get_token(&trade).unwrap()).await;
    assert_eq!(request.body, "code=c&numbers=1&numbers=2");

    let free = [("a b".to_owned(), "1".to_owned())].into();
    let request = sent(calls::put_form(Some(&free)).unwrap()).await;
    assert_eq!(request.body, "a+b=1");
    let request = sent(calls::put_form(None).unwrap()).await;
    assert!(request.body.is_empty() && !request.headers.contains_key("content-type"));
}

#[tokio::test]
async fn headers_with_secrets_are_marked() {
    let params = GetDocumentParams {
        if_none_match: Some("\"1\"".to_owned()),
        x_more: Some(Secret::from("planted")),
        owner: None,
    };
    let ticket = Secret::from("planted");
    let request = sent(calls::get_document(&ticket, &params).unwrap()).await;
    assert_eq!(request.headers["if-none-match"], "\"1\"");
    assert_eq!(request.headers["x-ticket"], "planted");
    assert!(!format!("{:?}", request.headers).contains("planted"));
    let split = calls::get_document(&Secret::from("plan\nted"), &params).unwrap_err();
    assert_eq!(split.kind(), ErrorKind::Invalid);
    assert!(!format!("{split:?}").contains("ted"));
}

#[tokio::test]
async fn bodies_and_headers_with_secrets_stay_off_plain_http() {
    let login = Login {
        user: "ada".to_owned(),
        password: Secret::from("planted"),
        code: None,
    };
    let document = calls::get_document(&Secret::from("t"), &GetDocumentParams::default());
    let client = CoreClient::builder()
        .transport(Arc::new(Wire::default()))
        .build()
        .unwrap();
    let base = BaseUrl::parse("http://wide.example.com/api/v1").unwrap();
    for call in [calls::log_in(&login).unwrap(), document.unwrap()] {
        let sent = client
            .send(&base, call, None, &CallOptions::default())
            .await;
        assert_eq!(sent.unwrap_err().kind(), ErrorKind::Config);
    }
    let body = NewThing {
        name: "lamp".to_owned(),
        colour: None,
        weight: None,
        token_name: None,
        tags: Vec::new(),
    };
    let call = calls::create_thing(&body).unwrap();
    client
        .send(&base, call, None, &CallOptions::default())
        .await
        .unwrap();
}

#[test]
fn values_that_have_no_place_in_a_request_are_refused() {
    assert_eq!(
        calls::put_note(7, "..", None).unwrap_err().kind(),
        ErrorKind::Invalid
    );
    let split = calls::list_things("me", "ten\nant", &ListThingsParams::default());
    assert_eq!(split.unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn values_beyond_the_limits_of_the_description_are_refused() {
    let params = ListThingsParams {
        limit: Some(0),
        ..ListThingsParams::default()
    };
    let fault = calls::list_things("me", "tenant", &params).unwrap_err();
    assert_eq!(fault.kind(), ErrorKind::Invalid);
    assert_eq!(fault.operation(), Some("wide.listThings"));
    assert!(fault.to_string().contains("limit must be at least 1"));
}

#[test]
fn operations_carry_what_the_description_says() {
    assert_eq!(LIST_THINGS.repeatable(), Repeat::Safe);
    assert_eq!(LIST_THINGS.max_response(), 8 << 20);
    assert_eq!(LIST_THINGS.servers(), None);
    assert_eq!(FLOOR_NAME.servers(), Some("2+"));
    assert_eq!(CREATE_THING.repeatable(), Repeat::OnlyIfUnsent);
    assert_eq!(CREATE_THING.max_response(), 64 << 10);
    assert!(GET_DOCUMENT.is_answer(StatusCode::NOT_MODIFIED));
    assert!(!LIST_THINGS.is_answer(StatusCode::NOT_MODIFIED));
    let kind = |code| CREATE_THING.kind_of(StatusCode::CONFLICT, code);
    assert_eq!(kind(None), ErrorKind::Invalid);
    assert_eq!(kind(Some("name_taken")), ErrorKind::Conflict);
}

#[test]
fn an_operation_is_found_by_method_and_path() {
    assert!(ROUTES.iter().any(|route| route.op == Op::PutNote));
    let Found::Route { op, params, .. } =
        routes::find(&Method::PUT, "/api/v1/things/7/notes/a%20b")
    else {
        panic!("the route is there");
    };
    assert_eq!(op, Op::PutNote);
    assert_eq!(params, ["7", "a b"]);
    assert!(matches!(
        routes::find(&Method::GET, "/internal/check"),
        Found::Route { op: Op::Check, .. }
    ));
}
