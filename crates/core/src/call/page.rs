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
/// pages in a row have nothing new, as those of a server that ignores the offset, or if a page has the last
/// item of the one before it twice. A walk that ends
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
                    // Else a server that ignores the offset could lead the walk on forever.
                    if items.iter().any(|item| L::key(item) == *last) {
                        self.is_done = true;
                        return Err(changed("the server gave an item twice on one page").into());
                    }
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
mod tests;
