//! Types for values with an awkward form on the wire, and conversions between generated types.

mod edit;
mod settings;
mod time;
mod token;

pub use self::settings::Settings;
pub use self::time::UtcTime;
