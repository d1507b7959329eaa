use std::sync::LazyLock;
use std::time::Duration;

use super::*;
use crate::engine::ids::Uid;
use crate::engine::mint::{ServiceTicketDraft, UserTicketDraft, sign};
use crate::engine::rw::PrivateKey;
use crate::engine::text::LONGEST;
use crate::engine::wire::Writer;

const NOW: i64 = 1_700_000_000;
const SERVICE_KEY: KeyId = KeyId::new(1);
const TEST_KEY: KeyId = KeyId::new(2);
const SRC: TvmId = TvmId::new(10);
const DST: TvmId = TvmId::new(20);

/// As short as a signature allows, for speed.
static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(600).unwrap());
static OTHER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(600).unwrap());

fn keys() -> KeyContainer {
    let text = KeyContainer::builder()
        .service_key(SERVICE_KEY, KEY.public())
        .user_key(BlackboxEnv::Test, TEST_KEY, KEY.public())
        .to_text();
    KeyContainer::parse(&text).unwrap()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW as u64)
}

fn service_text() -> String {
    let draft = ServiceTicketDraft::new(SRC, DST).expiration_time(NOW + 1);
    draft.sign(SERVICE_KEY, &KEY).unwrap().expose().to_owned()
}

fn user_draft(env: BlackboxEnv) -> UserTicketDraft {
    UserTicketDraft::new(env, Uid::new(5))
}

/// Signs a message that no draft would produce.
fn service_of(part: &[u8]) -> String {
    let id = SERVICE_KEY.get().into();
    let payload = Writer::default()
        .varint(1, id)
        .varint(2, u64::MAX >> 1)
        .bytes(4, part)
        .finish();
    sign(TicketType::Service, &payload, &KEY)
        .unwrap()
        .expose()
        .to_owned()
}

fn check_service(text: &str) -> Result<CheckedServiceTicket<'_>, CheckError> {
    ServiceContext::new(DST, &keys())
        .unwrap()
        .check(text, now())
}

fn check_user(text: &str) -> Result<CheckedUserTicket<'_>, CheckError> {
    UserContext::new(BlackboxEnv::Test, &keys())
        .unwrap()
        .check(text, now())
}

fn status<T>(checked: Result<T, CheckError>) -> TicketStatus {
    checked
        .err()
        .map_or(TicketStatus::Ok, |error| error.status().unwrap())
}

#[test]
fn a_good_ticket_tells_what_is_in_it() {
    let draft = ServiceTicketDraft::new(SRC, DST)
        .scope("b")
        .scope("a")
        .issuer_uid(Uid::new(0));
    let text = draft.sign(SERVICE_KEY, &KEY).unwrap();
    let ticket = check_service(text.expose()).unwrap().into_owned();
    assert_eq!(
        (ticket.src(), ticket.dst(), ticket.key_id()),
        (SRC, DST, SERVICE_KEY)
    );
    assert_eq!(ticket.issuer_uid(), Some(Uid::new(0)));
    assert_eq!(ticket.scopes().collect::<Vec<_>>(), ["b", "a"]);
    assert!(ticket.has_scope("b") && ticket.has_scope("a") && !ticket.has_scope(""));
    assert_eq!(ticket.expiration_time(), i64::MAX);
    assert!(text.expose().starts_with(ticket.redacted()) && ticket.redacted().ends_with(':'));
}

#[test]
fn a_good_user_ticket_tells_what_is_in_it() {
    let context = UserContext::new(BlackboxEnv::Test, &keys()).unwrap();
    assert_eq!(context.env(), BlackboxEnv::Test);
    let draft = user_draft(BlackboxEnv::Test).scope("b").scope("a");
    let text = draft.sign(TEST_KEY, &KEY).unwrap();
    let ticket = context.check(text.expose(), now()).unwrap();
    assert!(ticket.has_scope("b") && ticket.has_scope("a") && !ticket.has_scope(""));
    assert_eq!(ticket.env(), BlackboxEnv::Test);
}

