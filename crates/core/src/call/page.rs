//! Lists that come page by page, as one sequence of items.
//!
//! Generated code describes a list ([`List`]); this module implements the walk for all of them.

use std::collections::HashSet;
use std::fmt;
use std::vec;

use crate::cache::Digest;
use crate::{Error, ErrorKind};

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    items: Vec<T>,
    total: Option<u64>,
    next: Option<String>,
}

impl<T> Page<T> {
    /// Creates a page from its items.
    #[must_use]
    pub fn new(items: Vec<T>) -> Self {
        Self {
            items,
            total: None,
            next: None,
        }
    }

    /// Sets the total number of items in the list, after its filters.
    #[must_use]
    pub fn total(mut self, total: u64) -> Self {
        self.total = Some(total);
        self
    }

    /// Sets the token of the next page; an empty token means that this is the last page.
    #[must_use]
    pub fn next(mut self, token: Option<String>) -> Self {
        self.next = token.filter(|token| !token.is_empty());
        self
    }
}

/// How a list is divided into pages.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "generated code makes them")]
pub enum Style {
    /// By the number of items to skip and the number of items to return.
    Offset {
        /// The offset at which the walk begins.
        first: u64,
        /// The number of items on a page.
        size: u64,
        /// The largest page that the server returns.
        largest: Option<u64>,
    },
    /// By a token in each page that leads to the next.
    Token,
}

/// The page to fetch.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "generated code reads them")]
pub enum Position {
    /// By the number of items to skip and to return.
    Offset {
        /// The number of items to skip.
        offset: u64,
        /// The number of items to return.
        limit: u64,
    },
    /// The page for this token; `None` for the first page.
    Token(Option<String>),
}

/// A paginated list, as generated code describes it.
pub trait List: Send + Sync {
    /// The type of the items.
    type Item: Send;
    /// The error of the service.
    type Error: From<Error> + Send;

    /// Returns how the list is divided into pages.
    fn style(&self) -> Style;

    /// Fetches one page, with the filters and the order of the list.
    fn page(
        &self,
        at: Position,
    ) -> impl Future<Output = Result<Page<Self::Item>, Self::Error>> + Send;

    /// Returns a key that is unique among the items.
    fn key(item: &Self::Item) -> String;
}

/// Walks a list, page after page.
///
/// The order and filters are those of the request that this was created from. At most one page is
/// held at a time. After a failed request, [`next`](Self::next) requests the same page again;
/// dropping its future loses nothing.
///
/// A list may change while it is read. With pages by offset, each page begins with the last item of
/// the one before it. If that item has moved back because others were inserted before it, items
/// that were already returned are skipped. If it is gone or has moved forward, items may have been
/// missed, and the walk ends with an error of kind `Conflict` that has no status. It does so too if two
/// pages in a row have nothing new, as those of a server that ignores the offset. A walk that ends
/// without an error has therefore returned each item that was present from beginning to end exactly
/// once, provided that the server keeps an order. With pages by token the server is responsible for
/// that; a token that occurs twice is the same error.
#[must_use = "a walk does nothing until items are taken"]
pub struct Items<L: List> {
    list: L,
    ready: vec::IntoIter<L::Item>,
    walk: Walk,
    is_done: bool,
}

enum Walk {
    Offset {
        /// The offset of the first item that was not returned.
        next: u64,
        size: u64,
        largest: u64,
        /// The key of the item before it.
        last: Option<String>,
        /// The last page had only items from before it.
        is_behind: bool,
    },
    Token {
        next: Option<String>,
        seen: Tokens,
    },
}

/// The tokens that have led from page to page, so that a walk ends if a server leads it in a circle.
#[derive(Debug, Default)]
pub struct Tokens(HashSet<Digest>);

impl Tokens {
    /// Adds a token, and returns whether it is a new one.
    pub fn add(&mut self, token: &str) -> bool {
        self.0.insert(Digest::of(token))
    }
}

impl<L: List> Items<L> {
    /// Starts at the beginning of a list.
    pub fn new(list: L) -> Self {
        let walk = match list.style() {
            Style::Offset {
                first,
                size,
                largest,
            } => Walk::Offset {
                next: first,
                size: size.max(1),
                // One item of each page is already known.
                largest: largest.unwrap_or(u64::MAX).max(2),
                last: None,
                is_behind: false,
            },
            Style::Token => Walk::Token {
                next: None,
                seen: Tokens::default(),
            },
        };
        Self {
            list,
            ready: Vec::new().into_iter(),
            walk,
            is_done: false,
        }
    }

