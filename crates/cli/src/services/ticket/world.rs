//! The built-in world of the ticket servers.

use vouchsafe::ticket::mock::Server;
use vouchsafe::ticket::{BlackboxEnv, ServiceSecret, TvmId};

/// A shop, a cart that calls it, and a crawler that may not.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) secret: ServiceSecret,
}

pub(super) const SHOP: TvmId = TvmId::new(42);
pub(super) const CART: TvmId = TvmId::new(43);
pub(super) const CRAWLER: TvmId = TvmId::new(44);
pub(super) const SLUG: &str = "shop";
pub(super) const READER: &str = "/role/reader/";
pub(super) const ROLES: &str = r#"{"revision":"1","born_date":1700000000,
    "tvm":{"43":{"/role/reader/":[{"shelf":"books"}]}},"user":{"2001":{"/role/reader/":[{}]}}}"#;

pub(super) const HOUR: i64 = 60 * 60;
pub(super) const DAY: i64 = 24 * HOUR;

impl World {
    pub(super) fn new() -> Self {
        let server = Server::new();
        let secret = server.add_service(SHOP, "shop");
        server.add_service(CART, "cart");
        server.add_tool_destination(CART, "shop", SHOP);
        server.add_service(CRAWLER, "crawler");
        server.set_env(BlackboxEnv::ProdYateam);
        server.set_roles(SLUG, ROLES);
        server.set_gzip_roles(true);
        // So that only keys and ages decide in the demo.
        server.set_ticket_lifetime(30 * DAY);
        Self { server, secret }
    }
}
