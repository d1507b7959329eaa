//! From a request to the operation that it asks for, by the generated tables.

use http::Method;
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::route::{Found, Route, find};

use crate::generated::{tirole, tvm_api, tvmtool};

/// An operation of one of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    TvmApi(tvm_api::routes::Op),
    Tirole(tirole::routes::Op),
    Tool(tvmtool::routes::Op),
}

/// Why there is no operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Path,
    /// Those that the path has.
    Method(Vec<Method>),
}

/// Finds an operation and its id. The services have no path in common.
pub(super) fn of(method: &Method, path: &str) -> Result<(Op, &'static str), Missing> {
    let all = [
        in_table(tvm_api::routes::ROUTES, method, path, |index| {
            tvm_api::routes::OPS.get(index).copied().map(Op::TvmApi)
        }),
        in_table(tirole::routes::ROUTES, method, path, |index| {
            tirole::routes::OPS.get(index).copied().map(Op::Tirole)
        }),
        in_table(tvmtool::routes::ROUTES, method, path, |index| {
            tvmtool::routes::OPS.get(index).copied().map(Op::Tool)
        }),
    ];
    let mut missing = Missing::Path;
    for found in all {
        match found {
            Ok(found) => return Ok(found),
            Err(other @ Missing::Method(_)) => missing = other,
            Err(Missing::Path) => {}
        }
    }
    Err(missing)
}

/// Returns the operations of all three.
pub(super) fn operations() -> Vec<&'static Operation> {
    let tables = [
        tvm_api::routes::ROUTES,
        tirole::routes::ROUTES,
        tvmtool::routes::ROUTES,
    ];
    let routes = tables.into_iter().flatten();
    routes.map(|route| route.operation).collect()
}

fn in_table(
    routes: &'static [Route],
    method: &Method,
    path: &str,
    op: impl Fn(usize) -> Option<Op>,
) -> Result<(Op, &'static str), Missing> {
    match find(routes, method, path) {
        Found::Route { index, route, .. } => op(index)
            .map(|op| (op, route.operation.id()))
            .ok_or(Missing::Path),
        Found::WrongMethod { allow } => Err(Missing::Method(allow)),
        Found::TrailingSlash | Found::Nothing => Err(Missing::Path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_path_and_no_other() {
        let tables = [
            tvm_api::routes::ROUTES,
            tirole::routes::ROUTES,
            tvmtool::routes::ROUTES,
        ];
        let mut ids = Vec::new();
        for route in tables.into_iter().flatten() {
            let (_, id) = of(route.operation.method(), route.path).unwrap();
            assert_eq!(id, route.operation.id());
            assert!(!ids.contains(&id), "{id}");
            ids.push(id);
            let others = vec![route.operation.method().clone()];
            assert_eq!(
                of(&Method::DELETE, route.path),
                Err(Missing::Method(others))
            );
        }
        let nowhere = of(&Method::GET, "/tvm/keys/");
        assert_eq!(nowhere, Err(Missing::Path));
    }
}
