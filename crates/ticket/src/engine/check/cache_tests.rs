//! Contexts with a cache must give the same results as those without.

use std::fmt::Debug;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::engine::cache::Facts;
use crate::engine::ids::Uid;
use crate::engine::mint::{ServiceTicketDraft, UserTicketDraft};
use crate::engine::rw::PrivateKey;

const NOW: i64 = 1_700_000_000;
const ID: KeyId = KeyId::new(1);
const SRC: TvmId = TvmId::new(10);
const DST: TvmId = TvmId::new(20);

/// As short as a signature allows, for speed.
static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(600).unwrap());
static OTHER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(600).unwrap());

fn keys_of(key: &PrivateKey) -> KeyContainer {
    let builder = KeyContainer::builder().service_key(ID, key.public());
    let all = BlackboxEnv::ALL.into_iter().fold(builder, |builder, env| {
        let id = KeyId::new(100 + env.number());
        builder.user_key(env, id, key.public())
    });
    KeyContainer::parse(&all.to_text()).unwrap()
}

fn context() -> ServiceContext {
    ServiceContext::new(DST, &keys_of(&KEY)).unwrap()
}

fn users(env: BlackboxEnv) -> UserContext {
    UserContext::new(env, &keys_of(&KEY)).unwrap()
}

fn at(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds as u64)
}

fn service(src: u32) -> String {
    let draft = ServiceTicketDraft::new(TvmId::new(src), DST).expiration_time(NOW + 1);
    draft.sign(ID, &KEY).unwrap().expose().to_owned()
}

fn user(env: BlackboxEnv) -> String {
    let draft = UserTicketDraft::new(env, Uid::new(5)).expiration_time(NOW + 1);
    let id = KeyId::new(100 + env.number());
    draft.sign(id, &KEY).unwrap().expose().to_owned()
}

fn status<T>(checked: Result<T, CheckError>) -> TicketStatus {
    checked
        .err()
        .map_or(TicketStatus::Ok, |error| error.status().unwrap())
}

/// This is not signed, so it is valid only if it is remembered.
const PLANTED: &str = "3:serv:CBA:c2ln";

fn plant(cache: &Cache, text: &str) {
    let facts = Facts {
        expiration_time: NOW + 1,
        key_id: ID,
        redacted_len: 11,
        part: [10, 20, 0, 0],
    };
    cache.place(text).unwrap().put(&facts, NOW);
}

#[test]
fn a_remembered_ticket_is_not_checked_again_and_clones_remember_it() {
    let context = context();
    assert_eq!(
        status(context.check(PLANTED, at(NOW))),
        TicketStatus::Malformed
    );
    plant(&context.cache, PLANTED);
    for context in [&context, &context.clone()] {
        let known = context.check(PLANTED, at(NOW)).unwrap();
        assert_eq!((known.src(), known.redacted()), (SRC, "3:serv:CBA:"));
    }
    let users = users(BlackboxEnv::Test);
    plant(&users.cache, PLANTED);
    assert!(users.check(PLANTED, at(NOW)).is_ok());
}

#[test]
fn contexts_made_of_another_know_nothing_of_its_tickets() {
    let context = context();
    plant(&context.cache, PLANTED);
    for other in [
        context.clone().also_for([TvmId::new(30)]),
        context.clone().cache_capacity(10),
        context.clone().without_cache(),
        self::context(),
    ] {
        assert_eq!(
            status(other.check(PLANTED, at(NOW))),
            TicketStatus::Malformed
        );
    }
    let users = users(BlackboxEnv::Test);
    plant(&users.cache, PLANTED);
    for other in [users.clone().cache_capacity(10), users.without_cache()] {
        assert!(other.check(PLANTED, at(NOW)).is_err());
    }
}

#[test]
fn a_ticket_known_elsewhere_is_judged_by_ones_own_rules() {
    let (text, keys) = (service(10), keys_of(&KEY));
    let everybody = ServiceContext::for_any_destination(&keys).unwrap();
    let not_us = ServiceContext::new(TvmId::new(21), &keys).unwrap();
    let other_keys = ServiceContext::new(DST, &keys_of(&OTHER)).unwrap();
    for _ in 0..3 {
        assert!(everybody.check(&text, at(NOW)).is_ok());
        assert_eq!(
            status(not_us.check(&text, at(NOW))),
            TicketStatus::InvalidDst
        );
        let also_us = not_us.clone().also_for([DST]);
        assert!(also_us.check(&text, at(NOW)).is_ok());
        assert_eq!(
            status(other_keys.check(&text, at(NOW))),
            TicketStatus::SignBroken
        );
    }

    let text = user(BlackboxEnv::Prod);
    for _ in 0..3 {
        assert!(users(BlackboxEnv::Prod).check(&text, at(NOW)).is_ok());
        assert!(users(BlackboxEnv::Stress).check(&text, at(NOW)).is_ok());
        assert_eq!(
            status(users(BlackboxEnv::Test).check(&text, at(NOW))),
            TicketStatus::InvalidBlackboxEnv
        );
    }
}

