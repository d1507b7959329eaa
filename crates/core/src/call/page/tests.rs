use std::sync::Mutex;

use super::*;

/// Serves numbers; each request may be preceded by a change.
#[derive(Debug, Default)]
struct Server {
    numbers: Mutex<Vec<u64>>,
    changes: Mutex<Vec<(usize, Change)>>,
    asked: Mutex<Vec<(u64, u64)>>,
    tells_total: bool,
    cap: Option<u64>,
}

#[derive(Clone, Debug)]
enum Change {
    InFront(Vec<u64>),
    Remove(u64),
    Push(u64),
    Fail,
}

#[derive(Debug)]
struct Numbers<'s> {
    server: &'s Server,
    size: u64,
    largest: Option<u64>,
}

impl List for Numbers<'_> {
    type Item = u64;
    type Error = Error;

    fn style(&self) -> Style {
        Style::Offset {
            first: 0,
            size: self.size,
            largest: self.largest,
        }
    }

    async fn page(&self, at: Position) -> Result<Page<u64>, Error> {
        let Position::Offset { offset, limit } = at else {
            panic!("a position by offset");
        };
        let server = self.server;
        let turn = server.asked.lock().unwrap().len();
        server.asked.lock().unwrap().push((offset, limit));
        let mut numbers = server.numbers.lock().unwrap();
        for (when, change) in server.changes.lock().unwrap().iter() {
            match change {
                _ if *when != turn => {}
                Change::InFront(new) => {
                    numbers.splice(..0, new.iter().copied());
                }
                Change::Remove(number) => numbers.retain(|other| other != number),
                Change::Push(number) => numbers.push(*number),
                Change::Fail => return Err(Error::new(ErrorKind::Transport, "reset")),
            }
        }
        let limit = limit.min(server.cap.unwrap_or(u64::MAX));
        let items = numbers.iter().skip(offset as usize).take(limit as usize);
        let page = Page::new(items.copied().collect());
        Ok(match server.tells_total {
            true => page.total(numbers.len() as u64),
            false => page,
        })
    }

    fn key(item: &u64) -> String {
        item.to_string()
    }
}

fn server(count: u64, changes: &[(usize, Change)]) -> Server {
    Server {
        numbers: Mutex::new((0..count).collect()),
        changes: Mutex::new(changes.to_vec()),
        ..Server::default()
    }
}

async fn walk(server: &Server, size: u64) -> Result<Vec<u64>, Error> {
    let list = Numbers {
        server,
        size,
        largest: None,
    };
    Items::new(list).collect().await
}

#[tokio::test]
async fn a_list_at_rest_is_given_once_in_order_whatever_the_page() {
    for tells_total in [false, true] {
        for count in 0..12 {
            for size in 1..8 {
                let server = Server {
                    tells_total,
                    ..server(count, &[])
                };
                let given = walk(&server, size).await.unwrap();
                assert_eq!(given, (0..count).collect::<Vec<_>>(), "{count} by {size}");
            }
        }
    }
}

#[tokio::test]
async fn a_total_spares_the_request_that_finds_nothing() {
    let server = Server {
        tells_total: true,
        ..server(4, &[])
    };
    walk(&server, 2).await.unwrap();
    assert_eq!(*server.asked.lock().unwrap(), [(0, 2), (1, 3)]);
}

#[tokio::test]
async fn a_server_that_gives_smaller_pages_is_asked_until_the_end() {
    let server = Server {
        cap: Some(3),
        ..server(10, &[])
    };
    assert_eq!(walk(&server, 50).await.unwrap().len(), 10);
    server.asked.lock().unwrap().clear();
    let list = Numbers {
        server: &server,
        size: 9,
        largest: Some(4),
    };
    assert_eq!(Items::new(list).collect().await.unwrap().len(), 10);
    assert!(
        server
            .asked
            .lock()
            .unwrap()
            .iter()
            .all(|(_, limit)| *limit <= 4)
    );
}

#[tokio::test]
async fn what_comes_in_front_moves_the_walk_and_is_not_given_twice() {
    for new in 1..8 {
        let change = Change::InFront((100..100 + new).collect());
        let server = server(9, &[(1, change)]);
        match walk(&server, 3).await {
            Ok(given) => assert_eq!(given, (0..9).collect::<Vec<_>>(), "{new} in front"),
            // The server returned more than a page, so the position cannot be found again.
            Err(error) => {
                assert!(new > 3, "{new} in front: {error}");
                assert_eq!(error.kind(), ErrorKind::Conflict);
            }
        }
    }
}

#[tokio::test]
async fn what_is_removed_behind_the_walk_ends_it_with_an_error() {
    for gone in 0..3 {
        let server = server(9, &[(1, Change::Remove(gone))]);
        let error = walk(&server, 3).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{gone} is gone");
        assert!(error.to_string().contains("changed while it was read"));
    }
    let ahead = server(9, &[(1, Change::Remove(7)), (2, Change::Push(9))]);
    assert_eq!(walk(&ahead, 3).await.unwrap(), [0, 1, 2, 3, 4, 5, 6, 8, 9]);
}

