//! Values of Astakos: numbers, ids, cookies and catalogs.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde_json::Value;
use vouchsafe::astakos::commission::CommissionId;
use vouchsafe::astakos::{
    Catalog, Dialect, EndpointFilter, Holder, Limit, MaxMembers, Serial, join_urls,
    token_from_cookie, token_from_cookie_value,
};

/// Bytes as serials, limits, ids and holders: what is read is written as the same.
pub fn numbers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(serial) = same::<Serial>(&text) {
        assert_eq!(serial.get().to_string(), text.trim_start_matches('0'));
        assert!(i64::try_from(serial.get()).is_ok());
    }
    if let Some(id) = same::<CommissionId>(&text) {
        assert_eq!(id.to_string(), text);
    }
    if let Some(dialect) = same::<Dialect>(&text) {
        assert_eq!(dialect.as_str(), text);
    }
    let holder = same::<Holder>(&text).expect("any text is a holder");
    assert_eq!(holder.to_string(), text);
    assert!(text.ends_with(holder.id()));
    if let Ok(limit) = text.parse::<Limit>() {
        let (digits, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
        let power = "kmgtp"
            .find(&unit.to_ascii_lowercase())
            .map_or(0, |at| at + 1);
        let power = if unit.is_empty() { 0 } else { power as u32 };
        match limit {
            Limit::Finite(number) => {
                let digits: i128 = digits.parse().expect("digits");
                assert_eq!(
                    i128::from(number),
                    digits * 1024_i128.pow(power),
                    "{text:?}"
                );
            }
            Limit::Unlimited => {
                let number = digits.parse::<i128>().map(|n| n * 1024_i128.pow(power));
                let is_most = number == Ok(i64::MAX.into());
                assert!(is_most || text.eq_ignore_ascii_case("inf"), "{text:?}");
            }
        }
    }
    json::<Serial>(&text);
    json::<Limit>(&text);
    json::<MaxMembers>(&text);
    json::<Holder>(&text);
}

fn same<T: FromStr + Display + Debug + PartialEq>(text: &str) -> Option<T> {
    let value = text.parse::<T>().ok()?;
    let again = value.to_string().parse::<T>().ok();
    assert_eq!(again.as_ref(), Some(&value), "{text:?}");
    Some(value)
}

fn json<T: serde::de::DeserializeOwned + serde::Serialize + Debug + PartialEq>(text: &str) {
    if let Ok(value) = serde_json::from_str::<T>(text) {
        let written = serde_json::to_string(&value).expect("it can be written");
        let again = serde_json::from_str::<T>(&written).ok();
        assert_eq!(again.as_ref(), Some(&value), "{text:?} {written}");
    }
}

/// Bytes as a `Cookie` header, and text after the name of the cookie.
pub fn cookies(data: &[u8]) {
    const NAME: &str = "_pithos2_a";
    let text = String::from_utf8_lossy(data);
    let named = format!("lang=el; {NAME}={text}");
    for header in [&*text, &named] {
        let token = token_from_cookie(header, NAME);
        // Searched in another way: the first value that is not empty.
        let mut value = None;
        for cookie in header.split(';') {
            let Some(at) = cookie.find('=') else { continue };
            let mut found = cookie[at + 1..].trim_matches([' ', '\t']);
            if found.len() > 1 && found.starts_with('"') && found.ends_with('"') {
                found = &found[1..found.len() - 1];
            }
            if cookie[..at].trim_matches([' ', '\t']) == NAME && !found.is_empty() {
                value = Some(found);
                break;
            }
        }
        let expected = value.and_then(token_from_cookie_value);
        assert_eq!(token, expected, "{header:?}");
        if let (Some(token), Some(value)) = (&token, value) {
            assert!(!token.expose().contains('|'));
            if !value.contains('%') {
                assert_eq!(value.split('|').nth(1), Some(token.expose()));
            }
        }
    }
    // A token of any text comes back.
    let encoded: String =
        percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).collect();
    let token = token_from_cookie(&format!("{NAME}=\"ada%7C{encoded}\""), NAME);
    let token = token.expect("there is one");
    assert_eq!(Some(token.expose()), text.split('|').next());
    let joined = join_urls(&text, &text);
    assert!(joined.contains('/') && joined.len() <= 2 * text.len() + 1);
}

/// Bytes as the catalog of services in JSON: what a filter finds is there, and what it leaves out
/// does not fit.
pub fn catalog(data: &[u8]) {
    let Ok(catalog) = serde_json::from_slice::<Catalog>(data) else {
        return;
    };
    let mut filters = vec![EndpointFilter::new()];
    for service in catalog.services().iter().take(4) {
        if let Some(name) = &service.name {
            filters.push(EndpointFilter::new().name(name));
        }
        if let Some(kind) = &service.service_type {
            filters.push(EndpointFilter::new().service_type(kind));
        }
        for endpoint in service.endpoints.iter().flatten().take(2) {
            if let Some(region) = &endpoint.region {
                filters.push(EndpointFilter::new().region(region));
            }
            if let Some(version) = &endpoint.version_id {
                filters.push(EndpointFilter::new().version_id(version));
            }
            let _ = (endpoint.ui_url(), endpoint.weblogin_url());
            let _ = endpoint.has_version_in_url();
        }
    }
    for filter in filters {
        let all = catalog.filter(&filter);
        let first = catalog.endpoint(&filter);
        match all {
            Ok(found) => {
                assert!(!found.services().is_empty());
                assert!(found.services().len() <= catalog.services().len());
                let again = found
                    .filter(&filter)
                    .expect("the same filter finds it again");
                assert_eq!(again.services().len(), found.services().len());
                let endpoints = found.services().iter().flat_map(|one| &one.endpoints);
                assert_eq!(first.is_ok(), endpoints.flatten().next().is_some());
            }
            Err(_) => assert!(first.is_err()),
        }
    }
    let value: Value = serde_json::from_slice(data).expect("it was read as JSON");
    assert!(value.is_array());
}
