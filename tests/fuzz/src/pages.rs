//! Lists that come in pages, from servers that divide them in any way.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use vouchsafe::core::call::page::{Items, List, Page, Position, Style};
use vouchsafe::core::{Error, ErrorKind, Result};

use super::script::run;

/// Two bytes say how a server divides a list, and the rest is the list: a walk ends, and if the server
/// keeps its list, a walk without an error has returned every item in order.
pub fn pages(data: &[u8]) {
    let Some((&[how, size], rest)) = data.split_first_chunk() else {
        return;
    };
    let list = &rest[..rest.len().min(100)];
    if how & 1 == 0 {
        tokens(list);
        return;
    }
    let ignores_offset = how & 4 != 0;
    // A list whose keys are not unique, against the contract, may end with an error.
    let is_unique = list.iter().collect::<BTreeSet<_>>().len() == list.len();
    let server = Offsets {
        items: list.to_owned(),
        size: u64::from(size % 8) + 1,
        largest: Some(u64::from(size / 8 % 8)).filter(|largest| *largest > 1),
        has_total: how & 2 != 0,
        ignores_offset,
        asked: Asked::default(),
    };
    match walk(server) {
        (_, Ok(())) if ignores_offset => {}
        (found, Ok(())) => assert_eq!(found, list),
        (_, Err(error)) => {
            assert!(ignores_offset || !is_unique, "{error}");
            assert_eq!(error.kind(), ErrorKind::Conflict);
        }
    }
}

/// Each byte is the token that a page leads on with; 255 ends the list.
fn tokens(next: &[u8]) {
    if next.is_empty() {
        return;
    }
    let (mut expected, mut seen, mut at) = (Vec::new(), BTreeSet::new(), 0);
    let is_circle = loop {
        let token = next[at];
        if token != LAST && !seen.insert(token) {
            break true;
        }
        expected.push(next[at]);
        if token == LAST {
            break false;
        }
        at = usize::from(token) % next.len();
    };
    let (found, end) = walk(Tokens {
        next: next.to_owned(),
        asked: Asked::default(),
    });
    assert_eq!((found, end.is_err()), (expected, is_circle));
}

const LAST: u8 = 255;

/// Returns the items until the end or an error.
fn walk(list: impl List<Item = u8, Error = Error>) -> (Vec<u8>, Result<()>) {
    run(async {
        let mut items = Items::new(list);
        let mut found = Vec::new();
        loop {
            match items.next().await {
                Ok(Some(item)) => found.push(item),
                Ok(None) => return (found, Ok(())),
                Err(error) => return (found, Err(error)),
            }
        }
    })
}

/// Counts requests.
#[derive(Default)]
struct Asked(AtomicUsize);

impl Asked {
    /// Every page but a few at the end has a new item or a new token.
    fn once(&self, length: usize) {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        assert!(count < length + 4, "{count} requests for {length} items");
    }
}

struct Offsets {
    items: Vec<u8>,
    size: u64,
    largest: Option<u64>,
    has_total: bool,
    ignores_offset: bool,
    asked: Asked,
}

impl List for Offsets {
    type Item = u8;
    type Error = Error;

    fn style(&self) -> Style {
        Style::Offset {
            first: 0,
            size: self.size,
            largest: self.largest,
        }
    }

    async fn page(&self, at: Position) -> Result<Page<u8>> {
        self.asked.once(self.items.len());
        let Position::Offset { offset, limit } = at else {
            panic!("a position by offset");
        };
        assert!(self.largest.is_none_or(|largest| limit <= largest));
        let skipped = if self.ignores_offset { 0 } else { offset };
        let items = self.items.iter().skip(skipped as usize);
        let page = Page::new(items.take(limit as usize).copied().collect());
        Ok(match self.has_total {
            true => page.total(self.items.len() as u64),
            false => page,
        })
    }

    fn key(item: &u8) -> String {
        item.to_string()
    }
}

struct Tokens {
    next: Vec<u8>,
    asked: Asked,
}

impl List for Tokens {
    type Item = u8;
    type Error = Error;

    fn style(&self) -> Style {
        Style::Token
    }

    async fn page(&self, at: Position) -> Result<Page<u8>> {
        self.asked.once(usize::from(LAST));
        let Position::Token(token) = at else {
            panic!("a position by token");
        };
        let token = token.map_or(0, |token| token.parse::<usize>().expect("one of ours"));
        let next = self.next[token % self.next.len()];
        let token = Some(next.to_string()).filter(|_| next != LAST);
        Ok(Page::new(vec![next]).next(token))
    }

    fn key(item: &u8) -> String {
        item.to_string()
    }
}