#[test]
fn each_status_has_the_number_and_the_sentence_of_the_authority() {
    use TicketStatus as Status;
    for (code, status, name, message) in [
        (0, Status::Ok, "Ok", "OK"),
        (1, Status::Expired, "Expired", "Expired ticket"),
        (
            2,
            Status::InvalidBlackboxEnv,
            "InvalidBlackboxEnv",
            "Invalid BlackBox environment",
        ),
        (
            3,
            Status::InvalidDst,
            "InvalidDst",
            "Invalid ticket destination",
        ),
        (
            4,
            Status::InvalidTicketType,
            "InvalidTicketType",
            "Invalid ticket type",
        ),
        (5, Status::Malformed, "Malformed", "Malformed ticket"),
        (
            6,
            Status::MissingKey,
            "MissingKey",
            "Context does not have required key to check ticket: public keys are too old",
        ),
        (
            7,
            Status::SignBroken,
            "SignBroken",
            "Invalid ticket signature",
        ),
        (
            8,
            Status::UnsupportedVersion,
            "UnsupportedVersion",
            "Unsupported ticket version",
        ),
        (
            9,
            Status::NoRoles,
            "NoRoles",
            "Subject (src or defaultUid) does not have any roles in IDM",
        ),
        (14, Status::UntrustedKey, "UntrustedKey", "UntrustedKey"),
    ] {
        assert_eq!(
            (status.code(), status.name(), status.to_string()),
            (code, name, message.to_owned())
        );
    }
}

#[test]
fn a_text_of_the_greatest_length_is_read() {
    let text = format!("3:serv:a:{}", "b".repeat(LONGEST - 9));
    assert!(TicketText::split(&text, TicketType::Service).is_ok());
}

#[test]
fn a_ticket_ends_with_its_second() {
    let text = service_text();
    let context = ServiceContext::new(DST, &keys()).unwrap();
    let at = |time| status(context.check(&text, time));
    assert_eq!(at(now() + Duration::from_millis(999)), TicketStatus::Ok);
    assert_eq!(at(now() + Duration::from_secs(1)), TicketStatus::Expired);
}

/// Returns all texts with one changed bit in the head, and all with one in the signature.
fn changed_by_a_bit(text: &str) -> (Vec<String>, Vec<String>) {
    let (head, signature) = text.rsplit_once(':').unwrap();
    let heads = (0..head.len() * 7).map(|at| {
        let mut bytes = text.to_owned().into_bytes();
        bytes[at / 7] ^= 1 << (at % 7);
        String::from_utf8(bytes).unwrap()
    });
    let signature = base64url::decode(signature.as_bytes()).unwrap();
    let signatures = (0..signature.len() * 8).map(|at| {
        let mut bytes = signature.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        format!("{head}:{}", base64url::encode(&bytes))
    });
    (heads.collect(), signatures.collect())
}

/// Also uses a context that remembers the valid ticket, before and after.
fn assert_changes_are_refused(text: &str, check: impl Fn(&str) -> TicketStatus) {
    let (heads, signatures) = changed_by_a_bit(text);
    for known in [false, true] {
        for changed in &heads {
            assert_ne!(check(changed), TicketStatus::Ok, "{known} {changed}");
        }
        for changed in &signatures {
            assert_eq!(check(changed), TicketStatus::SignBroken, "{known}");
        }
        assert_eq!(check(text), TicketStatus::Ok);
    }
}

#[test]
fn every_changed_bit_of_a_service_ticket_is_refused() {
    let context = ServiceContext::new(DST, &keys()).unwrap();
    let check = |text: &str| status(context.check(text, now()));
    assert_changes_are_refused(&service_text(), check);
}

#[test]
fn every_changed_bit_of_a_user_ticket_is_refused() {
    let context = UserContext::new(BlackboxEnv::Test, &keys()).unwrap();
    let draft = user_draft(BlackboxEnv::Test).scope("a:b").login_id("login");
    let text = draft.expiration_time(NOW + 1).sign(TEST_KEY, &KEY).unwrap();
    let check = |text: &str| status(context.check(text, now()));
    assert_changes_are_refused(text.expose(), check);
}

/// According to section 7, decoding comes before expiry and key, however long the signature is.
#[test]
fn invalid_base64url_is_noticed_before_expiry_and_key() {
    let expired = user_draft(BlackboxEnv::Test).expiration_time(NOW);
    let user = expired.sign(TEST_KEY, &KEY).unwrap();
    let draft = ServiceTicketDraft::new(SRC, DST);
    let service = draft.sign(KeyId::new(99), &KEY).unwrap();
    for (length, last) in [(0, ""), (0, "AAA"), (400, ""), (400, "AAAA"), (4000, "")] {
        let spoiled = |text: &str, with: &str| format!("{text}{}{with}{last}", "A".repeat(length));
        let check = |text: String, is_user| {
            if is_user {
                status(check_user(&text))
            } else {
                status(check_service(&text))
            }
        };
        for (text, is_user, sound) in [
            (user.expose(), true, TicketStatus::Expired),
            (service.expose(), false, TicketStatus::MissingKey),
        ] {
            assert_eq!(check(spoiled(text, "+"), is_user), TicketStatus::Malformed);
            assert_eq!(check(spoiled(text, "=A"), is_user), TicketStatus::Malformed);
            assert_eq!(check(text.to_owned(), is_user), sound);
        }
    }
    // The same holds for the message: missing fields are reported before the expiry.
    let message = Writer::default().varint(2, 1).finish();
    let text = sign(TicketType::Service, &message, &KEY).unwrap();
    assert_eq!(
        status(check_service(text.expose())),
        TicketStatus::Malformed
    );
}