#[test]
fn a_ticket_expires_between_two_checks() {
    let (text, context) = (service(10), context());
    let users = users(BlackboxEnv::Test);
    let user_text = user(BlackboxEnv::Test);
    let last = at(NOW) + Duration::from_nanos(999_999_999);
    for _ in 0..2 {
        assert!(context.check(&text, last).is_ok());
        assert!(users.check(&user_text, last).is_ok());
    }
    let anew = context.clone().without_cache();
    let (known, anew) = [&context, &anew]
        .map(|context| context.check(&text, at(NOW + 1)).unwrap_err())
        .into();
    assert_eq!(known.status(), Some(TicketStatus::Expired));
    assert_eq!(known.to_string(), anew.to_string());
    let expired = users.check(&user_text, at(NOW + 1));
    assert_eq!(status(expired), TicketStatus::Expired);
    // Setting the clock back makes it valid again, as without a cache.
    assert!(context.check(&text, at(NOW)).is_ok());
}

#[test]
fn what_is_refused_leaves_nothing_behind_and_drives_nothing_out() {
    let context = context().cache_capacity(1);
    let text = service(10);
    let foreign = ServiceTicketDraft::new(SRC, TvmId::new(21));
    let foreign = foreign.sign(ID, &KEY).unwrap();
    let refused = [
        text[..text.len() - 1].to_owned(),
        format!("{text}:"),
        foreign.expose().to_owned(),
        user(BlackboxEnv::Test),
        String::new(),
    ];
    let refuse_all = || {
        for text in &refused {
            assert!(context.check(text, at(NOW)).is_err());
        }
        assert!(context.check(&text, at(NOW + 1)).is_err());
    };
    refuse_all();
    refuse_all();
    assert_eq!(context.cache.len(), 0);
    plant(&context.cache, PLANTED);
    refuse_all();
    assert!(context.check(PLANTED, at(NOW)).is_ok());
}

#[test]
fn one_ticket_spelled_in_many_ways_takes_one_place() {
    let context = context();
    let text = service(10);
    let (head, signature) = text.rsplit_once(':').unwrap();
    for text in [
        format!("{text}="),
        format!("{text}========"),
        format!("{head}:AAAA{signature}"),
    ] {
        assert!(context.check(&text, at(NOW)).is_ok());
    }
    assert_eq!(context.cache.len(), 0);
    assert!(context.check(&text, at(NOW)).is_ok());
    assert_eq!(context.cache.len(), 1);
}

#[test]
fn room_for_one_and_room_for_none_judge_alike() {
    let texts: Vec<String> = (1..4).map(service).collect();
    for context in [context().cache_capacity(1), context().without_cache()] {
        for (src, text) in (1..).zip(&texts).cycle().take(30) {
            for _ in 0..2 {
                let ticket = context.check(text, at(NOW)).unwrap();
                assert_eq!(ticket.src(), TvmId::new(src));
            }
        }
        assert!(context.cache.len() <= 1);
    }
}

#[test]
fn a_ticket_too_long_to_remember_is_checked_each_time() {
    let draft = ServiceTicketDraft::new(SRC, DST).scope("s".repeat(4000));
    let text = draft.sign(ID, &KEY).unwrap();
    let context = context();
    for _ in 0..2 {
        assert!(context.check(text.expose(), at(NOW)).is_ok());
    }
    assert_eq!(context.cache.len(), 0);
}

#[test]
fn many_threads_find_their_own_tickets_in_little_room() {
    let context = context().cache_capacity(3);
    let texts: Vec<String> = (1..9).map(service).collect();
    thread::scope(|scope| {
        for start in 0..4 {
            let (context, texts) = (context.clone(), &texts);
            scope.spawn(move || {
                for (src, text) in (1..).zip(texts).cycle().skip(start).take(2000) {
                    let ticket = context.check(text, at(NOW)).unwrap();
                    assert_eq!(ticket.src(), TvmId::new(src));
                    let expired = context.check(text, at(NOW + 1));
                    assert_eq!(status(expired), TicketStatus::Expired);
                }
            });
        }
    });
    assert_eq!(context.cache.len(), 3);
}

