//! Every operation of wazo-auth by its id: those that send a secret or are written by hand through
//! their methods, the others by their paths.

use serde_json::json;
use vouchsafe::core::Secret;
use vouchsafe::core::call::{Answer, Call, CallOptions, Operation};
use vouchsafe::core::service::Service as _;
use vouchsafe::wazo_auth::{
    AcsAnswer, Client, FirstUser, LdapEdit, Mobile, NewUser, PasswordChange, PasswordReset,
    Registration, Result, SamlForm, ScopeCheck, Settings, UserUuid,
};

const OTHER: &str = "planted-token+asked/about==";
const PASSWORD: &str = "planted-password+of/somebody";
const OLD: &str = "planted-old+password/of";
const KEY: &str = "planted-key-20-chars";
const BIND: &str = "planted-bind+password/of";
const PUSH: &str = "planted-push+token/of";
const CONFIG: &str = "planted-client+secret/of";
const ANSWER: &str = "planted-saml+answer/of==";
const RELAY: &str = "planted-relay+state/of==";

/// The secrets that calls send besides the token of their client.
pub const SECRETS: [&str; 9] = [OTHER, PASSWORD, OLD, KEY, BIND, PUSH, CONFIG, ANSWER, RELAY];

const UUID: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";

/// Calls one operation.
///
/// # Errors
///
/// Those of the call.
///
/// # Panics
///
/// Never: the values are good.
pub async fn call(client: &Client, operation: &'static Operation) -> Result<()> {
    let user: UserUuid = UUID.parse().unwrap();
    let other = Secret::from(OTHER);
    let settings = Settings::from(json!({"client_id": "c", "client_secret": CONFIG}));
    let mobile = Mobile::new().token(PUSH);
    let (users, external) = (client.users(), client.external());
    match operation.id().trim_start_matches("wazo-auth.") {
        "createToken" => {
            let login = client.token().create().credentials("alice", PASSWORD);
            login.send().await.map(drop)
        }
        "getToken" => client.token().get(OTHER).send().await.map(drop),
        "checkToken" => client.token().check(OTHER).send().await,
        "revokeToken" => client.token().revoke(&other).await,
        "checkScopes" => {
            let scopes = ScopeCheck::new(["auth.users.read"]);
            client.token().check_scopes(&other, &scopes).await.map(drop)
        }
        "createUser" => {
            let new = NewUser::new().username("alice").password(PASSWORD);
            users.create(&new).await.map(drop)
        }
        "registerUser" => {
            let new = Registration::new("alice", PASSWORD, "alice@example.com");
            users.register(&new).await.map(drop)
        }
        "changePassword" => {
            let change = PasswordChange::new(OLD, PASSWORD);
            users.change_password(&user, &change).await
        }
        "resetPassword" => {
            let reset = PasswordReset::new(Some(PASSWORD.into()));
            users.set_password(&user, &reset).await
        }
        "initialize" => {
            let first = FirstUser::new("root", PASSWORD, KEY);
            client.init().run(&first).await.map(drop)
        }
        "updateLdapConfig" => {
            let edit = LdapEdit::new("ldap", 636, "dc=example", "uid", "mail");
            let edit = edit.bind_password(BIND);
            client.ldap_config().update(&edit).await.map(drop)
        }
        "createMobile" => external.create_mobile(&user, &mobile).await.map(drop),
        "updateMobile" => external.update_mobile(&user, &mobile).await.map(drop),
        "createExternal" => external.create(&user, "t", &settings).await.map(drop),
        "updateExternal" => external.update(&user, "t", &settings).await.map(drop),
        "createExternalConfig" => external.create_config("t", &settings).await,
        "updateExternalConfig" => external.update_config("t", &settings).await,
        "createSamlConfig" => {
            let form = SamlForm::new().entity_id("e").metadata("<x/>");
            client.saml_config().create(&form).await.map(drop)
        }
        "updateSamlConfig" => {
            let form = SamlForm::new().entity_id("e");
            client.saml_config().update(&form).await
        }
        "finishSaml" => {
            let answer = AcsAnswer::new(ANSWER, RELAY);
            client.saml().acs(&answer).await.map(drop)
        }
        "endSaml" => client.saml().logout().await.map(drop),
        _ => {
            let answer = ask(client, operation, |_| None).await?;
            // As methods do with an answer that they cannot use.
            Ok(answer
                .json::<std::collections::BTreeMap<String, bool>>()
                .map(drop)?)
        }
    }
}

/// Calls an operation by its path alone. `known` returns the values of parameters such as `{user_uuid}`;
/// the others have a value that no object has.
///
/// # Errors
///
/// Those of the call.
pub async fn ask(
    client: &Client,
    operation: &'static Operation,
    known: impl Fn(&str) -> Option<String> + Send,
) -> Result<Answer> {
    let fill = |part: &'static str| match part.starts_with('{') {
        true => known(part).unwrap_or_else(|| UUID.to_owned()),
        false => part.to_owned(),
    };
    let path: Vec<String> = operation.path().split('/').map(fill).collect();
    let call = Call::encoded(operation, &path.join("/"))?;
    client.call(call, &(), &CallOptions::new()).await
}
