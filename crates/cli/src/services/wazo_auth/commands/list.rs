//! Lists: one page, or all of it.

use clap::Args;
use serde::Serialize;
use serde_json::json;
use vouchsafe::core::call::page;
use vouchsafe::wazo_auth::Direction;

use crate::failure::Failure;
use crate::output::{Answer, table};
use crate::progress::Progress;

/// Options of every list.
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Only items that contain these words, in this order
    #[arg(long, value_name = "WORDS")]
    pub(super) search: Option<String>,
    /// The column to sort by, by the service's name for it
    #[arg(long, value_name = "COLUMN")]
    pub(super) order: Option<String>,
    /// Sorts in descending order
    #[arg(long)]
    pub(super) descending: bool,
    #[command(flatten)]
    pub(super) part: PartArgs,
}

/// Options of lists for all users or one.
#[derive(Args, Debug)]
pub(super) struct OfUserArgs {
    /// Only those of this user, by uuid or name
    #[arg(long, value_name = "USER")]
    pub(super) user: Option<String>,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// Options that select a part of a list.
#[derive(Args, Debug)]
pub(super) struct PartArgs {
    /// The maximum number to show
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..))]
    pub(super) limit: i64,
    /// The number to skip
    #[arg(long, value_name = "COUNT", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    pub(super) offset: i64,
    /// Also shows those of the tenants below
    #[arg(long)]
    pub(super) recurse: bool,
    /// Shows all pages
    #[arg(long, conflicts_with_all = ["limit", "offset"])]
    pub(super) all: bool,
}

/// The items found.
pub(super) struct Found<T> {
    pub(super) total: i64,
    /// The number of items after filters, if the service counts them.
    pub(super) filtered: Option<i64>,
    pub(super) items: Vec<T>,
    offset: i64,
}

/// Requests a list. The pages of the service differ only in their types.
macro_rules! found {
    ($request:expr, $args:expr, $what:literal) => {
        found!($request, $args, $what, |page| Option::from(page.filtered))
    };
    ($request:expr, $args:expr, $what:literal, |$page:ident| $filtered:expr) => {{
        let args: &crate::services::wazo_auth::commands::list::ListArgs = $args;
        let mut request = $request.direction(args.direction());
        if let Some(words) = &args.search {
            request = request.search(words);
        }
        if let Some(column) = &args.order {
            request = request.order(column.clone().into());
        }
        found!(@part request, &args.part, $what, |$page| $filtered)
    }};
    (@part $request:expr, $part:expr, $what:literal, |$page:ident| $filtered:expr) => {{
        let part: &crate::services::wazo_auth::commands::list::PartArgs = $part;
        let request = $request.recurse(part.recurse);
        match part.all {
            false => {
                let $page = request.limit(part.limit).offset(part.offset).send().await?;
                let filtered: Option<i64> = $filtered;
                part.found($page.total, filtered, $page.items)
            }
            true => {
                // The total, to show progress.
                let $page = request.clone().limit(0).send().await?;
                let filtered: Option<i64> = $filtered;
                part.walked($page.total, filtered, request.items(), $what).await?
            }
        }
    }};
}
pub(super) use found;

impl ListArgs {
    pub(super) fn direction(&self) -> Direction {
        match self.descending {
            true => Direction::Desc,
            false => Direction::Asc,
        }
    }
}

impl PartArgs {
    pub(super) fn found<T>(&self, total: i64, filtered: Option<i64>, items: Vec<T>) -> Found<T> {
        Found {
            total,
            filtered,
            items,
            offset: self.offset,
        }
    }

    /// Reads a list to its end, and shows the progress.
    pub(super) async fn walked<L>(
        &self,
        total: i64,
        filtered: Option<i64>,
        mut items: page::Items<L>,
        what: &'static str,
    ) -> Result<Found<L::Item>, Failure>
    where
        L: page::List,
        Failure: From<L::Error>,
    {
        let expected = u64::try_from(filtered.unwrap_or(total)).ok();
        let mut progress = Progress::new(what, expected);
        let mut all = Vec::new();
        while let Some(item) = items.next().await? {
            progress.step();
            all.push(item);
        }
        Ok(self.found(total, filtered, all))
    }
}

impl<T: Serialize> Found<T> {
    /// Lays out the items in columns, and states how many more there are.
    pub(super) fn answer(self, header: &[&str], row: impl Fn(&T) -> Vec<String>) -> Answer {
        let shown = self.offset + i64::try_from(self.items.len()).unwrap_or(i64::MAX);
        let expected = self.filtered.unwrap_or(self.total);
        let mut human = table(header, self.items.iter().map(row));
        if shown < expected && !self.items.is_empty() {
            let first = self.offset + 1;
            human = format!("{human}\n\n{first} to {shown} of {expected}; --all shows all");
        }
        let value = json!({"total": self.total, "filtered": self.filtered, "items": self.items});
        Answer::new(human, value)
    }
}
