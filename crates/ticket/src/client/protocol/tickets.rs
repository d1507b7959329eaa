//! Parses answers with service tickets from tvm-api and tvmtool (protocol sections 11.2 and 15.2).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use vouchsafe_core::Secret;

use crate::engine::ids::TvmId;
use crate::error::{Error, ErrorKind};

/// The result for each requested destination.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "the two things that may come")]
pub struct Fetched {
    /// The tickets.
    pub tickets: BTreeMap<TvmId, Secret>,
    /// The reasons for missing tickets.
    pub errors: BTreeMap<TvmId, String>,
}

impl Fetched {
    /// Adds the results of another answer.
    pub fn merge(&mut self, other: Self) {
        self.tickets.extend(other.tickets);
        self.errors.extend(other.errors);
    }
}

/// Parses an answer of tvm-api: an object by destination, or a list of such objects, as in the disk
/// cache.
///
/// # Errors
///
/// Of kind `Core(Decode)` if it is not JSON of that form. The error does not show the answer,
/// which may hold tickets.
pub fn parse_tvm_api(response: &str, wanted: &[TvmId]) -> Result<Fetched, Error> {
    let entries = Entries::parse(response).ok_or_else(|| invalid("tvm-api"))?;
    let mut fetched = Fetched::default();
    for &id in wanted {
        let key = id.to_string();
        let found: Vec<&Value> = entries.0.iter().filter_map(|all| all.get(&key)).collect();
        // A destination that was refused at first and requested again is in the disk cache twice.
        let ticket = found.iter().find(|entry| entry["ticket"].is_string());
        match Entry::read(ticket.or(found.first()).copied()) {
            Entry::Ticket(ticket) => {
                fetched.tickets.insert(id, ticket);
            }
            Entry::Error(error) => {
                fetched.errors.insert(id, error);
            }
            Entry::Nothing => {
                fetched.errors.insert(id, missing(id));
            }
        }
    }
    Ok(fetched)
}

/// Parses all tickets of such an answer, for any destination. Entries whose key is not a number are
/// ignored.
///
/// # Errors
///
/// Those of [`parse_tvm_api`].
pub fn parse_all(response: &str) -> Result<BTreeMap<TvmId, Secret>, Error> {
    let entries = Entries::parse(response).ok_or_else(|| invalid("tvm-api"))?;
    let mut tickets = BTreeMap::new();
    for (key, entry) in entries.0.iter().flatten() {
        if let (Ok(id), Entry::Ticket(ticket)) = (key.parse(), Entry::read(Some(entry))) {
            tickets.entry(id).or_insert(ticket);
        }
    }
    Ok(tickets)
}

/// Parses an answer of tvmtool: an object by name, of which only the inner `tvm_id` counts.
///
/// # Errors
///
/// Of kind `Core(Decode)` if it is not JSON of that form. The error does not show the answer.
pub fn parse_tool(
    response: &str,
    destinations: &BTreeMap<String, TvmId>,
) -> Result<Fetched, Error> {
    let object: serde_json::Map<String, Value> =
        serde_json::from_str(response).map_err(|_| invalid("tvmtool"))?;
    let wanted: BTreeSet<TvmId> = destinations.values().copied().collect();
    let mut fetched = Fetched::default();
    for entry in object.values() {
        let id = entry.get("tvm_id").and_then(Value::as_u64);
        let Some(id) = id.and_then(|id| u32::try_from(id).ok()).map(TvmId::new) else {
            continue;
        };
        if !wanted.contains(&id) {
            continue;
        }
        match Entry::read(Some(entry)) {
            Entry::Ticket(ticket) => {
                fetched.tickets.insert(id, ticket);
            }
            Entry::Error(error) => {
                fetched.errors.insert(id, error);
            }
            Entry::Nothing => {}
        }
    }
    fetched
        .errors
        .retain(|id, _| !fetched.tickets.contains_key(id));
    for (alias, &id) in destinations {
        if !fetched.tickets.contains_key(&id) {
            fetched.errors.entry(id).or_insert_with(|| missing(alias));
        }
    }
    Ok(fetched)
}

/// The objects of an answer.
struct Entries(Vec<serde_json::Map<String, Value>>);

impl Entries {
    fn parse(response: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            One(serde_json::Map<String, Value>),
            Many(Vec<serde_json::Map<String, Value>>),
        }
        match serde_json::from_str(response).ok()? {
            OneOrMany::One(object) => Some(Self(vec![object])),
            OneOrMany::Many(objects) => Some(Self(objects)),
        }
    }
}

