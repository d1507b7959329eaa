//! The environment, read only by constructors that say so in their name.

use crate::{Error, ErrorKind};

/// Returns a variable; unset and empty are both `None`.
///
/// # Errors
///
/// [`ErrorKind::Config`] if the value is not Unicode.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn var(name: &str) -> crate::Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Error::new(
            ErrorKind::Config,
            format!("{name} in the environment is not Unicode"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unset_variable_is_none() {
        assert_eq!(var("VOUCHSAFE_SURELY_UNSET").unwrap(), None);
    }

    #[test]
    fn a_set_variable_is_read() {
        assert!(var("PATH").unwrap().is_some());
    }
}
