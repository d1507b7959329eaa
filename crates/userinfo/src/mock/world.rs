//! The world of a server that is given none: a directory with three users, quotas, and tokens
//! for each way to ask.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::directory::{DirectoryGroup, Group, UserData};
use super::seed::Seed;
use super::state::{DirectoryAccess, State};
use super::tokens::{Record, TokenKind};
use crate::{Limits, NotebookQuota, QuotaConfig, TapQuota, Token};

/// Makes the world anew, with random tokens.
pub(super) fn seed() -> Seed {
    let mut state = State {
        access: DirectoryAccess::Up,
        quota: Some(quota()),
        bootstrap: Some(Token::random()),
        ..State::default()
    };
    state.system_groups.insert("admins".to_owned());
    let scopes = [
        "admin:token",
        "admin:userinfo",
        "read:all",
        "read:tap",
        USER_TOKEN,
    ];
    state.known_scopes.extend(scopes.map(str::to_owned));
    state.repertoire.document = document(&state.hostname);
    for (username, name, id) in [
        ("alice", "Alice Example", 1001),
        ("bob", "Bob Example", 1002),
        ("carol", "Carol Example", 1003),
    ] {
        let data = UserData {
            name: Some(name.to_owned()),
            email: Some(format!("{username}@example.com")),
            uid: Some(id),
            gid: Some(id),
            ..UserData::default()
        };
        state.directory.users.insert(username.to_owned(), data);
    }
    for (name, id, members) in [
        ("g_science", 2001, &["alice", "bob"][..]),
        ("g_heavy", 2002, &["alice"]),
        ("admins", 2003, &["carol"]),
    ] {
        state.directory.groups.push(DirectoryGroup {
            group: Group {
                name: name.to_owned(),
                id,
            },
            members: members.iter().map(|&member| member.to_owned()).collect(),
        });
    }
    let mut named = BTreeMap::new();
    for (name, kind, username, scopes) in [
        (ADMIN, TokenKind::Service, "bot-admin", &["admin:token"][..]),
        (
            SERVICE,
            TokenKind::Service,
            "bot-service",
            &["admin:userinfo"],
        ),
        (USER, TokenKind::User, "alice", &["read:all", USER_TOKEN]),
    ] {
        let token = Token::random();
        state.tokens.insert(Record {
            token: token.clone(),
            kind,
            username: username.to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            created: 0,
            expires: None,
            token_name: (kind == TokenKind::User).then(|| name.to_owned()),
            service: None,
            parent: None,
            data: UserData::default(),
        });
        named.insert(name.to_owned(), token);
    }
    Seed { state, named }
}

/// Returns a discovery document that leads to Gafaelfawr and little else.
pub(super) fn document(hostname: &str) -> Value {
    let base = format!("https://{hostname}");
    json!({
        "applications": ["gafaelfawr"],
        "services": {"internal": {"gafaelfawr": {
            "url": format!("{base}/auth/api"),
            "openapi": format!("{base}/auth/openapi.json"),
            "versions": {"v1": {"url": format!("{base}/auth/api/v1")}}
        }}}
    })
}

fn quota() -> QuotaConfig {
    let mut config = QuotaConfig::default();
    let mut default = Limits::default();
    default.api.insert("search".to_owned(), 60);
    default.disk.insert("/home".to_owned(), 10 << 30);
    default.notebook = Some(NotebookQuota::new(2.0, 8.0));
    default.tap.insert("qserv".to_owned(), TapQuota::new(5));
    config.default = Some(default);
    let mut heavy = Limits::default();
    heavy.api.insert("search".to_owned(), 40);
    heavy.notebook = Some(NotebookQuota::new(2.0, 24.0));
    config.groups.insert("g_heavy".to_owned(), heavy);
    config.bypass.push("admins".to_owned());
    config
}

const USER_TOKEN: &str = "user:token";

/// The names of the tokens of this world.
pub(super) const ADMIN: &str = "admin";
pub(super) const SERVICE: &str = "service";
pub(super) const USER: &str = "user";