enum Entry {
    Ticket(Secret),
    Error(String),
    Nothing,
}

impl Entry {
    fn read(entry: Option<&Value>) -> Self {
        let text = |key| entry?.get(key)?.as_str();
        if let Some(ticket) = text("ticket") {
            // The ticket is sent in a header. One that is not valid there would make all requests
            // to the destination fail until the next refresh or, from the disk cache, even after
            // that.
            if !ticket.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                return Self::Error("the ticket holds characters that no header can".to_owned());
            }
            return Self::Ticket(Secret::from(ticket));
        }
        text("error").map_or(Self::Nothing, |error| Self::Error(error.to_owned()))
    }
}

/// The spelling is the original's, since monitoring may search for it.
fn missing(destination: impl std::fmt::Display) -> String {
    format!("Missing tvm_id in response, should never happend: {destination}")
}

fn invalid(whose: &str) -> Error {
    let decode = ErrorKind::Core(vouchsafe_core::ErrorKind::Decode);
    Error::new(decode, format!("Invalid json from {whose}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u32]) -> Vec<TvmId> {
        numbers.iter().copied().map(TvmId::new).collect()
    }

    #[test]
    fn each_destination_gets_its_ticket_or_a_reason() {
        let answer = r#"[{"1":{"ticket":"t1"}},{"2":{"error":"no"},"x":{"ticket":"t"}}]"#;
        let fetched = parse_tvm_api(answer, &ids(&[1, 2, 3])).unwrap();
        assert_eq!(fetched.tickets[&TvmId::new(1)].expose(), "t1");
        assert_eq!(fetched.errors[&TvmId::new(2)], "no");
        assert!(fetched.errors[&TvmId::new(3)].ends_with("happend: 3"));
    }

    #[test]
    fn a_ticket_that_fits_no_header_is_an_error_of_its_destination() {
        let answer = r#"{"1":{"ticket":"a\r\nX: y"},"2":{"ticket":"t2"}}"#;
        let ids = [TvmId::new(1), TvmId::new(2)];
        let fetched = parse_tvm_api(answer, &ids).unwrap();
        assert!(fetched.errors[&ids[0]].contains("no header"));
        assert_eq!(fetched.tickets[&ids[1]].expose(), "t2");
        assert_eq!(parse_all(answer).unwrap().len(), 1);
        let answer = r#"{"a":{"ticket":"t\u0000","tvm_id":1}}"#;
        let tool = parse_tool(answer, &BTreeMap::from([("a".to_owned(), ids[0])])).unwrap();
        assert!(tool.tickets.is_empty() && tool.errors.contains_key(&ids[0]));
    }

    #[test]
    fn a_ticket_that_came_after_a_refusal_counts() {
        let answer = r#"[{"1":{"error":"no"}},{"1":{"ticket":"t1"}},{"1":{"ticket":"t2"}}]"#;
        let fetched = parse_tvm_api(answer, &ids(&[1])).unwrap();
        assert_eq!(fetched.tickets[&TvmId::new(1)].expose(), "t1");
        assert!(fetched.errors.is_empty());
    }

    #[test]
    fn all_tickets_by_number_are_found() {
        let answer = r#"[{"1":{"ticket":"t1"}},{"2":{"error":"no"},"x":{"ticket":"t"}}]"#;
        let all = parse_all(answer).unwrap();
        assert_eq!(all.keys().copied().collect::<Vec<_>>(), ids(&[1]));
    }

    #[test]
    fn a_malformed_answer_is_not_shown() {
        for bad in ["", "[", "1", r#"["planted"]"#, r#"{"planted"}"#] {
            let error = parse_tvm_api(bad, &[]).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
            assert!(parse_tool(bad, &BTreeMap::new()).is_err(), "{bad}");
        }
    }

    #[test]
    fn of_two_names_for_one_destination_a_ticket_wins() {
        let destinations = BTreeMap::from(
            [("a", 5), ("b", 5)].map(|(name, id)| (name.to_owned(), TvmId::new(id))),
        );
        let answer = r#"{"a":{"error":"no","tvm_id":5},"b":{"ticket":"t","tvm_id":5}}"#;
        let fetched = parse_tool(answer, &destinations).unwrap();
        assert_eq!(fetched.tickets.len(), 1);
        assert!(fetched.errors.is_empty());
    }
}
