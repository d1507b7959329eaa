//! Makes the calls that cases name with our client, and describes the outcome as the recorded
//! client would.

use serde_json::{Value, json};
use vouchsafe::core::timestamp;
use vouchsafe::userinfo::{
    BotUsername, Client, Error, ErrorKind, GroupName, NewGroup, NewServiceToken, Scope, Token,
    Username,
};

use super::standins::Standins;
use crate::vectors::schema::Call;

/// A call with arguments that our types accept.
#[derive(Clone, Debug)]
pub(super) enum Prepared {
    UserInfo(Token),
    UserInfoFor(Token, Username),
    Groups(Token),
    Users(Token),
    Create(Box<Create>),
    ClearCache,
    /// Does nothing: a client owns its connections, and closes them when dropped.
    Close,
}

#[derive(Clone, Debug)]
pub(super) struct Create {
    token: Token,
    username: BotUsername,
    scopes: Vec<Scope>,
    expires: Option<std::time::SystemTime>,
    name: Option<String>,
    uid: Option<i64>,
    gid: Option<i64>,
    groups: Option<Vec<(GroupName, i64)>>,
}

/// Why a call cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unprepared {
    /// Our types refuse an argument, as a new client should: nothing can be sent.
    Odd(String),
    /// This runner does not know the call or an argument.
    Unknown(String),
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Ok(Value),
    Failed(Fault),
}

/// An error in the terms of the recorded client.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) class: String,
    pub(super) status: Option<u16>,
    pub(super) method: Option<String>,
    pub(super) url: Option<String>,
    pub(super) body: Option<String>,
    /// Where in the answer the fault is, if that is what failed: `groups[0].id`.
    pub(super) place: Option<String>,
    /// Our own line.
    pub(super) text: String,
}

/// Reads a call's arguments, which are given by name or in the order of the parameters.
pub(super) fn prepare(call: &Call, standins: &Standins) -> Result<Prepared, Unprepared> {
    let known: &[&str] = match call.call.as_str() {
        "get_user_info" => &["token", "username"],
        "list_groups" | "list_users" => &["token"],
        "create_service_token" => &[
            "token", "username", "scopes", "expires", "name", "uid", "gid", "groups",
        ],
        "clear_cache" | "aclose" => &[],
        other => return Err(Unprepared::Unknown(format!("call {other:?}"))),
    };
    let args = &named(&call.args, known).map_err(Unprepared::Unknown)?;
    let token = || {
        let token = args["token"].as_str().and_then(|text| standins.token(text));
        token.ok_or_else(|| Unprepared::Odd(format!("token {}", args["token"])))
    };
    Ok(match call.call.as_str() {
        "get_user_info" => match &args["username"] {
            Value::Null => Prepared::UserInfo(token()?),
            name => {
                let username = name.as_str().and_then(|text| standins.username(text));
                let username = username.ok_or_else(|| Unprepared::Odd(format!("name {name}")))?;
                Prepared::UserInfoFor(token()?, username)
            }
        },
        "list_groups" => Prepared::Groups(token()?),
        "list_users" => Prepared::Users(token()?),
        "clear_cache" => Prepared::ClearCache,
        "aclose" => Prepared::Close,
        _ => Prepared::Create(Box::new(create(args, token()?)?)),
    })
}

/// Returns arguments by their names; a list holds them in the order of the parameters.
pub(super) fn named(args: &Value, parameters: &[&str]) -> Result<Value, String> {
    match args {
        Value::Null => Ok(json!({})),
        Value::Object(given) => match given.keys().find(|key| !parameters.contains(&&***key)) {
            Some(name) => Err(format!("argument {name:?}")),
            None => Ok(args.clone()),
        },
        Value::Array(given) if given.len() <= parameters.len() => {
            let names = parameters.iter().map(|name| (*name).to_owned());
            Ok(Value::Object(names.zip(given.iter().cloned()).collect()))
        }
        other => Err(format!("arguments {other}")),
    }
}

fn create(args: &Value, token: Token) -> Result<Create, Unprepared> {
    let odd = |what: &Value| Unprepared::Odd(what.to_string());
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| odd(value));
    let number = |value: &Value| value.as_i64().ok_or_else(|| odd(value));
    let given = |name: &str| Some(&args[name]).filter(|value| !value.is_null());
    let groups = |value: &Value| {
        value
            .as_array()
            .ok_or_else(|| odd(value))?
            .iter()
            .map(|group| {
                let name = GroupName::parse(&text(&group["name"])?).map_err(|_| odd(group))?;
                Ok((name, number(&group["id"])?))
            })
            .collect::<Result<Vec<_>, Unprepared>>()
    };
    Ok(Create {
        token,
        username: BotUsername::parse(&text(&args["username"])?)
            .map_err(|_| odd(&args["username"]))?,
        scopes: args["scopes"]
            .as_array()
            .ok_or_else(|| odd(&args["scopes"]))?
            .iter()
            .map(|scope| Scope::parse(&text(scope)?).map_err(|_| odd(scope)))
            .collect::<Result<_, _>>()?,
        expires: given("expires")
            .map(|value| timestamp::parse(&text(value)?).ok_or_else(|| odd(value)))
            .transpose()?,
        name: given("name").map(text).transpose()?,
        uid: given("uid").map(number).transpose()?,
        gid: given("gid").map(number).transpose()?,
        groups: given("groups").map(groups).transpose()?,
    })
}