#[tokio::test]
async fn a_page_that_failed_is_asked_for_again() {
    let server = server(4, &[(1, Change::Fail)]);
    let list = Numbers {
        server: &server,
        size: 2,
        largest: None,
    };
    let mut items = Items::new(list);
    let mut given = Vec::new();
    let mut failures = 0;
    loop {
        match items.next().await {
            Ok(Some(item)) => given.push(item),
            Ok(None) => break,
            Err(_) => failures += 1,
        }
    }
    assert_eq!((given, failures), (vec![0, 1, 2, 3], 1));
    let asked = server.asked.lock().unwrap();
    assert_eq!(asked[1], asked[2]);
}

/// Serves the given tokens.
#[derive(Debug)]
struct Served(Vec<&'static str>);

impl List for Served {
    type Item = usize;
    type Error = Error;

    fn style(&self) -> Style {
        Style::Token
    }

    async fn page(&self, at: Position) -> Result<Page<usize>, Error> {
        let Position::Token(token) = at else {
            panic!("a position by token");
        };
        let at = token.map_or(0, |token| 1 + token.parse::<usize>().unwrap());
        let next = self.0.get(at).map(|next| (*next).to_owned());
        Ok(Page::new(vec![at]).next(next))
    }

    fn key(item: &usize) -> String {
        item.to_string()
    }
}

#[tokio::test]
async fn tokens_are_followed_to_the_last_page_and_never_in_a_circle() {
    let all = Items::new(Served(vec!["0", "1", ""])).collect().await;
    assert_eq!(all.unwrap(), [0, 1, 2]);
    for circle in [
        vec!["0", "0"],
        vec!["0", "1", "2", "0"],
        vec!["0", "1", "1"],
    ] {
        let length = circle.len() - 1;
        let mut items = Items::new(Served(circle));
        for page in 0..length {
            assert_eq!(items.next().await.unwrap(), Some(page));
        }
        assert_eq!(items.next().await.unwrap_err().kind(), ErrorKind::Conflict);
    }
}

/// Serves the same items whatever the offset.
struct Deaf(u64);

impl List for Deaf {
    type Item = u64;
    type Error = Error;

    fn style(&self) -> Style {
        Style::Offset {
            first: 0,
            size: 3,
            largest: None,
        }
    }

    async fn page(&self, at: Position) -> Result<Page<u64>, Error> {
        let Position::Offset { limit, .. } = at else {
            panic!("a position by offset");
        };
        Ok(Page::new((0..limit.min(self.0)).collect()))
    }

    fn key(item: &u64) -> String {
        item.to_string()
    }
}

#[tokio::test]
async fn a_server_that_ignores_the_offset_is_not_asked_forever() {
    for length in [2, 3, 4, 9] {
        let error = Items::new(Deaf(length)).collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains("at every offset"), "{error}");
    }
    assert_eq!(Items::new(Deaf(1)).collect().await.unwrap(), [0]);
}

#[tokio::test]
async fn a_server_that_ignores_the_offset_and_repeats_items_is_not_asked_forever() {
    for items in [vec![7, 7], vec![0, 1, 0, 1], vec![0, 1, 2, 1]] {
        let mut walk = Items::new(Repeating(items.clone()));
        let mut found = Vec::new();
        let error = loop {
            match walk.next().await {
                Ok(item) => found.push(item.expect("no end without an error")),
                Err(error) => break error,
            }
            assert!(found.len() <= 2 * items.len(), "{items:?}: {found:?}");
        };
        assert_eq!(error.kind(), ErrorKind::Conflict, "{items:?}");
        assert!(walk.next().await.unwrap().is_none());
    }
}

/// Gives the same items at every offset.
struct Repeating(Vec<u64>);

impl List for Repeating {
    type Item = u64;
    type Error = Error;

    fn style(&self) -> Style {
        Style::Offset {
            first: 0,
            size: self.0.len() as u64 - 1,
            largest: None,
        }
    }

    async fn page(&self, at: Position) -> Result<Page<u64>, Error> {
        let Position::Offset { limit, .. } = at else {
            panic!("a position by offset");
        };
        let items = self.0.iter().take(limit as usize).copied();
        Ok(Page::new(items.collect()))
    }

    fn key(item: &u64) -> String {
        item.to_string()
    }
}

#[cfg(feature = "stream")]
#[tokio::test]
async fn a_stream_gives_the_same_items() {
    use futures_util::TryStreamExt;

    let stream = Items::new(Served(vec!["0", "1"])).into_stream();
    let all: Vec<usize> = stream.try_collect().await.unwrap();
    assert_eq!(all, [0, 1, 2]);
}
