//! Access to the environment, only from constructors whose names say so.

use crate::text::str_without_mark;
use crate::url::BaseUrl;
use crate::{Error, ErrorKind, Result, Secret};

/// Returns a variable without the white space and line ends around it, which environment files and
/// mounted secrets often contain. Returns `None` if it is unset or empty.
///
/// # Errors
///
/// [`ErrorKind::Config`], naming the variable, if the value is not Unicode or is in quotes. Quotes
/// are meant for a shell; tools that read such files directly treat them as part of the value.
pub fn var(name: &str) -> Result<Option<String>> {
    let Some(value) = secret(name)? else {
        return Ok(None);
    };
    Ok(Some(value.expose().to_owned()))
}

/// Like [`var`], for a variable that holds a secret.
///
/// # Errors
///
/// Those of [`var`]. No error includes the value.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn secret(name: &str) -> Result<Option<Secret>> {
    match std::env::var(name) {
        Ok(value) => plain(name, &Secret::from(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Error::new(ErrorKind::Config, "it is not Unicode").with_origin(origin(name)))
        }
    }
}

/// Like [`var`], for a variable that holds a URL.
///
/// # Errors
///
/// Those of [`var`] and [`BaseUrl::parse`], naming the variable.
pub fn url(name: &str) -> Result<Option<BaseUrl>> {
    let parse =
        |text: String| BaseUrl::parse(&text).map_err(|fault| fault.with_origin(origin(name)));
    var(name)?.map(parse).transpose()
}

/// Returns the name that errors use for a variable.
#[must_use]
pub fn origin(name: &str) -> String {
    format!("{name} in the environment")
}

fn plain(name: &str, value: &Secret) -> Result<Option<Secret>> {
    let text = str_without_mark(value.expose()).trim();
    if text.starts_with(['"', '\'']) || text.ends_with(['"', '\'']) {
        let why = "the value has quotes around it, which are taken for a part of it: remove them";
        return Err(Error::new(ErrorKind::Config, why).with_origin(origin(name)));
    }
    Ok((!text.is_empty()).then(|| Secret::from(text)))
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

    #[test]
    fn what_files_leave_around_a_value_is_dropped() {
        let plain = |text| plain("NAME", &Secret::from(text));
        for text in ["a b", " a b\r\n", "\u{feff}a b\n"] {
            assert_eq!(plain(text).unwrap().unwrap().expose(), "a b");
        }
        for text in ["", " \n", "\u{feff}"] {
            assert_eq!(plain(text).unwrap(), None);
        }
    }

    #[test]
    fn a_value_in_quotes_is_refused_by_the_name_of_its_variable() {
        for text in ["\"planted\"", "'planted'\n", "\"planted", "planted'"] {
            let error = plain("NAME", &Secret::from(text)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(
                error.message().starts_with("NAME in the environment: "),
                "{error}"
            );
            assert!(!error.to_string().contains("planted"), "{error}");
        }
    }
}
