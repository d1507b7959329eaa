//! The endpoints of the authorization server (protocol section 2). Those that the protocol does not
//! name have the paths of PingFederate, like the authorization endpoint.

use http::Method;
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::route::{self, Found, Route};

use crate::credentials::{REDEEM, REQUEST_TOKEN, REVOKE_TOKEN};

/// The endpoint of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Shows the authorization page.
    Authorize,
    /// Takes what the user decided.
    Decide,
    Token,
    Revoke,
    AuthorizeDevice,
    /// Shows the page on which a user enters the code of a device.
    VerifyDevice,
    /// Takes what the user decided.
    DecideDevice,
    Redeem,
    Metadata,
}

/// Finds the endpoint of a request.
pub(super) fn find(method: &Method, path: &str) -> Found<Endpoint> {
    route::find(ROUTES, method, path)
}

/// Returns the operations of the endpoints.
pub(super) fn operations() -> impl Iterator<Item = &'static Operation> {
    // Both paths of the metadata are one operation.
    let of_routes = ROUTES.iter().map(|route| route.operation);
    of_routes.filter(|operation| operation.path() != OPENID_METADATA)
}

pub(super) const AUTHORIZE: &str = "/as/authorization.oauth2";
pub(super) const DEVICE: &str = "/as/device_authz.oauth2";
pub(super) const VERIFY_DEVICE: &str = "/as/user_authz.oauth2";
pub(super) const METADATA: &str = "/.well-known/oauth-authorization-server";
const OPENID_METADATA: &str = "/.well-known/openid-configuration";

const fn open(id: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::new(id, method, path).open()
}

static GET_AUTHORIZE: Operation = open("oauth.authorize", Method::GET, AUTHORIZE);
static POST_AUTHORIZE: Operation = open("oauth.decide", Method::POST, AUTHORIZE);
static AUTHORIZE_DEVICE: Operation = open("oauth.authorizeDevice", Method::POST, DEVICE);
static GET_VERIFY: Operation = open("oauth.verifyDevice", Method::GET, VERIFY_DEVICE);
static POST_VERIFY: Operation = open("oauth.decideDevice", Method::POST, VERIFY_DEVICE);
static GET_METADATA: Operation = open("oauth.metadata", Method::GET, METADATA);
static GET_OPENID_METADATA: Operation =
    open("oauth.getOpenidMetadata", Method::GET, OPENID_METADATA);

static ROUTES: &[Route<Endpoint>] = &[
    at(Endpoint::Authorize, &GET_AUTHORIZE),
    at(Endpoint::Decide, &POST_AUTHORIZE),
    at(Endpoint::Token, &REQUEST_TOKEN),
    at(Endpoint::Revoke, &REVOKE_TOKEN),
    at(Endpoint::AuthorizeDevice, &AUTHORIZE_DEVICE),
    at(Endpoint::VerifyDevice, &GET_VERIFY),
    at(Endpoint::DecideDevice, &POST_VERIFY),
    at(Endpoint::Redeem, &REDEEM),
    at(Endpoint::Metadata, &GET_METADATA),
    at(Endpoint::Metadata, &GET_OPENID_METADATA),
];

const fn at(op: Endpoint, operation: &'static Operation) -> Route<Endpoint> {
    Route {
        op,
        operation,
        path: operation.path(),
    }
}
