//! What the generator writes for a description with everything in it, compiled and used.

#![cfg(feature = "mock")]
#![allow(dead_code, reason = "not all that can be described is tried")]
#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(
    clippy::needless_question_mark,
    unnameable_types,
    unreachable_pub,
    reason = "a service would re-export what its description calls public"
)]

use std::sync::{Arc, Mutex};

#[path = "right/crates/wide/src/generated/mod.rs"]
mod generated;

use generated::places::operations::FLOOR_NAME;
use generated::places::wire::{NewOwner, NewPlace, Place, PlaceId, PlaceKind, PlaceLogin};
use generated::wide::calls::{self, GetDocumentParams, ListThingsParams};
use generated::wide::operations::{CREATE_THING, GET_DOCUMENT, LIST_THINGS, REVOKE_KEY};
use generated::wide::routes::{self, Op, ROUTES};
use generated::wide::wire::{
    Colour, Grant, HealthStatus, KeySession, ListThingsOrder, Login, NewThing, Note, Size, Thing,
};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{from_value, json, to_value};
use vouchsafe_core::auth::StaticToken;
use vouchsafe_core::call::{Answer, Call, CallOptions, Repeat};
use vouchsafe_core::mock::route::Found;
use vouchsafe_core::service::{Base, Service, Session};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::url::BaseUrl;
use vouchsafe_core::{BoxFuture, CoreClient, Error, ErrorKind, Result, Secret};

/// A text that is checked while it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Address(String);

impl TryFrom<String> for Address {
    type Error = &'static str;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        if text.starts_with('/') {
            Ok(Self(text))
        } else {
            Err("an address begins with a slash")
        }
    }
}

/// A number, or a word for one.
#[derive(Clone, Debug)]
struct Level(i64);

impl From<i64> for Level {
    fn from(number: i64) -> Self {
        Self(number)
    }
}

impl From<&str> for Level {
    fn from(word: &str) -> Self {
        Self(if word == "ground" { 0 } else { 1 })
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

/// The client that generated methods are on: it sends to one base, with one token.
#[derive(Clone, Debug)]
struct Client(Session);

impl Service for Client {
    type Error = Error;
    type Credential = ();

    async fn call(&self, call: Call, _: &(), options: &CallOptions) -> Result<Answer> {
        self.0.send(call, options).await
    }
}

/// Answers with what it is told, one answer after the other, and keeps what it was asked.
#[derive(Debug, Default)]
struct Script(Mutex<Vec<Request>>, Mutex<Vec<serde_json::Value>>);

impl Transport for Script {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        self.0.lock().unwrap().push(request);
        let mut answers = self.1.lock().unwrap();
        let mut response = Response::new(StatusCode::OK);
        if !answers.is_empty() {
            response.body = answers.remove(0).to_string().into();
        }
        Box::pin(async { Ok(response) })
    }
}

fn client(answers: &[serde_json::Value]) -> (Client, Arc<Script>) {
    let script = Arc::new(Script(Mutex::default(), Mutex::new(answers.to_vec())));
    let core = CoreClient::builder().transport(script.clone());
    let base = BaseUrl::parse("https://places.example.com").unwrap();
    let session = Session::new(core.build().unwrap(), Base::fixed(base));
    let token = Arc::new(StaticToken::new(Secret::from("planted")));
    (Client(session.with_token(token)), script)
}

const ID: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";

fn place(number: u32) -> serde_json::Value {
    let id = format!("6f9619ff-8b86-d011-b42d-{number:012}");
    json!({"id": id, "name": format!("p{number}"), "kind": "room"})
}

#[tokio::test]
async fn a_method_without_optional_values_sends_at_once() {
    let (client, script) = client(&[place(1), json!({"data": 3})]);
    let id: PlaceId = ID.parse().unwrap();
    let found = client.places().get(&id).await.unwrap();
    assert_eq!((found.name.as_str(), &found.kind), ("p1", &PlaceKind::Room));
    assert_eq!(client.place_visits().count(&id).await.unwrap(), 3);
    let asked = script.0.lock().unwrap();
    assert_eq!(asked[0].uri.path(), format!("/places/{ID}"));
    assert_eq!(asked[0].headers["authorization"], "Bearer planted");
}

#[tokio::test]
async fn a_body_is_made_of_what_is_required_and_set_piece_by_piece() {
    let (client, script) = client(&[place(1), json!({"key": "planted"})]);
    let near = PlaceId::parse(ID).unwrap();
    let body = NewPlace::new("Attic").labels(["a", "b"]).near(&near);
    client.places().create(&body).await.unwrap();
    let sent: serde_json::Value =
        serde_json::from_slice(&script.0.lock().unwrap()[0].body).unwrap();
    assert_eq!(
        sent,
        json!({"name": "Attic", "kind": "room", "labels": ["a", "b"], "near": ID})
    );

    let long = NewPlace::new("more than eight");
    let refused = client.places().create(&long).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(
        refused
            .to_string()
            .contains("name must have 1 to 8 characters")
    );

    let login = PlaceLogin::new("ada", "planted").code("planted");
    let session = client.sessions().create(&login).await.unwrap();
    assert_eq!(session.key.expose(), "planted");
    assert!(!format!("{login:?}{session:?}").contains("planted"));
    let asked = script.0.lock().unwrap();
    assert_eq!(asked.len(), 2, "what is refused is not sent");
    assert!(
        !asked[1].headers.contains_key("authorization"),
        "it is open"
    );
}

/// What users see of an owner.
#[derive(Clone, Debug, PartialEq)]
struct Owner(String);

impl TryFrom<generated::places::wire::PlaceOwner> for Owner {
    type Error = String;

