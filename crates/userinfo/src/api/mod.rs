//! Calls other than user information, in one file for each group of operations. Calls with optional
//! values are builders.

mod create_service_token;
mod quota_overrides;
mod user_tokens;

pub use create_service_token::CreateServiceToken;
pub use quota_overrides::QuotaConfig;
pub use user_tokens::CreateUserToken;
