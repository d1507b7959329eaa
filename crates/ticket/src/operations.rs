//! The operations of tvm-api, tirole and tvmtool.

use http::Method;
use vouchsafe_core::call::{Operation, Repeat};

const MIB: usize = 1 << 20;

pub(crate) static KEYS: Operation = get("tvm-api.getKeys", "/2/keys");
pub(crate) static TICKETS: Operation =
    Operation::new("tvm-api.getTickets", Method::POST, "/2/ticket")
        .repeat(Repeat::Safe)
        .response_limit(4 * MIB);
pub(crate) static ROLES: Operation = get("tirole.getActualRoles", "/v1/get_actual_roles")
    .response_limit(ROLES_LIMIT)
    .answers(&[304]);
pub(crate) static TOOL_PING: Operation = get("tvmtool.ping", "/tvm/ping");
pub(crate) static TOOL_META: Operation = get("tvmtool.getMeta", "/tvm/private_api/__meta__");
pub(crate) static TOOL_KEYS: Operation = get("tvmtool.getKeys", "/tvm/keys");
pub(crate) static TOOL_TICKETS: Operation =
    get("tvmtool.getTickets", "/tvm/tickets").response_limit(4 * MIB);
pub(crate) static TOOL_ROLES: Operation = get("tvmtool.getRoles", "/v2/roles")
    .response_limit(ROLES_LIMIT)
    .answers(&[304]);

/// Also the limit of what they unpack to.
pub(crate) const ROLES_LIMIT: usize = 64 * MIB;

/// What only other clients of tvmtool use.
#[cfg(feature = "mock")]
pub(crate) mod emulated {
    use super::{Operation, get};

    pub(crate) static TOOL_CHECK_SERVICE: Operation = get("tvmtool.checkService", "/tvm/checksrv");
    pub(crate) static TOOL_CHECK_USER: Operation = get("tvmtool.checkUser", "/tvm/checkusr");
    pub(crate) static TOOL_TICKETS_2: Operation = get("tvmtool.getTicketsV2", "/v2/tickets");
    pub(crate) static TOOL_CHECK_2: Operation = get("tvmtool.checkV2", "/v2/check");
}

const fn get(id: &'static str, path: &'static str) -> Operation {
    Operation::new(id, Method::GET, path).repeat(Repeat::Safe)
}
