//! Methods that the description cannot express.

mod external;
mod saml;
mod token;

pub use self::saml::{AcsAnswer, SamlForm};
#[cfg(feature = "server")]
pub(crate) use self::token::judged;
pub use self::token::{CheckTokenRequest, CreateTokenRequest, CreatedToken, Validity};
