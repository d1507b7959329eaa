//! The URL of tvm-api as the Python binding interprets it, for settings that are taken from there
//! (protocol section 11.1).

use vouchsafe_core::url::BaseUrl;

use crate::error::{Error, ErrorKind, Result};

/// Splits `scheme://host:port/...` into scheme and host, and the port, which is 443 by default for
/// every scheme. The path is dropped.
///
/// # Errors
///
/// [`ErrorKind::BrokenSettings`] if there is no scheme, or the text is not a URL.
pub fn python_url(url: &str) -> Result<(String, u16)> {
    let Some((scheme, rest)) = url.split_once("://") else {
        // The text is not repeated: it may hold a password.
        let what = "scheme in tvmapi_url cannot be empty";
        return Err(Error::new(ErrorKind::BrokenSettings, what));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let base: BaseUrl = format!("{scheme}://{authority}")
        .parse()
        .map_err(|cause| Error::of(ErrorKind::BrokenSettings, cause))?;
    let authority = base.authority();
    let port = authority.port_u16().unwrap_or(443);
    Ok((format!("{scheme}://{}", authority.host()), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_443_unless_it_is_named() {
        let read = |url| python_url(url).unwrap();
        assert_eq!(read("http://h/p?q"), ("http://h".to_owned(), 443));
        assert_eq!(read("https://[::1]:8/"), ("https://[::1]".to_owned(), 8));
        for bad in ["h:8", "", "ftp://h", "http://", "http://h:x"] {
            assert!(python_url(bad).is_err(), "{bad}");
        }
    }
}
