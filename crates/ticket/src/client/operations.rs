//! The operations that the client uses.

use http::Method;
use vouchsafe_core::call::{Operation, Repeat};

const MIB: usize = 1 << 20;

pub(crate) static KEYS: Operation = read("tvm-api.getKeys", Method::GET, "/2/keys");
pub(crate) static TICKETS: Operation =
    read("tvm-api.getTickets", Method::POST, "/2/ticket").response_limit(4 * MIB);
pub(crate) static ROLES: Operation =
    read("tirole.getActualRoles", Method::GET, "/v1/get_actual_roles")
        .response_limit(ROLES_LIMIT)
        .answers(&[304]);
pub(crate) static TOOL_PING: Operation = read("tvmtool.ping", Method::GET, "/tvm/ping");
pub(crate) static TOOL_META: Operation =
    read("tvmtool.getMeta", Method::GET, "/tvm/private_api/__meta__");
pub(crate) static TOOL_KEYS: Operation = read("tvmtool.getKeys", Method::GET, "/tvm/keys");
pub(crate) static TOOL_TICKETS: Operation =
    read("tvmtool.getTickets", Method::GET, "/tvm/tickets").response_limit(4 * MIB);
pub(crate) static TOOL_ROLES: Operation = read("tvmtool.getRoles", Method::GET, "/v2/roles")
    .response_limit(ROLES_LIMIT)
    .answers(&[304]);

/// Also the limit of what they unpack to.
pub(crate) const ROLES_LIMIT: usize = 64 * MIB;

const fn read(id: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::new(id, method, path).repeat(Repeat::Safe)
}