    /// Returns the next item, or `None` after the last.
    ///
    /// # Errors
    ///
    /// The error of the request for a page, or one of kind `Conflict` if the list changed so that
    /// items may have been missed.
    pub async fn next(&mut self) -> Result<Option<L::Item>, L::Error> {
        loop {
            if let Some(item) = self.ready.next() {
                return Ok(Some(item));
            }
            if self.is_done {
                return Ok(None);
            }
            self.turn().await?;
        }
    }

    /// Returns all remaining items.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Vec<L::Item>, L::Error> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await? {
            all.push(item);
        }
        Ok(all)
    }

    /// Fetches the next page. Nothing changes until it has arrived.
    async fn turn(&mut self) -> Result<(), L::Error> {
        match &mut self.walk {
            Walk::Token { next, seen } => {
                let page = self.list.page(Position::Token(next.clone())).await?;
                self.is_done = page.next.is_none();
                if page.next.as_deref().is_some_and(|token| !seen.add(token)) {
                    self.is_done = true;
                    return Err(changed("the server gave the same page again").into());
                }
                *next = page.next;
                self.ready = page.items.into_iter();
            }
            Walk::Offset {
                next,
                size,
                largest,
                last,
                is_behind,
            } => {
                let overlap = u64::from(last.is_some());
                let at = Position::Offset {
                    offset: next.saturating_sub(overlap),
                    limit: size.saturating_add(overlap).min(*largest),
                };
                let page = self.list.page(at).await?;
                let mut items = page.items;
                let mut moved = 0;
                if let Some(last) = last {
                    let Some(known) = items.iter().position(|item| L::key(item) == *last) else {
                        self.is_done = true;
                        let what = "the list changed while it was read; items may be missing";
                        return Err(changed(what).into());
                    };
                    moved = known as u64;
                    items.drain(..=known);
                }
                let was_behind = std::mem::replace(is_behind, items.is_empty() && moved > 0);
                if was_behind && *is_behind {
                    self.is_done = true;
                    let what = "the server gives the same items at every offset, or the list grows \
                                faster than it is read";
                    return Err(changed(what).into());
                }
                *next = next
                    .saturating_add(moved)
                    .saturating_add(items.len() as u64);
                self.is_done = (items.is_empty() && moved == 0)
                    || page.total.is_some_and(|total| *next >= total);
                if let Some(item) = items.last() {
                    *last = Some(L::key(item));
                }
                self.ready = items.into_iter();
            }
        }
        Ok(())
    }
}

impl<L: List> fmt::Debug for Items<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("ready", &self.ready.len())
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}

fn changed(what: &str) -> Error {
    Error::new(ErrorKind::Conflict, what)
}

#[cfg(feature = "stream")]
mod stream {
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use futures_core::Stream;

    use super::{Items, List};
    use crate::BoxFuture;

    impl<L: List + 'static> Items<L> {
        /// Returns the items as a stream, which ends after the first error.
        #[cfg_attr(docsrs, doc(cfg(feature = "stream")))]
        pub fn into_stream(self) -> impl Stream<Item = Result<L::Item, L::Error>> + Send {
            Steps(Some(step(self)))
        }
    }

    type Step<L> = (
        Items<L>,
        Result<Option<<L as List>::Item>, <L as List>::Error>,
    );

    fn step<L: List + 'static>(mut items: Items<L>) -> BoxFuture<'static, Step<L>> {
        Box::pin(async move {
            let next = items.next().await;
            (items, next)
        })
    }

    struct Steps<L: List>(Option<BoxFuture<'static, Step<L>>>);

    impl<L: List + 'static> Stream for Steps<L> {
        type Item = Result<L::Item, L::Error>;

        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let this = self.get_mut();
            let Some(running) = &mut this.0 else {
                return Poll::Ready(None);
            };
            let (items, next) = ready!(running.as_mut().poll(context));
            this.0 = matches!(next, Ok(Some(_))).then(|| step(items));
            Poll::Ready(next.transpose())
        }
    }
}

#[cfg(test)]
mod tests {
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

    #[cfg(feature = "stream")]
    #[tokio::test]
    async fn a_stream_gives_the_same_items() {
        use futures_util::TryStreamExt;

        let stream = Items::new(Served(vec!["0", "1"])).into_stream();
        let all: Vec<usize> = stream.try_collect().await.unwrap();
        assert_eq!(all, [0, 1, 2]);
    }
}
