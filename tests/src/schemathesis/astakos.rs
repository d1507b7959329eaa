//! The emulator of Astakos, with the users and components of its sample.

use std::sync::Arc;

use serde_json::{Value, json};
use vouchsafe::astakos::mock::{Server, operations};
use vouchsafe::core::call::Operation;
use vouchsafe::core::mock::Handler;
use vouchsafe::core::transport::Request;

use crate::bound::Bound;

/// The operations that take for granted what their bodies look like, or that sums are small.
const TRUSTING: &[&str] = &[
    "account.createMembership",
    "account.createProject",
    "account.issueCommission",
    "account.membershipAction",
    "account.modifyProject",
    "account.projectAction",
    "account.serviceUserCatalogs",
    "account.setDefaultProject",
    "account.userCatalogs",
    "identity.authenticate",
];

#[derive(Debug)]
pub(super) struct World {
    server: Server,
    known: Value,
}

impl World {
    pub(super) fn new() -> Self {
        let (alice, bob, project) = (Server::alice(), Server::bob(), Server::project());
        let known = json!({
            "security userToken": ["X-Auth-Token: bound-carol", "X-Auth-Token: bound-token"],
            "security serviceToken": ["X-Auth-Token: bound-service"],
            "security client": ["Authorization: Basic YXBwOmFwcC1zZWNyZXQ="],
            "project_id": [project],
            "project": [project],
            "owner": [alice],
            "user": [alice, bob],
            "token_id": ["bound-token", "nobody"],
            "belongsTo": ["bound-token"],
            "code": ["bound-code"],
            "redirect_uri": ["https://app.example.com/back"],
            "holder": [format!("user:{alice}"), format!("project:{project}")],
            "source": [format!("project:{project}")],
            "resource": ["cyclades.vm", "cyclades.cpu"],
            "u": ["alice@example.org"],
        });
        let server = Server::new();
        Self { server, known }
    }
}

impl super::World for World {
    fn descriptions(&self) -> Vec<(&'static str, String)> {
        let base = self.server.base_path();
        let files = [
            "astakos/api/account.openapi.yaml",
            "astakos/api/identity.openapi.yaml",
            "astakos/api/oauth2.openapi.yaml",
            "astakos/api/ui.openapi.yaml",
        ];
        files.map(|file| (file, base.clone())).to_vec()
    }

    fn header(&self) -> &'static str {
        "X-Auth-Token: bound-token"
    }

    /// A path has methods of other generations too, and what asks a browser for its cookie comes
    /// before the method. Credentials are put in by their scheme, also where a check leaves them out.
    fn unchecked(&self) -> &'static [&'static str] {
        &[
            "allow_header_conformance",
            "ignored_auth",
            "unsupported_method",
        ]
    }

    fn known(&self) -> &Value {
        &self.known
    }

    fn begin(&self) -> Result<Bound, String> {
        self.server.reset();
        let mut bound = Bound::default();
        let missing = || "a user or component of the sample is missing".to_owned();
        for (name, user) in [("token", "alice"), ("carol", "carol")] {
            let token = self.server.user_token(&format!("{user}@example.org"));
            bound.set(name, token.ok_or_else(missing)?.expose());
        }
        let service = self.server.service_token("cyclades").ok_or_else(missing)?;
        bound.set("service", service.expose());
        let (address, alice) = ("https://app.example.com/back", Server::alice());
        let code = self.server.authorize("app", "app-secret", address, &alice);
        bound.set("code", code.expose());
        Ok(bound)
    }

    fn is_whole(&self, _: &Bound) -> bool {
        true
    }

    fn handler(&self) -> &Arc<dyn Handler> {
        self.server.host().handler()
    }

    fn operations(&self) -> Vec<&'static str> {
        let names = operations().map(Operation::id);
        names.filter(|name| !name.contains("legacy")).collect()
    }

    /// Uncaught exceptions are answered with 500 (protocol section 5.1).
    fn may_fail(&self, operation: &str, _: &Request) -> bool {
        TRUSTING.contains(&operation)
    }
}
