//! Keys and tickets that are created once for a run, so that all its programs check the same.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use vouchsafe_ticket::rw::PrivateKey;
use vouchsafe_ticket::{
    BlackboxEnv, KeyContainer, KeyId, ServiceContext, ServiceTicketDraft, TvmId, Uid, UserContext,
    UserTicketDraft,
};

/// The sizes of keys in use.
pub const SIZES: [usize; 2] = [1024, 2048];

/// Tickets of each kind: enough to defeat branch prediction.
pub const TICKETS: usize = 64;

const NOW: i64 = 1_700_000_000;
const US: TvmId = TvmId::new(2_000_020);

pub fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW as u64)
}

/// One size of keys.
#[derive(Debug, Deserialize, Serialize)]
pub struct Fixture {
    pub bits: usize,
    /// As the authority gives them out.
    pub keys: String,
    /// Of the one key in it, big-endian.
    pub modulus: Vec<u8>,
    pub service: Tickets,
    pub user: Tickets,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Tickets {
    pub good: Vec<String>,
    /// Valid except for one character near the end.
    pub malformed: Vec<String>,
    pub expired: Vec<String>,
    /// Signed by another key with the id of the right one.
    pub wrong_key: Vec<String>,
    /// Signed by a key with another id.
    pub unknown_key: Vec<String>,
}

impl Fixture {
    pub fn new(bits: usize) -> Self {
        let (key, other) = (full_key(bits), full_key(bits));
        let id = KeyId::new(10_000);
        let keys = KeyContainer::builder()
            .service_key(id, key.public())
            .user_key(BlackboxEnv::Prod, id, key.public());
        let der = key.public().to_der();
        Self {
            bits,
            keys: keys.to_text(),
            modulus: der[der.len() - bits / 8..].to_vec(),
            service: Tickets::new(id, &key, &other, service),
            user: Tickets::new(id, &key, &other, user),
        }
    }

    pub fn service_context(&self) -> ServiceContext {
        ServiceContext::new(US, &self.container()).expect("good keys")
    }

    pub fn user_context(&self) -> UserContext {
        UserContext::new(BlackboxEnv::Prod, &self.container()).expect("good keys")
    }

    fn container(&self) -> KeyContainer {
        KeyContainer::parse(&self.keys).expect("good keys")
    }
}

type Make = fn(u32, i64, KeyId, &PrivateKey) -> String;

impl Tickets {
    fn new(id: KeyId, key: &PrivateKey, other: &PrivateKey, make: Make) -> Self {
        let all = |time: i64, id: KeyId, key: &PrivateKey| -> Vec<String> {
            (0..TICKETS as u32)
                .map(|number| make(number, time, id, key))
                .collect()
        };
        let good = all(NOW + 3600, id, key);
        Self {
            malformed: good
                .iter()
                .map(|text| {
                    let mut text = text.clone();
                    text.replace_range(text.len() - 3..text.len() - 2, "+");
                    text
                })
                .collect(),
            good,
            expired: all(NOW - 1, id, key),
            wrong_key: all(NOW + 3600, id, other),
            unknown_key: all(NOW + 3600, KeyId::new(id.get() + 1), other),
        }
    }
}

/// As services see them: no scopes, mostly.
fn service(number: u32, time: i64, id: KeyId, key: &PrivateKey) -> String {
    let draft = ServiceTicketDraft::new(TvmId::new(2_000_100 + number), US);
    let text = draft.expiration_time(time).sign(id, key).expect("a ticket");
    text.expose().to_owned()
}

/// Two users and three scopes.
fn user(number: u32, time: i64, id: KeyId, key: &PrivateKey) -> String {
    let uids = [
        Uid::new(1_120_000_000_000 + u64::from(number)),
        Uid::new(70_500 + u64::from(number)),
    ];
    let draft = UserTicketDraft::new(BlackboxEnv::Prod, uids[0])
        .uids(uids)
        .scope("bb:sessionid")
        .scope("notes:read")
        .scope("notes:write")
        .entry_point(2)
        .expiration_time(time);
    let text = draft.sign(id, key).expect("a ticket");
    text.expose().to_owned()
}

/// Half of the keys have one bit less, which is another case.
fn full_key(bits: usize) -> PrivateKey {
    loop {
        let key = PrivateKey::generate(bits).expect("a key");
        if key.public().bits() == bits {
            return key;
        }
    }
}
