//! The requests that an emulator received, in order. Credentials are kept only as a short digest.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::call::Operation;
use crate::sync::lock;
use crate::text::hex;
use crate::transport::Request;

/// The requests that a host received. Clones share it.
///
/// The last 10,000 requests are kept in full; the counts include all of them.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Log>>);

/// A request and the status of its answer.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The position in the journal, from 1; `clear` does not restart the count.
    pub number: u64,
    /// The operation's id; `None` if the service has no such route.
    pub operation: Option<&'static str>,
    /// The method.
    pub method: String,
    /// The path as received, without the query. Parameters that are secrets are replaced by their
    /// [`digest`].
    pub path: String,
    /// The status of the answer; `None` until there is one, or if none is sent.
    pub status: Option<u16>,
    /// The [`digest`] of the credential, if there was one.
    pub credential: Option<String>,
    /// The request's `X-Request-Id`.
    pub request_id: Option<String>,
    /// The fault that was applied to the exchange.
    pub fault: Option<&'static str>,
}

impl Journal {
    /// Returns the received requests, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.log().entries.iter().cloned().collect()
    }

    /// Returns how many requests of an operation were received.
    #[must_use]
    pub fn count(&self, operation: &str) -> u64 {
        self.log()
            .counts
            .get(operation)
            .copied()
            .unwrap_or_default()
    }

    /// Returns the last request of an operation.
    #[must_use]
    pub fn last(&self, operation: &str) -> Option<Entry> {
        let log = self.log();
        let mut newest_first = log.entries.iter().rev();
        newest_first
            .find(|entry| entry.operation == Some(operation))
            .cloned()
    }

    /// Returns how many requests were received.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.log().total
    }

    /// Returns whether no requests were received.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all requests and surprises.
    pub fn clear(&self) {
        let mut log = self.log();
        let next = log.next;
        *log = Log {
            next,
            ..Log::default()
        };
    }

    /// Records a request that a correct client would not have sent to the real service.
    ///
    /// For emulators: the host itself records routes that do not exist.
    pub fn surprise(&self, what: impl Into<String>) {
        let mut log = self.log();
        if log.surprises.len() < MAX_SURPRISES {
            log.surprises.push(what.into());
        }
    }

    /// Returns the recorded surprises, at most the first hundred.
    #[must_use]
    pub fn surprises(&self) -> Vec<String> {
        self.log().surprises.clone()
    }

    /// Asserts that the service received no unexpected request.
    ///
    /// # Panics
    ///
    /// If there was a surprise; the message lists them.
    #[track_caller]
    pub fn assert_no_surprises(&self) {
        let surprises = self.surprises();
        assert!(surprises.is_empty(), "surprises: {surprises:#?}");
    }

    /// Records a received request and returns its number.
    pub(super) fn arrived(&self, arrival: Arrival<'_>) -> u64 {
        let Arrival {
            operation,
            request,
            path,
            credential,
            fault,
        } = arrival;
        if operation.is_none() {
            self.surprise(format!("no such route: {} {path}", request.method));
        }
        let id = request.headers.get("x-request-id");
        let mut log = self.log();
        log.next += 1;
        log.total += 1;
        if let Some(operation) = operation {
            *log.counts.entry(operation).or_default() += 1;
        }
        if log.entries.len() == MAX_ENTRIES {
            log.entries.pop_front();
        }
        let number = log.next;
        log.entries.push_back(Entry {
            number,
            operation,
            method: request.method.to_string(),
            path,
            status: None,
            credential: credential.map(|credential| digest(&credential)),
            request_id: id.map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned()),
            fault,
        });
        number
    }

    /// Records the status of the answer to a request.
    pub(super) fn answered(&self, number: u64, status: StatusCode) {
        let mut log = self.log();
        let mut newest_first = log.entries.iter_mut().rev();
        if let Some(entry) = newest_first.find(|entry| entry.number == number) {
            entry.status = Some(status.as_u16());
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.0)
    }
}

/// Returns the form in which a journal shows a credential: the start of its SHA-256 digest.
///
/// ```
/// assert_eq!(vouchsafe_core::mock::digest("secret"), "2bb80d537b1da3e3");
/// ```
#[must_use]
pub fn digest(credential: &str) -> String {
    hex(&Sha256::digest(credential.as_bytes())[..8])
}

#[derive(Default)]
struct Log {
    entries: VecDeque<Entry>,
    /// The number of the last request, counted from the start.
    next: u64,
    /// The number of requests since the journal was cleared.
    total: u64,
    counts: BTreeMap<&'static str, u64>,
    surprises: Vec<String>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("total", &self.total)
            .field("surprises", &self.surprises.len())
            .finish_non_exhaustive()
    }
}

/// A request for the journal.
pub(super) struct Arrival<'a> {
    pub(super) operation: Option<&'static str>,
    pub(super) request: &'a Request,
    /// The result of [`shown_path`].
    pub(super) path: String,
    /// The result of [`credential`].
    pub(super) credential: Option<String>,
    pub(super) fault: Option<&'static str>,
}

/// Returns the credential of a request without its scheme, so that its digest is that of the token.
/// `own` lists the credential headers of the service.
pub(super) fn credential(headers: &HeaderMap, own: &[&str]) -> Option<String> {
    let standard = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];
    let standard = standard.iter().find_map(|name| headers.get(name));
    let value = standard.or_else(|| own.iter().find_map(|name| headers.get(*name)))?;
    let text = String::from_utf8_lossy(value.as_bytes());
    let token = text.split_once(' ').map_or(&*text, |(_, token)| token);
    Some(token.to_owned())
}

