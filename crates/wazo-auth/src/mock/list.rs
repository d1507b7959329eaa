//! Lists: search, filters, order and pages (protocol section 8).

use std::cmp::Ordering;

use serde_json::{Map, Value, json};
use vouchsafe_core::mock::form::Fields;

use super::refusal::{Outcome, Refusal};
use super::validate::{self, Wrong};

/// What a list supports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    /// Columns to sort by, the default first.
    pub(super) order: &'static [&'static str],
    /// Columns that pass the check and then fail.
    pub(super) unsortable: &'static [&'static str],
    /// Members that `search` looks at. For a list, its texts.
    pub(super) search: &'static [&'static str],
    /// Members with an exact filter.
    pub(super) exact: &'static [&'static str],
    /// Those of them that are booleans.
    pub(super) boolean: &'static [&'static str],
    /// Whether the list is sorted if the request does not say how.
    pub(super) is_sorted: bool,
}

impl Columns {
    pub(super) const fn new(order: &'static [&'static str]) -> Self {
        Self {
            order,
            unsortable: &[],
            search: &[],
            exact: &[],
            boolean: &[],
            is_sorted: true,
        }
    }
}

/// The common parameters of a list.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    search: Option<String>,
    order: Option<String>,
    is_descending: bool,
    limit: Option<usize>,
    offset: usize,
    pub(super) recurse: bool,
}

impl Asked {
    /// Reads them; all faults are reported at once.
    pub(super) fn read(query: &Fields, columns: &Columns) -> Outcome<Self> {
        let mut wrong = Map::new();
        let mut note = |name: &str, fault: &Wrong| {
            wrong.insert(name.to_owned(), fault.in_tree());
        };
        let mut choice = |name: &str, choices: &[&str]| {
            let given = query.first(name)?;
            if !choices.contains(&given) {
                let choices = choices.iter().map(|&choice| choice.to_owned()).collect();
                note(name, &Wrong::Choice(choices));
            }
            Some(given.to_owned())
        };
        let sortable = [columns.order, columns.unsortable].concat();
        let order = choice("order", &sortable);
        let direction = choice("direction", &["asc", "desc"]);
        let mut number = |name: &str| {
            let given = query.first(name)?;
            match given.trim().parse::<i64>() {
                Ok(number) if number >= 0 => usize::try_from(number).ok(),
                Ok(_) => {
                    note(name, &Wrong::Range(0, None));
                    None
                }
                Err(_) => {
                    note(name, &Wrong::Type("integer"));
                    None
                }
            }
        };
        let (limit, offset) = (number("limit"), number("offset"));
        let mut recurse = false;
        for name in ["recurse"].iter().chain(columns.boolean) {
            match query
                .first(name)
                .map(|given| validate::boolean(&given.into()))
            {
                Some(Ok(value)) if *name == "recurse" => recurse = value,
                Some(Err(fault)) => note(name, &fault),
                Some(Ok(_)) | None => {}
            }
        }
        if !wrong.is_empty() {
            return Err(Refusal::invalid_list(wrong.into()));
        }
        if let Some(order) = order
            .as_deref()
            .filter(|order| columns.unsortable.contains(order))
        {
            let reason = format!("Invalid sort column: {order}");
            return Err(Refusal::reasons(400, reason));
        }
        Ok(Self {
            search: query.first("search").map(str::to_owned),
            order,
            is_descending: direction.as_deref() == Some("desc"),
            limit,
            offset: offset.unwrap_or_default(),
            recurse,
        })
    }

    /// Applies search and exact filters.
    pub(super) fn filter(&self, query: &Fields, columns: &Columns, items: &mut Vec<Value>) {
        if let Some(search) = self
            .search
            .as_deref()
            .filter(|_| !columns.search.is_empty())
        {
            let pattern = Search::new(search);
            items.retain(|item| pattern.finds(item, columns.search));
        }
        for &name in columns.exact {
            let Some(given) = query.first(name) else {
                continue;
            };
            items.retain(|item| {
                if columns.boolean.contains(&name) {
                    return validate::boolean(&given.into()).ok() == item[name].as_bool();
                }
                texts(&item[name]).any(|text| text == given)
            });
        }
    }

    /// Sorts the remaining items and returns the page.
    pub(super) fn page(&self, columns: &Columns, mut items: Vec<Value>) -> Vec<Value> {
        let default = columns.order.first().filter(|_| columns.is_sorted);
        if let Some(order) = self.order.as_deref().or(default.copied()) {
            items.sort_by(|left, right| {
                let ordering = compare(&left[order], &right[order]);
                if self.is_descending {
                    ordering.reverse()
                } else {
                    ordering
                }
            });
        }
        let items = items.into_iter().skip(self.offset);
        items.take(self.limit.unwrap_or(usize::MAX)).collect()
    }

    /// Searches, filters, sorts and pages; returns the list with its counts.
    pub(super) fn answer(&self, query: &Fields, columns: &Columns, mut items: Vec<Value>) -> Value {
        let total = items.len();
        self.filter(query, columns, &mut items);
        let filtered = items.len();
        json!({"total": total, "filtered": filtered, "items": self.page(columns, items)})
    }
}

/// Compares in byte order; null is last.
fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => left.as_str().cmp(&right.as_str()),
    }
}

/// Returns the texts of a member: its own, those of a list, and the addresses of e-mails.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let own = value.as_str();
    let items = value.as_array().into_iter().flatten();
    own.into_iter()
        .chain(items.filter_map(|item| item.as_str().or_else(|| item["address"].as_str())))
}

/// The pattern of a search: a text with `%` for any sequence of characters and `_` for one
/// character.
struct Search(Vec<char>);

impl Search {
    fn new(text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        let pattern = format!("%{}%", words.join("%")).to_lowercase();
        Self(pattern.chars().collect())
    }

    fn finds(&self, item: &Value, columns: &[&str]) -> bool {
        let is_found = |text: &str| {
            let text: Vec<char> = text.to_lowercase().chars().collect();
            is_like(&self.0, &text)
        };
        columns
            .iter()
            .any(|column| texts(&item[*column]).any(is_found))
    }
}

/// Takes time proportional to the product of both lengths at most.
fn is_like(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some('%') => {
                retry = Some((at, from));
                at += 1;
            }
            Some(&c) if c == '_' || c == text[from] => {
                at += 1;
                from += 1;
            }
            _ => match retry {
                Some((star, start)) => {
                    retry = Some((star, start + 1));
                    at = star + 1;
                    from = start + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|&c| c == '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(search: &str, text: &str) -> bool {
        Search::new(search).finds(&json!({ "name": text }), &["name"])
    }

    #[test]
    fn a_search_takes_words_in_order_and_wildcards() {
        assert!(finds("foo", "a FOO b") && finds("a b", "xaxxbx") && finds("  ", "x"));
        assert!(!finds("b a", "ab") && finds("a_c", "xabcx") && !finds("a_c", "ac"));
        assert!(finds("50%", "500") && finds("", ""));
        assert!(!Search::new("").finds(&json!({"name": null}), &["name"]));
    }
}