#[test]
fn a_signature_may_be_spelled_in_other_ways() {
    let text = service_text();
    assert_eq!(
        status(check_service(&format!("{text}=="))),
        TicketStatus::Ok
    );
    let (head, signature) = text.rsplit_once(':').unwrap();
    let signature = base64url::decode(signature.as_bytes()).unwrap();
    let long = [vec![0; LONGEST_ON_STACK], signature].concat();
    let long = format!("{head}:{}", base64url::encode(&long));
    assert_eq!(status(check_service(&long)), TicketStatus::Ok);
    assert_eq!(
        status(check_service(&format!("{text}:"))),
        TicketStatus::SignBroken
    );
}

#[test]
fn a_long_signature_that_is_not_base64url_is_malformed() {
    let text = format!("{}{}*", service_text(), "A".repeat(1000));
    assert_eq!(status(check_service(&text)), TicketStatus::Malformed);
}

#[test]
fn the_signature_decides_before_the_destination() {
    let elsewhere = ServiceTicketDraft::new(SRC, TvmId::new(21));
    let good = elsewhere.sign(SERVICE_KEY, &KEY).unwrap();
    let forged = elsewhere.sign(SERVICE_KEY, &OTHER).unwrap();
    assert_eq!(
        status(check_service(good.expose())),
        TicketStatus::InvalidDst
    );
    assert_eq!(
        status(check_service(forged.expose())),
        TicketStatus::SignBroken
    );
    let context = ServiceContext::for_any_destination(&keys()).unwrap();
    assert_eq!(
        status(context.check(good.expose(), now())),
        TicketStatus::Ok
    );
    let context = ServiceContext::new(DST, &keys())
        .unwrap()
        .also_for([TvmId::new(21)]);
    assert_eq!(
        status(context.check(good.expose(), now())),
        TicketStatus::Ok
    );
    assert_eq!(
        status(context.check(&service_text(), now())),
        TicketStatus::Ok
    );
}

#[test]
fn expiry_and_signature_decide_before_the_environment() {
    let wrong = user_draft(BlackboxEnv::Prod);
    let check = |draft: &UserTicketDraft, id, key| {
        status(check_user(draft.sign(id, key).unwrap().expose()))
    };
    assert_eq!(check(&wrong, TEST_KEY, &OTHER), TicketStatus::SignBroken);
    assert_eq!(
        check(&wrong, TEST_KEY, &KEY),
        TicketStatus::InvalidBlackboxEnv
    );
    let unknown = KeyId::new(99);
    assert_eq!(
        check(&wrong, unknown, &KEY),
        TicketStatus::InvalidBlackboxEnv
    );
    assert_eq!(
        check(&user_draft(BlackboxEnv::Test), unknown, &KEY),
        TicketStatus::MissingKey
    );
    assert_eq!(
        check(&wrong.expiration_time(NOW), unknown, &KEY),
        TicketStatus::Expired
    );
}

#[test]
fn a_missing_part_is_noticed_last() {
    let payload = |id: KeyId| {
        Writer::default()
            .varint(1, id.get().into())
            .varint(2, u64::MAX >> 1)
            .finish()
    };
    let text = |id| {
        sign(TicketType::User, &payload(id), &KEY)
            .unwrap()
            .expose()
            .to_owned()
    };
    assert_eq!(
        status(check_user(&text(KeyId::new(99)))),
        TicketStatus::MissingKey
    );
    assert_eq!(status(check_user(&text(TEST_KEY))), TicketStatus::Malformed);
    let error = check_user(&text(TEST_KEY)).unwrap_err();
    assert_eq!(error.debug_info(), "status=malformed;");
}

