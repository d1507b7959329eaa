//! The built-in state: a shop, a cart that may call it, a crawler that may not, and the service
//! `me` of the guides.

use super::Server;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::TvmId;

impl Server {
    /// The service of the sample that others call.
    pub const SHOP: TvmId = TvmId::new(42);
    /// A service of the sample that has the role [`READER`](Self::READER).
    pub const CART: TvmId = TvmId::new(43);
    /// A service of the sample without roles.
    pub const CRAWLER: TvmId = TvmId::new(44);
    /// The service of the sample that the guides call `me`.
    pub const ME: TvmId = TvmId::new(45);
    /// A destination of the sample without a secret.
    pub const NOTES: TvmId = TvmId::new(100_500);
    /// The slug of the sample's role system.
    pub const SLUG: &str = "shop";
    /// The role of the sample's role system.
    pub const READER: &str = "/role/reader/";

    /// Starts a server with a small state, which `vouchsafe serve` uses too: the services `shop`,
    /// `cart`, `crawler` and `me` with destinations among each other, the environment
    /// [`ProdYateam`](BlackboxEnv::ProdYateam), a role system in which [`CART`](Self::CART) and
    /// user 2001 are readers, and tickets that are valid for 30 days. Secrets and keys are random
    /// for each server.
    #[must_use]
    pub fn sample() -> Self {
        let server = Self::new();
        for (id, alias) in [
            (Self::SHOP, "shop"),
            (Self::CART, "cart"),
            (Self::CRAWLER, "crawler"),
            (Self::ME, "me"),
        ] {
            server.add_service(id, alias);
        }
        server.add_tool_destination(Self::CART, "shop", Self::SHOP);
        server.add_tool_destination(Self::CART, "me", Self::ME);
        server.add_tool_destination(Self::CRAWLER, "me", Self::ME);
        server.add_tool_destination(Self::ME, "notes", Self::NOTES);
        server.set_slug(Self::SHOP, Some(Self::SLUG));
        server.set_slug(Self::ME, Some(Self::SLUG));
        server.set_env(BlackboxEnv::ProdYateam);
        server.set_roles(Self::SLUG, ROLES);
        server.set_gzip_roles(true);
        server.set_ticket_lifetime(30 * 24 * 60 * 60);
        server.keep_as_start();
        server
    }
}

const ROLES: &str = r#"{"revision":"1","born_date":1700000000,
    "tvm":{"43":{"/role/reader/":[{"shelf":"books"}]}},"user":{"2001":{"/role/reader/":[{}]}}}"#;
