//! Typed answers, which [`answers`](super::answers) reaches through few of the methods.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use vouchsafe::{cloud_credentials, wazo_auth};

/// Bytes as every type of an answer or a request: what is read is written so that it is read as the
/// same.
pub fn wire(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    // A fraction may change in its last digit when it is written.
    let is_exact = !has_fraction(&value);
    for (_, check) in TYPES {
        check(data, is_exact);
    }
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_i64() && !number.is_u64(),
        Value::Array(all) => all.iter().any(has_fraction),
        Value::Object(all) => all.values().any(has_fraction),
        _ => false,
    }
}

fn same<T: DeserializeOwned + Serialize + Debug + PartialEq>(data: &[u8], is_exact: bool) {
    if let Ok(value) = serde_json::from_slice::<T>(data) {
        let written = serde_json::to_string(&value).expect("it can be written");
        let again = serde_json::from_str::<T>(&written);
        let again = again.unwrap_or_else(|error| panic!("{error}: {value:?} {written}"));
        assert!(!is_exact || again == value, "{value:?} {written}");
    }
}

/// A secret: it is read, and not written.
fn read<T: DeserializeOwned + Debug>(data: &[u8], _is_exact: bool) {
    if let Ok(value) = serde_json::from_slice::<T>(data) {
        let _ = format!("{value:?}");
    }
}

type Check = fn(&[u8], bool);

macro_rules! types {
    ($($module:ident: $($of:ident)*, only read: $($secret:ident)*;)*) => {
        /// Every type that is read, by its name; a test looks for those that are missing.
        pub const TYPES: &[(&str, Check)] = &[
            $($((stringify!($of), same::<$module::$of>),)*
            $((stringify!($secret), read::<$module::$secret>),)*)*
        ];
    };
}

types! {
    cloud_credentials:
        Deleted DirectoryPage DirectoryQuery EventFilter EventFilters EventGroup EventPoll LogPage LogQuery
        NewQueryJob QueryJob QueryPage ResultFormat Written,
    only read: ;
    wazo_auth:
        Address AdminEmail AdminEmailList ConfigChange ConfigOp ConfigPath ConnectedUser ConnectedUserPage
        Consent ConsentUrl Direction Domain DomainUuid Email EmailList EmailUuid ExternalOrder ExternalPage
        ExternalService FirstUser Group GroupEdit GroupOrder GroupPage GroupUuid IdpUser IdpUsers LdapConfig
        LdapEdit LdapSecurity MemberOrder Mobile NewEmail NewGroup NewPolicy NewTenant NewUser
        PasswordChange PasswordReset Policy PolicyEdit PolicyId PolicyOrder PolicyPage RefreshToken
        RefreshTokenOrder RefreshTokenPage Registration RelatedPolicyOrder RelatedPolicyPage SamlConfig
        SamlStart ScopeCheck Session SessionOrder SessionPage SessionUuid Tenant TenantEdit TenantOrder
        TenantPage TenantUuid TokenMetadata User UserEdit UserOrder UserPage UserPurpose UserUuid,
    only read: ExternalToken SamlRedirect Token;
}
