//! The measured cases, each a function that checks one ticket after the other.

use std::hint::black_box;

use vouchsafe_ticket::{ServiceContext, TicketStatus, UserContext};

use super::fixture::{Fixture, TICKETS, Tickets, now};
use super::floor::Floor;
use super::peers::{self, CryptoBigint, NumBigint, Numbers};

/// The names of the cases of one size and type; `ours` first.
pub const OURS: [&str; 7] = [
    "cold",
    "new",
    "cached",
    "malformed",
    "expired",
    "wrong key",
    "unknown key",
];
pub const PEERS: &[&str] = &[
    #[cfg(feature = "openssl")]
    "OpenSSL",
    #[cfg(feature = "openssl")]
    "OpenSSL plainly",
    "num-bigint",
    "crypto-bigint",
];
pub const FLOORS: [&str; 2] = ["squaring", "hashing"];

/// Something that can be done many times.
pub type Work<'f> = Box<dyn FnMut(usize) + Send + 'f>;

/// What is checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Service,
    User,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Service, Self::User];

    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::User => "user",
        }
    }

    pub fn tickets(self, fixture: &Fixture) -> &Tickets {
        match self {
            Self::Service => &fixture.service,
            Self::User => &fixture.user,
        }
    }
}

/// A context of either type.
#[derive(Clone)]
pub enum Context {
    Service(ServiceContext),
    User(UserContext),
}

impl Context {
    pub fn new(fixture: &Fixture, kind: Kind, cache: Option<usize>) -> Self {
        match (kind, cache) {
            (Kind::Service, None) => Self::Service(fixture.service_context()),
            (Kind::Service, Some(n)) => Self::Service(fixture.service_context().cache_capacity(n)),
            (Kind::User, None) => Self::User(fixture.user_context()),
            (Kind::User, Some(n)) => Self::User(fixture.user_context().cache_capacity(n)),
        }
    }

    /// Checks one ticket, which must have the status, and drops the result.
    #[inline]
    pub fn check(&self, text: &str, expected: TicketStatus) {
        let status = match self {
            Self::Service(context) => match context.check(black_box(text), now()) {
                Ok(ticket) => {
                    black_box(ticket.src());
                    None
                }
                Err(error) => error.status(),
            },
            Self::User(context) => match context.check(black_box(text), now()) {
                Ok(ticket) => {
                    black_box(ticket.default_uid());
                    None
                }
                Err(error) => error.status(),
            },
        };
        assert_eq!(status.unwrap_or(TicketStatus::Ok), expected);
    }
}

/// Returns the work of a case by its name.
pub fn work<'f>(fixture: &'f Fixture, kind: Kind, name: &str) -> Work<'f> {
    let tickets = kind.tickets(fixture);
    let good = TicketStatus::Ok;
    match name {
        "cold" => ours(fixture, kind, Some(0), &tickets.good, good),
        // Room for an eighth: each is checked and takes the place of another.
        "new" => ours(fixture, kind, Some(TICKETS / 8), &tickets.good, good),
        "cached" => ours(fixture, kind, None, &tickets.good, good),
        "malformed" => ours(
            fixture,
            kind,
            None,
            &tickets.malformed,
            TicketStatus::Malformed,
        ),
        "expired" => ours(fixture, kind, None, &tickets.expired, TicketStatus::Expired),
        "wrong key" => ours(
            fixture,
            kind,
            None,
            &tickets.wrong_key,
            TicketStatus::SignBroken,
        ),
        "unknown key" => ours(
            fixture,
            kind,
            None,
            &tickets.unknown_key,
            TicketStatus::MissingKey,
        ),
        #[cfg(feature = "openssl")]
        "OpenSSL" => peer(peers::OpenSsl::new(&fixture.modulus), fixture, kind),
        #[cfg(feature = "openssl")]
        "OpenSSL plainly" => peer(peers::PlainOpenSsl::new(&fixture.modulus), fixture, kind),
        "num-bigint" => peer(NumBigint::new(&fixture.modulus), fixture, kind),
        "crypto-bigint" => peer(CryptoBigint::new(&fixture.modulus), fixture, kind),
        "squaring" => {
            let mut floor = Floor::new(&fixture.modulus);
            Box::new(move |count| {
                for _ in 0..count {
                    black_box(floor.square());
                }
            })
        }
        "hashing" => {
            let floor = Floor::new(&fixture.modulus);
            let signed: Vec<&[u8]> = tickets.good.iter().map(|text| signed(text)).collect();
            Box::new(move |count| {
                for text in signed.iter().cycle().take(count) {
                    black_box(floor.hash(text));
                }
            })
        }
        other => panic!("no case {other}"),
    }
}

fn ours<'f>(
    fixture: &Fixture,
    kind: Kind,
    cache: Option<usize>,
    texts: &'f [String],
    expected: TicketStatus,
) -> Work<'f> {
    let context = Context::new(fixture, kind, cache);
    Box::new(move |count| {
        for text in texts.iter().cycle().take(count) {
            context.check(text, expected);
        }
    })
}

fn peer<'f, N: Numbers + Send + 'f>(mut numbers: N, fixture: &'f Fixture, kind: Kind) -> Work<'f> {
    let kind_text = match kind {
        Kind::Service => "serv",
        Kind::User => "user",
    };
    let now = now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    Box::new(move |count| {
        for text in kind.tickets(fixture).good.iter().cycle().take(count) {
            let text = black_box(text);
            let good = peers::check(&mut numbers, fixture.bits, text, kind_text, now);
            assert!(black_box(good).is_some(), "{text}");
        }
    })
}

fn signed(text: &str) -> &[u8] {
    let end = text.rfind(':').map_or(0, |colon| colon + 1);
    &text.as_bytes()[..end]
}