#[test]
fn no_keys_are_noticed_before_the_text() {
    let none = KeyContainer::builder().user_key(BlackboxEnv::Prod, TEST_KEY, KEY.public());
    let none = KeyContainer::parse(&none.to_text()).unwrap();
    let error = ServiceContext::new(DST, &none)
        .unwrap()
        .check("", now())
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (CheckErrorKind::EmptyKeys, None)
    );
    assert_eq!(error.to_string(), "Empty TVM keys");
    let context = UserContext::new(BlackboxEnv::Test, &none).unwrap();
    assert_eq!(
        context.check("", now()).unwrap_err().kind(),
        CheckErrorKind::EmptyKeys
    );
    assert!(
        UserContext::new(BlackboxEnv::Stress, &none)
            .unwrap()
            .key_ids()
            .eq([TEST_KEY])
    );
}

#[test]
fn a_scope_need_not_be_utf8() {
    let mut part = Writer::default();
    let text = service_of(&part.varint(1, 10).varint(2, 20).bytes(3, b"a\xff").finish());
    let ticket = check_service(&text).unwrap();
    assert_eq!(ticket.scopes().collect::<Vec<_>>(), ["a\u{fffd}"]);
    assert!(ticket.debug_info().contains(";scope=a\u{fffd};"));
}

#[test]
fn texts_of_a_user_ticket_need_not_be_utf8() {
    let mut part = Writer::default();
    part.varint(2, 0)
        .bytes(3, b"a\xff")
        .varint(4, 3)
        .varint(5, 1);
    part.bytes(6, b"\xfelogin").bytes(1, &[0x08, 7]);
    let payload = Writer::default()
        .varint(1, TEST_KEY.get().into())
        .varint(2, NOW as u64 + 5)
        .bytes(3, &part.finish())
        .finish();
    let text = sign(TicketType::User, &payload, &KEY).unwrap();
    let ticket = check_user(text.expose()).unwrap();
    assert_eq!(ticket.scopes().collect::<Vec<_>>(), ["a\u{fffd}"]);
    assert_eq!(ticket.login_id(), "\u{fffd}login");
    // It is compared in its original form, not as it is displayed.
    assert!(!ticket.has_scope("a\u{fffd}"));
    assert_eq!(
        ticket.debug_info(),
        "ticket_type=user;expiration_time=1700000005;scope=a\u{fffd};uid=7;env=Test;\
         login_id=\u{fffd}login;"
    );
}

#[test]
fn an_issuer_of_zero_is_an_issuer() {
    let draft = ServiceTicketDraft::new(SRC, DST).expiration_time(NOW + 1);
    let without = draft.sign(SERVICE_KEY, &KEY).unwrap();
    let with = draft
        .issuer_uid(Uid::new(0))
        .sign(SERVICE_KEY, &KEY)
        .unwrap();
    let info = |text: &str| check_service(text).unwrap().debug_info();
    let head = "ticket_type=serv;expiration_time=1700000001;src=10;dst=20;";
    assert_eq!(info(without.expose()), head);
    assert_eq!(info(with.expose()), format!("{head}issuer_uid=0;"));
}

/// Querying roles with an invalid ticket of an environment without roles reports the status.
#[test]
fn the_status_is_named_before_the_environment() {
    let draft = user_draft(BlackboxEnv::Test).expiration_time(NOW);
    let text = draft.sign(TEST_KEY, &KEY).unwrap();
    let error = Error::from(check_user(text.expose()).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::NotAllowed);
    assert_eq!(error.to_string(), "User ticket must be valid, got: Expired");
}

