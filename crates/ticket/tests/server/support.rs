//! Tickets and checkers to test with.

#[path = "../../../../tests/support/router.rs"]
mod router;

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use http::Request;
pub(crate) use router::{Answer, Log, ask};
use vouchsafe_core::Clock;
use vouchsafe_ticket::rw::PrivateKey;
use vouchsafe_ticket::server::ContextChecker;
use vouchsafe_ticket::{
    BlackboxEnv, KeyContainer, KeyId, Roles, ServiceContext, ServiceTicketDraft, TvmId, Uid,
    UserContext, UserTicketDraft,
};

pub(crate) const SERVICE: &str = "X-Ya-Service-Ticket";
pub(crate) const USER: &str = "X-Ya-User-Ticket";
pub(crate) const CALLER: TvmId = TvmId::new(41);
pub(crate) const US: TvmId = TvmId::new(42);
pub(crate) const ADA: Uid = Uid::new(1815);
pub(crate) const ENV: BlackboxEnv = BlackboxEnv::ProdYateam;
const NOW: u64 = 1_700_000_000;
const SERVICE_KEY: KeyId = KeyId::new(1);
const USER_KEY: KeyId = KeyId::new(2);
/// For users of [`BlackboxEnv::Test`].
pub(crate) const TEST_KEY: KeyId = KeyId::new(3);

/// As short as fits a signature, for speed.
static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(600).unwrap());
static OTHER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(600).unwrap());

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW)
    }
}

pub(crate) fn keys() -> KeyContainer {
    let container = KeyContainer::builder()
        .service_key(SERVICE_KEY, KEY.public())
        .user_key(ENV, USER_KEY, KEY.public())
        .user_key(BlackboxEnv::Test, TEST_KEY, KEY.public());
    KeyContainer::parse(&container.to_text()).unwrap()
}

pub(crate) fn service_keys() -> KeyContainer {
    let container = KeyContainer::builder().service_key(SERVICE_KEY, KEY.public());
    KeyContainer::parse(&container.to_text()).unwrap()
}

pub(crate) fn user_keys() -> KeyContainer {
    let container = KeyContainer::builder().user_key(ENV, USER_KEY, KEY.public());
    KeyContainer::parse(&container.to_text()).unwrap()
}

/// Checks both types, for the service [`US`].
pub(crate) fn checker() -> ContextChecker {
    ContextChecker::new()
        .service(ServiceContext::new(US, &keys()).unwrap())
        .user(UserContext::new(ENV, &keys()).unwrap())
        .clock(Arc::new(Stopped))
}

/// The caller may read, Ada may write things of the kind "note".
pub(crate) fn roles() -> Arc<Roles> {
    let document = r#"{"revision": "r", "born_date": 1,
        "tvm": {"41": {"/read/": []}},
        "user": {"1815": {"/write/": [{"kind": "note"}]}}}"#;
    Arc::new(Roles::parse(document, UNIX_EPOCH).unwrap())
}

pub(crate) fn service(draft: ServiceTicketDraft) -> String {
    draft.sign(SERVICE_KEY, &KEY).unwrap().expose().to_owned()
}

/// A good service ticket from [`CALLER`].
pub(crate) fn from_caller() -> String {
    service(ServiceTicketDraft::new(CALLER, US).scope("deliver"))
}

pub(crate) fn user(draft: UserTicketDraft) -> String {
    user_of_key(USER_KEY, draft)
}

pub(crate) fn user_of_key(id: KeyId, draft: UserTicketDraft) -> String {
    draft.sign(id, &KEY).unwrap().expose().to_owned()
}

/// A good user ticket of [`ADA`].
pub(crate) fn of_ada() -> String {
    user(UserTicketDraft::new(ENV, ADA).scope("mail:read"))
}

/// Tickets that are not good, each with the status of its check.
pub(crate) fn bad_service_tickets() -> Vec<(String, &'static str)> {
    let draft = ServiceTicketDraft::new(CALLER, US);
    let signed = |id: u32, key: &PrivateKey| {
        let ticket = draft.sign(KeyId::new(id), key).unwrap();
        ticket.expose().to_owned()
    };
    vec![
        ("nonsense".to_owned(), "Malformed"),
        ("3:serv:planted:planted:".to_owned(), "Malformed"),
        ("2:serv:a:b".to_owned(), "UnsupportedVersion"),
        (of_ada(), "InvalidTicketType"),
        (
            service(draft.clone().expiration_time(NOW as i64)),
            "Expired",
        ),
        (
            service(ServiceTicketDraft::new(CALLER, CALLER)),
            "InvalidDst",
        ),
        (signed(9, &KEY), "MissingKey"),
        (signed(1, &OTHER), "SignBroken"),
        (from_caller().replace(":serv:", ":sérv:"), "Malformed"),
        ("3:serv:".to_owned() + &"A".repeat(1 << 17), "Malformed"),
    ]
}

/// A request with these headers, as bytes, for the path `/`.
pub(crate) fn request(headers: &[(&str, &str)]) -> Request<Body> {
    request_to("/", headers)
}

pub(crate) fn request_to(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(*name, value.as_bytes());
    }
    request.body(Body::empty()).unwrap()
}

impl Answer {
    /// Status and code of a problem document.
    #[track_caller]
    pub(crate) fn problem(&self) -> (u16, String) {
        let code = self.member("/code");
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{self:?}"
        );
        assert_eq!(self.headers["cache-control"], "no-cache, no-store");
        assert_eq!(self.member("/type"), "about:blank");
        assert_eq!(self.member("/status"), self.status);
        (self.status, code.as_str().unwrap().to_owned())
    }
}

/// What a ticket must not leave anywhere: its signature.
#[track_caller]
pub(crate) fn assert_no_signature(text: &str, tickets: &[&str]) {
    for ticket in tickets {
        let signature = ticket.rsplit(':').next().unwrap();
        assert!(signature.len() > 20, "{ticket}");
        assert!(!text.contains(signature), "{text}");
    }
}

#[track_caller]
pub(crate) fn assert_logged(log: &Log, level: &str, code: &str) {
    router::assert_one_line(log, "vouchsafe_ticket::server", level, code);
}