/// Returns a path in the form that the journal shows. From where an operation with a secret path
/// begins, each segment that is not literal in the template is replaced by a digest.
///
/// This looks at the path rather than at the matched operation, since a wrong method or an extra
/// segment makes the route unknown while the secret is still there.
pub(super) fn shown_path(operations: &[&Operation], path: &str) -> String {
    let decoded: Vec<_> = path
        .split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy())
        .collect();
    let mut shown: Vec<_> = path.split('/').map(str::to_owned).collect();
    for operation in operations.iter().filter(|op| op.has_sensitive_path()) {
        let template: Vec<_> = operation.path().split('/').skip(1).collect();
        let is_param = |part: &&str| part.starts_with('{');
        let literal = template.iter().take_while(|part| !is_param(part)).count();
        let begins = (0..decoded.len()).find(|&at| {
            let here = decoded.iter().skip(at).take(literal);
            here.len() == literal && here.zip(&template).all(|(here, part)| here == part)
        });
        let Some(begins) = begins else {
            continue;
        };
        for at in begins + literal..decoded.len() {
            let (segment, part) = (&decoded[at], template.get(at - begins));
            let is_own = part.is_some_and(|part| !is_param(part) && part == segment);
            if !segment.is_empty() && !is_own {
                shown[at] = digest(segment);
            }
        }
    }
    shown.join("/")
}

const MAX_ENTRIES: usize = 10_000;
const MAX_SURPRISES: usize = 100;

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method, Uri};

    use super::*;

    fn request(path: &'static str) -> Request {
        let mut request = Request::new(Method::GET, Uri::from_static(path));
        let value = HeaderValue::from_static("Bearer planted-token");
        request.headers.insert(AUTHORIZATION, value);
        request
    }

    impl Journal {
        fn took(
            &self,
            operation: Option<&'static str>,
            request: &Request,
            fault: Option<&'static str>,
        ) -> u64 {
            self.arrived(Arrival {
                operation,
                request,
                path: shown_path(&[], request.uri.path()),
                credential: credential(&request.headers, &[]),
                fault,
            })
        }
    }

    #[test]
    fn it_tells_what_came_in_order_and_shows_no_credential() {
        let journal = Journal::default();
        let number = journal.took(Some("t.a"), &request("http://h/a?q=planted-query"), None);
        journal.took(Some("t.b"), &request("http://h/b"), Some("status"));
        journal.answered(number, StatusCode::OK);
        let entries = journal.entries();
        assert_eq!(
            (entries[0].path.as_str(), entries[0].status),
            ("/a", Some(200))
        );
        assert_eq!(
            (entries[1].fault, entries[1].status),
            (Some("status"), None)
        );
        assert_eq!(entries[0].credential, Some(digest("planted-token")));
        assert_eq!(
            (journal.count("t.a"), journal.count("t.c"), journal.len()),
            (1, 0, 2)
        );
        assert_eq!(journal.last("t.a").unwrap().number, number);
        let json = serde_json::to_string(&entries).unwrap();
        assert!(!format!("{journal:?} {entries:?} {json}").contains("planted"));
    }

    #[test]
    fn an_answer_that_comes_after_clearing_is_not_put_on_another_request() {
        let journal = Journal::default();
        let number = journal.took(Some("t.a"), &request("http://h/a"), None);
        journal.clear();
        journal.took(Some("t.b"), &request("http://h/b"), None);
        journal.answered(number, StatusCode::OK);
        assert_eq!(journal.entries()[0].status, None);
        assert_eq!(journal.len(), 1);
    }

    #[test]
    fn it_is_bounded_and_continues_to_count() {
        let journal = Journal::default();
        for _ in 0..MAX_ENTRIES + 5 {
            journal.took(Some("t.a"), &request("http://h/a"), None);
        }
        assert_eq!(journal.entries().len(), MAX_ENTRIES);
        assert_eq!(journal.count("t.a"), MAX_ENTRIES as u64 + 5);
    }

    #[test]
    #[should_panic(expected = "no such route: GET /x")]
    fn an_unknown_route_is_a_surprise() {
        let journal = Journal::default();
        journal.took(None, &request("http://h/x?q"), None);
        journal.assert_no_surprises();
    }

    #[test]
    fn a_secret_in_a_path_is_shown_as_its_digest() {
        static TOKEN: Operation =
            Operation::new("t.token", Method::GET, "/tokens/{id}/rights").sensitive_path();
        static OPEN: Operation = Operation::new("t.open", Method::GET, "/users/{name}");
        let secret = digest("planted");
        for (path, shown) in [
            (
                "/v2/tokens/planted/rights",
                format!("/v2/tokens/{secret}/rights"),
            ),
            ("/tokens/planted", format!("/tokens/{secret}")),
            ("/tokens/planted/", format!("/tokens/{secret}/")),
            ("/v2/toke%6es/plant%65d", format!("/v2/toke%6es/{secret}")),
            (
                "/tokens//planted/planted",
                format!("/tokens//{secret}/{secret}"),
            ),
            ("/v2/tokens", "/v2/tokens".to_owned()),
            ("/users/open", "/users/open".to_owned()),
        ] {
            assert_eq!(shown_path(&[&OPEN, &TOKEN], path), shown, "{path}");
        }
    }

    #[test]
    fn a_service_names_its_own_credential_headers() {
        let mut headers = HeaderMap::new();
        headers.insert("x-own-token", HeaderValue::from_static("planted"));
        assert_eq!(credential(&headers, &[]), None);
        let found = credential(&headers, &["x-own-token"]);
        assert_eq!(found.as_deref(), Some("planted"));
    }
}