/// Compares everything that a ticket shows, in each of the forms in which it can be held.
fn same<T: Clone + Debug, R: Debug + PartialEq>(known: &T, anew: &T, show: impl Fn(&T) -> R) {
    assert_eq!(show(known), show(anew));
    assert_eq!(show(&known.clone()), show(anew));
    assert_eq!(format!("{known:?}"), format!("{anew:?}"));
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-z:=é]{0,9}", 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_known_service_ticket_tells_the_same(
        src: u32, dst: u32, issuer: Option<u64>, scopes in texts(), time in NOW + 1..,
    ) {
        let mut draft = ServiceTicketDraft::new(TvmId::new(src), TvmId::new(dst)).expiration_time(time);
        draft = scopes.iter().fold(draft, |draft, scope| draft.scope(scope));
        if let Some(uid) = issuer {
            draft = draft.issuer_uid(Uid::new(uid));
        }
        let text = draft.sign(ID, &KEY).unwrap();
        let context = ServiceContext::for_any_destination(&keys_of(&KEY)).unwrap();
        let anew = context.check(text.expose(), at(NOW)).unwrap();
        prop_assert_eq!(context.cache.len(), 1);
        let known = context.check(text.expose(), at(NOW)).unwrap();
        same(&known, &anew, |ticket| (
            (ticket.src(), ticket.dst(), ticket.issuer_uid(), ticket.key_id()),
            ticket.expiration_time(),
            ticket.redacted().to_owned(),
            ticket.scopes().map(|scope| scope.into_owned()).collect::<Vec<_>>(),
            ticket.clone().into_owned().debug_info(),
            ticket.clone().into_payload(),
            scopes.iter().map(|scope| ticket.has_scope(scope)).collect::<Vec<_>>(),
        ));
        prop_assert!(std::ptr::eq(known.redacted().as_ptr(), text.expose().as_ptr()));
        let owned = context.check(text.expose(), at(NOW)).unwrap().into_owned();
        same(&owned, &anew, |ticket| ticket.debug_info());
    }

    #[test]
    fn a_known_user_ticket_tells_the_same(
        env in prop::sample::select(&BlackboxEnv::ALL[..]), uid: u64, point: u32,
        uids in prop::collection::vec(any::<u64>(), 0..4), scopes in texts(), time in NOW + 1..,
    ) {
        let mut draft = UserTicketDraft::new(env, Uid::new(uid)).expiration_time(time);
        draft = draft.entry_point(point).uids(uids.into_iter().map(Uid::new));
        draft = scopes.iter().fold(draft, |draft, scope| draft.scope(scope));
        let text = draft.sign(KeyId::new(100 + env.number()), &KEY).unwrap();
        let context = users(env);
        let anew = context.check(text.expose(), at(NOW)).unwrap();
        prop_assert_eq!(context.cache.len(), 1);
        let known = context.check(text.expose(), at(NOW)).unwrap();
        same(&known, &anew, |ticket| (
            (ticket.default_uid(), ticket.env(), ticket.entry_point(), ticket.key_id()),
            (ticket.location(), ticket.device_type(), ticket.login_id().into_owned()),
            ticket.expiration_time(),
            ticket.redacted().to_owned(),
            ticket.users().collect::<Vec<_>>(),
            ticket.scopes().map(|scope| scope.into_owned()).collect::<Vec<_>>(),
            ticket.clone().into_owned().debug_info(),
            ticket.clone().into_payload(),
        ));
        let owned = context.check(text.expose(), at(NOW)).unwrap().into_owned();
        same(&owned, &anew, |ticket| ticket.debug_info());
    }

    #[test]
    fn parts_of_good_tickets_come_back(
        numbers: (u32, u32, Option<u64>), of_user: (u64, u32, u64, u64), env in 0u32..5,
    ) {
        let part = crate::engine::message::ServicePart {
            src: Some(TvmId::new(numbers.0)),
            dst: Some(TvmId::new(numbers.1)),
            issuer_uid: numbers.2.map(Uid::new),
        };
        prop_assert_eq!(crate::engine::message::ServicePart::from_words(part.to_words()), part);
        let words = [of_user.0, u64::from(env) << 32 | u64::from(of_user.1), of_user.2, of_user.3];
        prop_assert_eq!(crate::engine::message::UserPart::from_words(words).to_words(), words);
    }
}
