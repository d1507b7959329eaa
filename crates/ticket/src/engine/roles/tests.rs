use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

type Pairs = BTreeMap<String, String>;

const SUBJECT: TvmId = TvmId::new(1);

fn parse(text: &str) -> Result<Roles, Error> {
    Roles::parse(text, SystemTime::UNIX_EPOCH)
}

fn with_entities(entities: &[Pairs]) -> Roles {
    let document = serde_json::json!({
        "revision": "r", "born_date": 1, "tvm": {"1": {"role": entities}},
    });
    parse(&document.to_string()).unwrap()
}

fn model(entity: &Entity) -> Pairs {
    entity
        .iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

/// Few keys and values, so that many coincide.
fn pair() -> impl Strategy<Value = (String, String)> {
    ("[a-d]", "[xy]?")
}

fn entities() -> impl Strategy<Value = Vec<Pairs>> {
    prop::collection::vec(prop::collection::btree_map("[a-d]", "[xy]?", 0..4), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_naive_model_agrees(
        entities in entities(),
        asked in prop::collection::vec(pair(), 0..4),
        nth in any::<prop::sample::Index>(),
    ) {
        let roles = with_entities(&entities);
        let subject = roles.of_service_id(SUBJECT);

        let attrs = borrowed(&asked);
        let has_all = |entity: &&Pairs| {
            asked.iter().all(|(key, value)| entity.get(key) == Some(value))
        };
        let expected: BTreeSet<_> = entities.iter().filter(has_all).cloned().collect();
        let found = subject.entities_with("role", &attrs);
        prop_assert!(found.is_sorted());
        let found: Vec<_> = found.into_iter().map(model).collect();
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());

        let exactly = entities.iter().any(|entity| {
            entity.len() == asked.len() && has_all(&entity) && {
                let keys: BTreeSet<_> = asked.iter().map(|(key, _)| key).collect();
                keys.len() == asked.len()
            }
        });
        prop_assert_eq!(subject.has_entity("role", &attrs), exactly);

        // A present entity is found, whatever the order of the query.
        if !entities.is_empty() {
            let there = nth.get(&entities);
            let mut pairs: Vec<_> = there.clone().into_iter().collect();
            pairs.reverse();
            prop_assert!(subject.has_entity("role", &borrowed(&pairs)));
        }
        let listed: Vec<_> = subject.entities("role").unwrap().map(model).collect();
        prop_assert_eq!(listed, entities);
    }
}

#[test]
fn the_index_is_linear_in_the_attributes() {
    let wide: Vec<Pairs> = (0..100)
        .map(|i| {
            (0..200)
                .map(|key| (format!("{key:03}"), i.to_string()))
                .collect()
        })
        .collect();
    let roles = with_entities(&wide);
    let subject = roles.of_service_id(SUBJECT);
    assert_eq!(subject.entities_with("role", &[("007", "42")]).len(), 1);
    let pairs: Vec<_> = wide[42].clone().into_iter().collect();
    assert!(subject.has_entity("role", &borrowed(&pairs)));
    assert!(!subject.has_entity("role", &borrowed(&pairs[1..])));
}

#[test]
fn a_subject_without_entry_may_nothing() {
    let roles = with_entities(&[Pairs::new()]);
    let nobody = roles.of_service_id(TvmId::new(2));
    assert!(!nobody.is_known() && !nobody.has("role") && !nobody.has_entity("role", &[]));
    assert!(nobody.entities_with("role", &[]).is_empty() && nobody.entities("role").is_none());
    assert_eq!(nobody.iter().count(), 0);
    // A number is the id of a service or of a user, never of both.
    assert!(!roles.of_uid(Uid::new(1)).is_known());
}

#[test]
fn a_pair_given_twice_does_not_stand_for_another() {
    let entity = [("a", "x"), ("b", "x")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let roles = with_entities(&[entity.into_iter().collect()]);
    let subject = roles.of_service_id(SUBJECT);
    assert!(!subject.has_entity("role", &[("a", "x"), ("a", "x")]));
    let entities: Vec<_> = subject.entities("role").unwrap().collect();
    let [entity] = entities[..] else {
        panic!("one entity")
    };
    assert!(!entity.equals(&[("a", "x"), ("a", "x")]));
    assert!(entity.equals(&[("b", "x"), ("a", "x")]));
    assert!(!entity.equals(&[("b", "x"), ("a", "x"), ("a", "x")]));
}

#[test]
fn a_selected_uid_must_be_in_the_ticket() {
    let ticket = crate::mock::UserTicket::new(Uid::new(5));
    let staff = ticket
        .clone()
        .env(BlackboxEnv::ProdYateam)
        .check()
        .unwrap()
        .unwrap();
    let other = ticket.check().unwrap().unwrap();
    let roles = with_entities(&[]);
    let error = roles.of_selected_uid(&staff, Uid::new(6)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "selectedUid must be in user ticket but it's not: 6"
    );
    // The environment is checked first.
    let error = roles.of_selected_uid(&other, Uid::new(6)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "User ticket must be from ProdYateam, got from Test"
    );
    assert!(roles.of_selected_uid(&staff, Uid::new(5)).is_ok());
}

#[test]
fn the_error_of_a_malformed_document_says_why() {
    for (document, why) in [
        ("[]", "Json must be object"),
        (r#"{"revision": "r"}"#, "Missing 'born_date'"),
        (
            r#"{"revision": -1, "born_date": 1}"#,
            "'revision' has unexpected type: Integer",
        ),
        (
            r#"{"revision": "r", "born_date": 1.5}"#,
            "key 'born_date' must be uint",
        ),
        (
            r#"{"revision": "r", "born_date": 1, "tvm": []}"#,
            "'tvm' must be object",
        ),
        (
            r#"{"revision": "r", "born_date": 1, "tvm": {"+4": {}}}"#,
            "got '+4'",
        ),
        (
            r#"{"revision": "r", "born_date": 1, "user": {"": {}}}"#,
            "got ''",
        ),
        (
            r#"{"revision": "r", "born_date": 1, "tvm": {"4294967296": {}}}"#,
            "size for tvm",
        ),
        (
            r#"{"revision": "r", "born_date": 1, "tvm": {"7": {}, "7": {}}}"#,
            "detected: '7'",
        ),
        (r#"{"revision": "r", "born_date": 1} x"#, "Invalid json"),
    ] {
        let error = parse(document).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedRoles);
        assert!(error.message().contains(why), "{document}: {error}");
    }
    assert!(
        parse(&"[".repeat(1 << 20))
            .unwrap_err()
            .message()
            .contains("Invalid json")
    );
}

#[test]
fn of_a_repeated_key_the_last_counts() {
    let roles = parse(
        r#"{"revision": 1, "revision": 2, "born_date": 1,
            "tvm": {"1": {"r": [{"a": "x"}], "r": [{"b": "1", "a": "y", "a": "z"}]}}}"#,
    )
    .unwrap();
    assert_eq!(roles.revision(), "2");
    let subject = roles.of_service_id(SUBJECT);
    assert!(subject.has_entity("r", &[("a", "z"), ("b", "1")]));
    assert_eq!(subject.entities("r").unwrap().len(), 1);

    // Also for sections; a fault in a section that does not count does no harm.
    let roles = parse(
        r#"{"revision": "r", "born_date": 1, "tvm": {"1": 7}, "tvm": {"2": {}, "1": {}},
            "tvm": {"1": {"r": []}}}"#,
    )
    .unwrap();
    assert_eq!(roles.services().collect::<Vec<_>>(), [SUBJECT]);
    assert!(roles.of_service_id(SUBJECT).has("r"));
}

#[cfg(feature = "mock")]
#[test]
fn callers_without_an_entry_are_refused_by_the_automatic_checks() {
    use crate::mock::{ServiceTicket, UserTicket};

    let roles = parse(r#"{"revision":"r","born_date":1,"tvm":{"1":{}},"user":{"7":{}}}"#).unwrap();
    let service = |src| roles.require_source(ServiceTicket::new(TvmId::new(src)).check().unwrap());
    assert!(service(1).is_ok());
    let error = service(2).unwrap_err();
    assert_eq!(error.status(), Some(TicketStatus::NoRoles));
    // Whoever reads the refusal finds the caller in it.
    assert!(error.debug_info().contains(";src=2;"), "{error}");
    let user = |uid, env| {
        let ticket = UserTicket::new(Uid::new(uid)).env(env).check().unwrap();
        roles.require_default_uid(ticket.unwrap())
    };
    assert!(user(7, BlackboxEnv::ProdYateam).is_ok());
    let error = user(8, BlackboxEnv::ProdYateam).unwrap_err();
    assert_eq!(error.status(), Some(TicketStatus::NoRoles));
    let error = user(7, BlackboxEnv::Prod).unwrap_err();
    let other = CheckErrorKind::RolesOfOtherEnv(BlackboxEnv::Prod);
    assert_eq!(error.kind(), other);
}
