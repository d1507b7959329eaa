//! Users, tokens, quotas and discovery documents in a convenient form. The wire format is in
//! `generated`.

pub(crate) mod document;
mod http_url;
pub(crate) mod names;
pub(crate) mod nublado;
mod quota;
pub(crate) mod token;
mod user;

pub use http_url::{HttpUrl, HttpUrlError};
pub use names::{BotUsername, GroupName, NameError, Scope, Username};

pub(crate) use quota::KnownLimits;
pub use quota::{Allowance, Limits, NotebookLog, NotebookQuota, Quota, TapLog, TapQuota};
pub use token::{Token, TokenError};
pub use user::{AllGroups, Group, TokenInfo, TokenType, UserInfo};