    fn try_from(wire: generated::places::wire::PlaceOwner) -> std::result::Result<Self, String> {
        match wire.name.as_str() {
            "" => Err("an owner has a name".to_owned()),
            name => Ok(Self(name.to_owned())),
        }
    }
}

#[tokio::test]
async fn answers_become_the_models_that_are_written_by_hand() {
    let ada = json!({"kind": "owner", "name": "ada"});
    let unnamed = json!({"kind": "owner", "name": ""});
    let other = json!({"kind": "guest", "name": "ada"});
    let (client, _) = client(&[json!({"attic": ada}), json!({"attic": unnamed}), other]);
    let places = client.places();
    let owners = places.owners().await.unwrap();
    assert_eq!(owners["attic"], Owner("ada".to_owned()));
    let error = places.owners().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("an owner has a name"), "{error}");
    let error = places.owner(&ID.parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "a constant is checked");
}

#[tokio::test]
async fn a_constant_is_sent_without_being_given_and_types_by_hand_are_converted() {
    let (client, script) = client(&[]);
    let address = Address("/home".to_owned());
    let body = NewOwner::new(&address).also([&address]);
    client.places().add_owner(&body).await.unwrap();
    let sent: serde_json::Value =
        serde_json::from_slice(&script.0.lock().unwrap()[0].body).unwrap();
    assert_eq!(
        sent,
        json!({"kind": "owner", "name": "/home", "also": ["/home"]})
    );
}

