//! Methods and request builders, through the client.

use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde_json::{from_value, json, to_value};
use vouchsafe_core::auth::StaticToken;
use vouchsafe_core::service::{Base, Session};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::url::BaseUrl;
use vouchsafe_core::{BoxFuture, CoreClient, ErrorKind, Result, Secret};

use crate::generated::places::wire::{
    NewOwner, NewPlace, Place, PlaceAction, PlaceId, PlaceKind, PlaceLogin,
};
use crate::{Address, Client, Owner};

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
async fn a_refusal_that_means_absence_is_not_an_error() {
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
fn an_id_is_its_own_type_that_parses() {
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

#[tokio::test]
async fn a_body_of_one_key_is_sent_from_two_arguments() {
    let (client, script) = client(&[]);
    let id: PlaceId = ID.parse().unwrap();
    let places = client.places();
    places.act(&id, &PlaceAction::Paint, "faded").await.unwrap();
    let other = PlaceAction::from("raze".to_owned());
    places.act(&id, &other, "").await.unwrap();
    let error = places
        .act(&id, &other, "too long a reason")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let sent: Vec<serde_json::Value> = script
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(sent, [json!({"paint": "faded"}), json!({"raze": ""})]);
}

#[tokio::test]
async fn an_empty_choice_is_sent_and_one_that_is_not_made_is_not() {
    let (client, script) = client(&[json!({}), json!({}), json!({})]);
    let visits = client.place_visits();
    visits.list().send().await.unwrap();
    visits.list().of([""; 0]).send().await.unwrap();
    visits.list().of(["attic", "hall"]).send().await.unwrap();
    let queries: Vec<Option<String>> = script
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|request| request.uri.query().map(str::to_owned))
        .collect();
    let of = |text: &str| Some(text.to_owned());
    assert_eq!(queries, [None, of("of="), of("of=attic%2Chall")]);
}

#[tokio::test]
async fn an_item_that_would_be_taken_for_two_is_refused_and_nothing_is_sent() {
    let (client, script) = client(&[]);
    for item in ["attic,hall", "attic;hall"] {
        let error = client
            .place_visits()
            .list()
            .of([item])
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert!(script.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_that_does_not_fit_its_request_is_refused() {
    let (client, _) = client(&[json!({"attic": 3}), json!({"attic": 3, "hall": 1})]);
    let request = client.place_visits().list().of(["attic"]);
    assert_eq!(request.send().await.unwrap()["attic"], 3);
    let error = request.send().await.unwrap_err();
    assert!(error.to_string().contains("not heeded"), "{error}");
}