impl Prepared {
    /// Returns what this call is cached by, if it is.
    pub(super) fn cache_key(&self) -> Option<String> {
        match self {
            Self::UserInfo(token) => Some(token.secret().expose().to_owned()),
            Self::UserInfoFor(token, name) => Some(format!("{} {name}", token.secret().expose())),
            _ => None,
        }
    }

    /// Makes the call.
    pub(super) async fn perform(self, client: &Client, standins: &Standins) -> Outcome {
        let result = match self {
            Self::UserInfo(token) => client.user_info(&token).await.map(|info| json!(*info)),
            Self::UserInfoFor(token, name) => client
                .user_info_for(token, &name)
                .await
                .map(|info| json!(*info)),
            Self::Groups(token) => client.groups(token).await.map(|groups| json!(groups)),
            Self::Users(token) => client.users(token).await.map(|users| json!(users)),
            Self::Create(create) => {
                let token = (*create).send(client).await;
                token.map(|token| json!(standins.original(token.secret().expose())))
            }
            Self::ClearCache => {
                client.clear_cache();
                Ok(Value::Null)
            }
            Self::Close => Ok(Value::Null),
        };
        match result {
            Ok(value) => Outcome::Ok(value),
            Err(error) => Outcome::Failed(fault(&error, standins)),
        }
    }
}

impl Create {
    async fn send(self, client: &Client) -> vouchsafe::userinfo::Result<Token> {
        let mut request = NewServiceToken::new(self.username).scopes(self.scopes);
        if let Some(at) = self.expires {
            request = request.expires(at);
        }
        if let Some(name) = self.name {
            request = request.name(name);
        }
        if let Some(uid) = self.uid {
            request = request.uid(uid);
        }
        if let Some(gid) = self.gid {
            request = request.gid(gid);
        }
        if let Some(groups) = self.groups {
            request = request.groups(groups.into_iter().map(|(name, id)| NewGroup::new(name, id)));
        }
        client.create_service_token(self.token, &request).await
    }
}

/// Describes an error of ours as the Python clients would (protocol section 9.3).
pub(super) fn fault(error: &Error, standins: &Standins) -> Fault {
    use vouchsafe::core::ErrorKind as Core;
    let core = error.core();
    let url = core.url().map(|url| standins.originals_in(url));
    let method = core.method().map(ToString::to_string);
    let of_discovery = core
        .operation()
        .is_some_and(|id| id.starts_with("repertoire."));
    let house = if of_discovery {
        "Repertoire"
    } else {
        "Gafaelfawr"
    };
    let is_get = method.as_deref() == Some("GET");
    let class = match (error.kind(), core.kind()) {
        (ErrorKind::ServiceNotFound, _) => "GafaelfawrDiscoveryError".to_owned(),
        (_, Core::Decode) => format!("{house}ValidationError"),
        (_, Core::Config | Core::Invalid) if core.attempts() == 0 => REFUSED.to_owned(),
        _ if core.status().is_some_and(|status| status == 404) && is_get && !of_discovery => {
            "GafaelfawrNotFoundError".to_owned()
        }
        _ => format!("{house}WebError"),
    };
    Fault {
        class,
        status: core.status().map(|status| status.as_u16()),
        method,
        url,
        body: core
            .body()
            .map(|body| String::from_utf8_lossy(body).into_owned()),
        place: core
            .message()
            .rsplit_once(" at ")
            .map(|(_, place)| place.to_owned()),
        text: error.to_string(),
    }
}

/// The class of an error of ours that came before anything was sent.
pub(super) const REFUSED: &str = "refused before sending";

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(call: &str, args: Value) -> Result<Prepared, Unprepared> {
        let call = Call {
            call: call.to_owned(),
            args,
        };
        prepare(&call, &Standins::default())
    }

    #[test]
    fn arguments_are_taken_by_name_and_by_position() {
        for args in [
            json!({"token": "gt-a", "username": "ada"}),
            json!(["gt-a", "ada"]),
        ] {
            let call = prepared("get_user_info", args);
            assert!(matches!(call, Ok(Prepared::UserInfoFor(..))), "{call:?}");
        }
        let call = prepared("clear_cache", json!(null));
        assert!(matches!(call, Ok(Prepared::ClearCache)), "{call:?}");
    }

    #[test]
    fn what_no_type_holds_is_odd_and_what_is_not_known_fails() {
        for (call, args) in [
            ("get_user_info", json!({"token": 7})),
            (
                "get_user_info",
                json!({"token": "gt-a", "username": ["ada"]}),
            ),
            (
                "create_service_token",
                json!({"token": "gt-a", "username": "bot-x", "scopes": [], "uid": 1e30}),
            ),
        ] {
            let got = prepared(call, args);
            assert!(matches!(got, Err(Unprepared::Odd(_))), "{got:?}");
        }
        for (call, args) in [
            ("get_user_info", json!({"token": "gt-a", "timeout": 1})),
            ("list_users", json!(["gt-a", "ada"])),
            ("list_users", json!("gt-a")),
            ("revoke", json!({})),
        ] {
            let got = prepared(call, args);
            assert!(matches!(got, Err(Unprepared::Unknown(_))), "{got:?}");
        }
    }
}
