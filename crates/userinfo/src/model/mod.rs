//! Users, tokens, quotas and discovery documents in a convenient form. The wire format is in
//! `generated`.

pub(crate) mod document;
mod expiry;
mod http_url;
pub(crate) mod names;
pub(crate) mod nublado;
mod quota;
pub(crate) mod token;
mod user;

pub use expiry::Expiry;
pub use http_url::{HttpUrl, HttpUrlError};
pub use names::{BotUsername, GroupName, NameError, Scope, Username};

pub use quota::{
    Allowance, Limits, NotebookLog, NotebookQuota, Quota, QuotaConfig, TapLog, TapQuota,
};
pub use token::{Token, TokenError};
pub use user::{
    AllGroups, Group, NewGroup, NewServiceToken, NewUserToken, TokenChange, TokenInfo, TokenType,
    UserInfo,
};
