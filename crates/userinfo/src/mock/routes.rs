//! From a request to the route that answers it, by the generated tables.

use http::{Method, Uri};
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::route::{Found, find};
use vouchsafe_core::transport::{Request, Response};

use super::refusal::Refusal;
use super::state::State;
use super::{answer, gafaelfawr, repertoire};
use crate::generated;

/// An operation of one of the two services.
#[derive(Clone, Copy, Debug)]
enum Op {
    Gafaelfawr(generated::gafaelfawr::routes::Op),
    Repertoire(generated::repertoire::routes::Op),
}

/// Answers a request. Whether it was one that the protocol notes do not cover is told too.
pub(super) fn answer(
    state: &mut State,
    request: &Request,
    now: i64,
) -> (Response, Option<&'static str>) {
    let table = Table::of(state, request.uri.path());
    let (op, params) = match find(table.routes(), &request.method, table.path()) {
        Found::Route { index, params, .. } => match table.op(index) {
            Some(op) => (op, params),
            None => return (answer::not_found(), None),
        },
        // The server's framework tells the method of the first route of that path only.
        Found::WrongMethod { allow } => return (answer::wrong_method(allow.first()), None),
        Found::TrailingSlash => return (answer::redirect(&without_slash(&request.uri)), None),
        Found::Nothing if table.has_slashes_too_many() => {
            return (answer::redirect(&without_slash(&request.uri)), None);
        }
        Found::Nothing => return (answer::not_found(), None),
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
    result.map_or_else(
        |refusal| {
            let challenge = gafaelfawr::challenge(&state.hostname, op, request);
            let uncovered = match refusal {
                Refusal::NotInProtocol(what) => Some(what),
                _ => None,
            };
            (answer::refuse(&refusal, challenge), uncovered)
        },
        |response| (response, None),
    )
}

/// Returns the id of the operation that a request is for.
pub(super) fn operation(state: &State, method: &Method, uri: &Uri) -> Option<&'static str> {
    let table = Table::of(state, uri.path());
    match find(table.routes(), method, table.path()) {
        Found::Route { route, .. } => Some(route.operation.id()),
        _ => None,
    }
}

/// Returns the operations of both services.
pub(super) fn operations() -> Vec<&'static Operation> {
    let tables = [
        generated::gafaelfawr::routes::ROUTES,
        generated::repertoire::routes::ROUTES,
    ];
    let routes = tables.into_iter().flatten();
    routes.map(|route| route.operation).collect()
}

/// The routes of the service that a path belongs to, and the path as that service knows it.
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

    fn routes(&self) -> &'static [vouchsafe_core::mock::route::Route] {
        match self {
            Self::Gafaelfawr(_) => generated::gafaelfawr::routes::ROUTES,
            Self::Repertoire(_) => generated::repertoire::routes::ROUTES,
        }
    }

    fn path(&self) -> &'p str {
        match self {
            Self::Gafaelfawr(path) | Self::Repertoire(path) => path,
        }
    }

    /// Whether there is a route but for several slashes at the end.
    fn has_slashes_too_many(&self) -> bool {
        let short = self.path().trim_end_matches('/');
        let is_there = || !matches!(find(self.routes(), &Method::GET, short), Found::Nothing);
        self.path().ends_with("//") && is_there()
    }

    fn op(&self, index: usize) -> Option<Op> {
        match self {
            Self::Gafaelfawr(_) => {
                let ops = generated::gafaelfawr::routes::OPS;
                ops.get(index).copied().map(Op::Gafaelfawr)
            }
            Self::Repertoire(_) => {
                let ops = generated::repertoire::routes::OPS;
                ops.get(index).copied().map(Op::Repertoire)
            }
        }
    }
}

/// Returns the URL of the same path without the slash at its end.
fn without_slash(uri: &Uri) -> String {
    let base = match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
        _ => String::new(),
    };
    let path = uri.path().trim_end_matches('/');
    let query = uri.query().map(|query| format!("?{query}"));
    format!("{base}{path}{}", query.unwrap_or_default())
}