/// Answers each request with a status and a body.
#[derive(Debug)]
struct Refusing(u16, &'static str);

impl Transport for Refusing {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response>> {
        let mut response = Response::new(StatusCode::from_u16(self.0).unwrap());
        response.body = self.1.into();
        Box::pin(async { Ok(response) })
    }
}

#[tokio::test]
async fn a_refusal_that_means_absence_is_no_error() {
    let client = |status, body| {
        let core = CoreClient::builder()
            .transport(Arc::new(Refusing(status, body)))
            .read_fault(|response| {
                let code = std::str::from_utf8(&response.body).unwrap();
                vouchsafe_core::call::Fault::new(Some(code.to_owned()), None)
            });
        let base = BaseUrl::parse("https://places.example.com").unwrap();
        let session = Session::new(core.build().unwrap(), Base::fixed(base));
        Client(session.with_token(Arc::new(StaticToken::new(Secret::from("planted")))))
    };
    let id: PlaceId = ID.parse().unwrap();
    let none = client(404, "no_owner").places().owner(&id).await.unwrap();
    assert_eq!(none, None);
    let error = client(404, "no_route").places().owner(&id).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    let found = client(200, r#"{"kind": "owner", "name": "ada"}"#);
    let found = found.places().owner(&id).await.unwrap();
    assert_eq!(found, Some(Owner("ada".to_owned())));

    let client_of = |status| client(status, "");
    assert!(!client_of(404).places().remove_owner(&id).await.unwrap());
    assert!(client_of(204).places().remove_owner(&id).await.unwrap());
    assert!(client_of(403).places().remove_owner(&id).await.is_err());
}

#[test]
fn an_id_is_a_type_of_its_own_that_parses() {
    let id: PlaceId = ID.parse().unwrap();
    assert_eq!(id.to_string(), ID);
    assert_eq!(to_value(&id).unwrap(), json!(ID));
    for bad in ["", "attic", "../users"] {
        assert_eq!(PlaceId::parse(bad).unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn a_builder_sends_what_is_set_with_the_options_of_the_call() {
    let page = json!({"total": 9, "filtered": 1, "items": [place(1)]});
    let (client, script) = client(&[page]);
    let list = client
        .places()
        .list()
        .search("at")
        .recurse(true)
        .tenant("t");
    let page = list
        .kind(PlaceKind::Street)
        .request_id("r-1")
        .send()
        .await
        .unwrap();
    assert_eq!((page.total, page.items.len()), (9, 1));
    let asked = script.0.lock().unwrap();
    assert_eq!(
        asked[0].uri.query().unwrap(),
        "search=at&recurse=true&kind=street"
    );
    assert_eq!(asked[0].headers["x-tenant"], "t");
    assert_eq!(asked[0].headers["x-request-id"], "r-1");
}

#[tokio::test]
async fn a_parameter_of_a_hand_written_number_is_taken_by_conversion() {
    let (client, script) = client(&[json!(null)]);
    let name = client.places().name_floor("upper").above("ground");
    name.send().await.unwrap();
    client.places().name_floor(7).send().await.unwrap();
    let asked = script.0.lock().unwrap();
    assert_eq!(
        asked[0].uri.to_string(),
        "https://places.example.com/floors/1?above=0"
    );
    assert_eq!(asked[1].uri.path(), "/floors/7");
    // It takes no credential.
    assert!(!asked[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn what_would_not_arrive_as_it_is_is_refused_and_an_option_is_none_of_the_arguments() {
    let (client, script) = client(&[json!(null)]);
    let id: PlaceId = ID.parse().unwrap();
    let add = |label: &str, note: &str| client.places().add_label(&id, label).note(note);
    for (label, note) in [("a/b", "fine"), ("fine", "a&b")] {
        let refused = add(label, note).send().await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
        assert!(refused.message().contains("character"), "{refused}");
    }
    add("a;b", "a/b").tenant("t").send().await.unwrap();
    let asked = script.0.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].headers["x-tenant"], "t");
}

#[test]
fn a_list_is_read_by_the_name_that_older_servers_have_for_it() {
    let read = |members: serde_json::Value| {
        let mut value = place(1);
        value
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        from_value::<Place>(value).unwrap().labels
    };
    assert_eq!(read(json!({})), Vec::<String>::new());
    assert_eq!(read(json!({"labels": ["a"]})), ["a"]);
    assert_eq!(read(json!({"tags": ["b"]})), ["b"]);
    assert_eq!(
        read(json!({"tags": ["b"], "labels": ["b", "c"]})),
        ["b", "c"]
    );
}

#[tokio::test]
async fn a_list_is_walked_page_by_page_with_its_filters() {
    let page = |numbers: &[u32]| {
        let items: Vec<_> = numbers.iter().map(|number| place(*number)).collect();
        json!({"total": 9, "filtered": 3, "items": items})
    };
    let (client, script) = client(&[page(&[1, 2]), page(&[2, 3])]);
    let mut items = client.places().list().search("p").items();
    let mut names = Vec::new();
    while let Some(Place { name, .. }) = items.next().await.unwrap() {
        names.push(name);
    }
    assert_eq!(names, ["p1", "p2", "p3"]);
    let asked = script.0.lock().unwrap();
    let queries: Vec<_> = asked
        .iter()
        .map(|request| request.uri.query().unwrap())
        .collect();
    assert_eq!(
        queries,
        ["search=p&limit=2&offset=0", "search=p&limit=3&offset=1"]
    );
}

#[tokio::test]
async fn tokens_of_pages_are_followed() {
    let thing = |id: u32| json!({"id": id, "name": "lamp", "createdAt": null});
    let first = json!({"items": [thing(1)], "next": "n"});
    let (client, script) = client(&[first, json!({"items": [thing(2)], "next": null})]);
    let all = client
        .list_things("me", "t")
        .deep(true)
        .items()
        .collect()
        .await
        .unwrap();
    assert_eq!(all.iter().map(|thing| thing.id).collect::<Vec<_>>(), [1, 2]);
    let asked = script.0.lock().unwrap();
    assert_eq!(asked[1].uri.query(), Some("owner=me&deep=true&page=n"));
}

#[test]
fn the_futures_of_methods_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let (client, _) = client(&[]);
    let id: PlaceId = ID.parse().unwrap();
    let places = client.places();
    is_send(&places.get(&id));
    is_send(&places.list().send());
    is_send(&places.list().items().next());
}

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
fn a_type_written_by_hand_stands_in_for_a_text() {
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
