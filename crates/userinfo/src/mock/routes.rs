//! Finds the route for a request in the generated tables.

use http::{Method, Uri};
use percent_encoding::{
    AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode,
};
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::route::Found;
use vouchsafe_core::transport::{Request, Response};

use super::state::State;
use super::{answer, gafaelfawr, repertoire};
use crate::generated::{gafaelfawr as auth, repertoire as discovery};

/// An operation of one of the two services.
#[derive(Clone, Copy, Debug)]
enum Op {
    Gafaelfawr(auth::routes::Op),
    Repertoire(discovery::routes::Op),
}

/// Answers a request.
pub(super) fn answer(state: &mut State, request: &Request, now: i64) -> Response {
    let path = path(&request.uri);
    let table = Table::of(state, &path);
    let (op, params) = match table.find(&request.method, table.path()) {
        Found::Route { op, params, .. } => (op, params),
        // The server's framework names only the method of the first route with that path.
        Found::WrongMethod { allow } => return answer::wrong_method(allow.first()),
        Found::TrailingSlash => return answer::redirect(&without_slash(&request.uri, &path)),
        Found::Nothing if table.has_slashes_too_many() => {
            return answer::redirect(&without_slash(&request.uri, &path));
        }
        Found::Nothing => return answer::not_found(),
    };
    let (result, op) = match op {
        Op::Gafaelfawr(op) => {
            let result = gafaelfawr::answer(state, op, request, &params, now);
            (result, Some(op))
        }
        Op::Repertoire(op) => {
            let result = repertoire::answer(state, op, request, &params, now);
            (result, None)
        }
    };
    result.unwrap_or_else(|refusal| {
        let challenge = gafaelfawr::challenge(&state.hostname, op, request);
        answer::refuse(&refusal, challenge)
    })
}

/// Returns the path as the server's framework sees it: decoded as a whole, so that an encoded slash
/// is a slash. It is encoded again for [`find`], which decodes each segment.
fn path(uri: &Uri) -> String {
    let decoded = percent_decode_str(uri.path()).decode_utf8_lossy();
    let parts: Vec<_> = decoded
        .split('/')
        .map(|part| utf8_percent_encode(part, PERCENT).to_string())
        .collect();
    parts.join("/")
}

/// Returns the id of the operation of a request.
pub(super) fn operation(state: &State, method: &Method, uri: &Uri) -> Option<&'static str> {
    let path = path(uri);
    let table = Table::of(state, &path);
    match table.find(method, table.path()) {
        Found::Route { operation, .. } => Some(operation.id()),
        _ => None,
    }
}

/// Returns the operations of both services.
pub(super) fn operations() -> Vec<&'static Operation> {
    [auth::operations::ALL, discovery::operations::ALL].concat()
}

/// The routes of the service that a path belongs to, and the path relative to that service.
enum Table<'p> {
    Gafaelfawr(&'p str),
    Repertoire(&'p str),
}

impl<'p> Table<'p> {
    fn of(state: &State, path: &'p str) -> Self {
        match path.strip_prefix(state.repertoire.prefix.as_str()) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Self::Repertoire(rest),
            _ => Self::Gafaelfawr(path),
        }
    }

    fn find(&self, method: &Method, path: &str) -> Found<Op> {
        match self {
            Self::Gafaelfawr(_) => auth::routes::find(method, path).map(Op::Gafaelfawr),
            Self::Repertoire(_) => discovery::routes::find(method, path).map(Op::Repertoire),
        }
    }

    fn path(&self) -> &'p str {
        match self {
            Self::Gafaelfawr(path) | Self::Repertoire(path) => path,
        }
    }

    /// Returns whether a route exists except for several trailing slashes.
    fn has_slashes_too_many(&self) -> bool {
        let short = self.path().trim_end_matches('/');
        let is_there = || !matches!(self.find(&Method::GET, short), Found::Nothing);
        self.path().ends_with("//") && is_there()
    }
}

/// Returns the same URL without the trailing slash.
fn without_slash(uri: &Uri, path: &str) -> String {
    let base = match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
        _ => String::new(),
    };
    let path = percent_decode_str(path.trim_end_matches('/')).decode_utf8_lossy();
    let path = utf8_percent_encode(&path, UNSAFE);
    let query = uri.query().map(|query| format!("?{query}"));
    format!("{base}{path}{}", query.unwrap_or_default())
}

/// Characters to encode so that decoding restores the text.
const PERCENT: &AsciiSet = &CONTROLS.add(b'%');

/// Characters that the server's framework encodes in a URL.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~')
    .remove(b':')
    .remove(b'/')
    .remove(b'%')
    .remove(b'#')
    .remove(b'?')
    .remove(b'=')
    .remove(b'@')
    .remove(b'[')
    .remove(b']')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';');