#[test]
fn parts_given_twice_are_merged() {
    let part = Writer::default().varint(1, 10).bytes(3, b"a").finish();
    let more = Writer::default().varint(2, 20).bytes(3, b"b").finish();
    let payload = Writer::default()
        .bytes(4, &part)
        .varint(1, 1)
        .varint(2, u64::MAX >> 1)
        .bytes(4, &more)
        .finish();
    let text = sign(TicketType::Service, &payload, &KEY).unwrap();
    let ticket = check_service(text.expose()).unwrap();
    assert_eq!(ticket.scopes().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn user_tickets_print_their_new_fields_in_order() {
    let mut part = Writer::default();
    part.varint(8, 80)
        .varint(7, 70)
        .bytes(6, b"id")
        .varint(2, 0)
        .varint(4, 3)
        .varint(5, 1);
    let payload = Writer::default()
        .varint(1, TEST_KEY.get().into())
        .varint(2, NOW as u64 + 5)
        .bytes(3, &part.finish())
        .finish();
    let text = sign(TicketType::User, &payload, &KEY).unwrap();
    let ticket = check_user(text.expose()).unwrap();
    assert_eq!(
        ticket.debug_info(),
        "ticket_type=user;expiration_time=1700000005;env=Test;login_id=id;location=70;device_type=80;"
    );
    assert_eq!(ticket.default_uid(), Uid::new(0));
    assert_eq!(
        (
            ticket.entry_point(),
            ticket.location(),
            ticket.device_type()
        ),
        (3, 70, 80)
    );
    assert_eq!(ticket.login_id(), "id");
}

#[test]
fn nothing_shows_the_signature() {
    let text = service_text();
    let signature = text.rsplit_once(':').unwrap().1;
    let checked = check_service(&text).unwrap();
    let refused = ServiceContext::new(SRC, &keys())
        .unwrap()
        .check(&text, now())
        .unwrap_err();
    let broken = check_service(&text[..text.len() - 4]).unwrap_err();
    let other = check_user(&text).unwrap_err();
    let error = Error::from(refused.clone());
    let shown = format!(
        "{checked:?} {} {} {refused:?} {refused} {broken:?} {broken} {other:?} {other} {error:?}",
        checked.redacted(),
        checked.debug_info(),
    );
    assert!(!shown.contains(&signature[..16]), "{shown}");
    let refused = format!("{refused:?}");
    assert!(
        refused.contains("InvalidDst") && refused.contains("src=10;dst=20;"),
        "{refused}"
    );
    assert!(!format!("{:?}", user_draft(BlackboxEnv::Test).sign(TEST_KEY, &KEY)).contains("3:"));
}

#[test]
fn a_refusal_is_one_line() {
    let draft = ServiceTicketDraft::new(SRC, DST)
        .scope("a\nb")
        .expiration_time(1);
    let text = draft.sign(SERVICE_KEY, &KEY).unwrap();
    let error = check_service(text.expose()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Expired ticket: ticket_type=serv;expiration_time=1;src=10;dst=20;scope=a b;"
    );
    assert_eq!(
        Error::from(error).to_string(),
        "Service ticket must be valid, got: Expired"
    );
}

#[test]
fn a_refused_user_ticket_still_names_its_environment() {
    let text = user_draft(BlackboxEnv::Prod).sign(TEST_KEY, &KEY).unwrap();
    assert_eq!(
        check_user(text.expose()).unwrap_err().claimed_env(),
        Some(BlackboxEnv::Prod)
    );
    assert_eq!(check_user("").unwrap_err().claimed_env(), None);
}

#[test]
fn a_bad_key_affects_only_tickets_that_name_it() {
    let bad = [0x30, 0x03, 0x04, 0x01, 0x05];
    let general = Writer::default()
        .varint(1, 7)
        .varint(2, 0)
        .bytes(3, &bad)
        .finish();
    let key = Writer::default().bytes(1, &general).varint(2, 1).finish();
    let good = KeyContainer::builder()
        .service_key(SERVICE_KEY, KEY.public())
        .to_text();
    let good = base64url::decode(&good.as_bytes()[2..]).unwrap();
    let message = [good, Writer::default().bytes(1, &key).finish()].concat();
    let keys = KeyContainer::parse(&format!("1:{}", base64url::encode(&message))).unwrap();
    assert!(ServiceContext::new(DST, &keys).is_ok());
    assert!(UserContext::new(BlackboxEnv::Prod, &keys).is_ok());
    let error = UserContext::new(BlackboxEnv::Test, &keys).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedKeys);
}

#[test]
fn of_a_repeated_key_id_the_first_counts() {
    let keys = KeyContainer::builder()
        .service_key(SERVICE_KEY, KEY.public())
        .service_key(SERVICE_KEY, OTHER.public())
        .to_text();
    let keys = KeyContainer::parse(&keys).unwrap();
    let context = ServiceContext::new(DST, &keys).unwrap();
    assert_eq!(
        status(context.check(&service_text(), now())),
        TicketStatus::Ok
    );
    assert_eq!(context.key_ids().count(), 1);
}

#[test]
fn peeking_needs_no_service_part() {
    let payload = base64url::encode(&Writer::default().varint(1, 1).varint(2, 77).finish());
    assert_eq!(peek_expiration(&format!("3:serv:{payload}:AA")), Some(77));
    assert_eq!(peek_expiration(&format!("3:serv:{payload}:A")), None);
    assert_eq!(peek_expiration(&format!("3:user:{payload}:AA")), None);
}
