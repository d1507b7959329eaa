//! Methods that the description cannot express.

mod external;
mod saml;
mod token;

pub use self::saml::{AcsAnswer, SamlForm};
pub use self::token::{CreateTokenRequest, CreatedToken, Validity};
