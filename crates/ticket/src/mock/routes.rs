//! Finds the operation of a request in the generated tables.

use http::Method;
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::route::Found;

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
    /// The methods of the path.
    Method(Vec<Method>),
}

/// Finds an operation and its id. The services have no paths in common.
pub(super) fn of(method: &Method, path: &str) -> Result<(Op, &'static str), Missing> {
    let all = [
        tvm_api::routes::find(method, path).map(Op::TvmApi),
        tirole::routes::find(method, path).map(Op::Tirole),
        tvmtool::routes::find(method, path).map(Op::Tool),
    ];
    let mut missing = Missing::Path;
    for found in all {
        match found {
            Found::Route { op, operation, .. } => return Ok((op, operation.id())),
            Found::WrongMethod { allow } => missing = Missing::Method(allow),
            Found::TrailingSlash | Found::Nothing => {}
        }
    }
    Err(missing)
}

/// Returns the operations of all three services.
pub(super) fn operations() -> Vec<&'static Operation> {
    [
        tvm_api::operations::ALL,
        tirole::operations::ALL,
        tvmtool::operations::ALL,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_path_and_no_other() {
        let tvm_api = tvm_api::routes::ROUTES.iter();
        let tirole = tirole::routes::ROUTES.iter();
        let tool = tvmtool::routes::ROUTES.iter();
        let all = tvm_api
            .map(|route| (route.operation, route.path))
            .chain(tirole.map(|route| (route.operation, route.path)))
            .chain(tool.map(|route| (route.operation, route.path)));
        let mut ids = Vec::new();
        for (operation, path) in all {
            let (_, id) = of(operation.method(), path).unwrap();
            assert_eq!(id, operation.id());
            assert!(!ids.contains(&id), "{id}");
            ids.push(id);
            let others = vec![operation.method().clone()];
            assert_eq!(of(&Method::DELETE, path), Err(Missing::Method(others)));
        }
        let nowhere = of(&Method::GET, "/tvm/keys/");
        assert_eq!(nowhere, Err(Missing::Path));
    }
}
