//! Values of userinfo: names, tokens, and networks of peers.

use std::fmt::{Debug, Display};
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use http::{HeaderName, HeaderValue, Request};
use vouchsafe::userinfo::server::{Identity, IngressLayer, TrustedPeers};
use vouchsafe::userinfo::{BotUsername, GroupName, HttpUrl, Scope, Token, Username};

/// Bytes as names of all kinds and as a token: what the server's patterns accept, and nothing else.
pub fn names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    name::<Username>(&text, pattern::user(&text));
    name::<BotUsername>(&text, pattern::bot(&text) && pattern::user(&text));
    name::<GroupName>(&text, pattern::group(&text));
    name::<Scope>(&text, pattern::scope(&text));
    if let Ok(url) = HttpUrl::parse(&text) {
        assert_eq!(HttpUrl::parse(url.as_str()).as_ref(), Ok(&url), "{text:?}");
        assert!(text.len() <= 2083);
    }
    let filled = format!("gt-{text:x<22.22}.{text:y<22.22}");
    for text in [&*text, &filled] {
        match Token::parse(text) {
            Ok(token) => {
                assert_eq!(token.secret().expose(), text);
                let secret = &text["gt-".len() + token.key().len() + 1..];
                assert_eq!((token.key().len(), secret.len()), (22, 22), "{text:?}");
                assert!(!format!("{token:?}").contains(secret) || token.key() == secret);
                assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
            }
            Err(_) => {
                let rest = text
                    .strip_prefix("gt-")
                    .and_then(|rest| rest.split_once('.'));
                let is_long = |part: &str| part.chars().count() == 22;
                let is_whole = rest.is_some_and(|(key, rest)| is_long(key) && is_long(rest));
                let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
                assert!(!is_whole || !is_plain, "{text:?}");
            }
        }
    }
    // What is wrong is said without the text, in which a token may be.
    for text in [
        format!("{text}{PLANTED}"),
        format!("gt-{text}{PLANTED}"),
        format!("gt-{:x<22.22}.{text}{PLANTED}", ""),
    ] {
        if let Err(error) = Token::parse(&text) {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(PLANTED), "{shown}");
        }
    }
}

/// Part of a token.
const PLANTED: &str = "pl4nted-t0ken";

/// Bytes as headers, one a line, of a request from the ingress and from another machine. Whom the ingress
/// names is that one; another machine names no one, and what it says does not get through.
pub fn ingress(data: &[u8]) {
    let mut request = Request::new(());
    for line in data.split(|byte| *byte == b'\n') {
        let end = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(end.unwrap_or_default());
        let name = HeaderName::from_bytes(name);
        let value = HeaderValue::from_bytes(value.strip_prefix(b":").unwrap_or_default());
        if let (Ok(name), Ok(value)) = (name, value) {
            request.headers_mut().append(name, value);
        }
    }
    let is_reserved = |name: &HeaderName| name.as_str().starts_with("x-auth-request-");
    let layer = |address: [u8; 4]| {
        IngressLayer::new(TrustedPeers::loopback())
            .peer_address(move |_| Some(Ipv4Addr::from(address).into()))
            .allow_anonymous()
            .strip_untrusted()
    };
    let mut other = Request::new(());
    other.headers_mut().clone_from(request.headers());
    let stripped = layer([192, 0, 2, 1]).check(&mut other);
    assert!(stripped.is_ok(), "{stripped:?}");
    assert!(!other.headers().keys().any(is_reserved), "{other:?}");
    assert!(matches!(Identity::find(other.extensions()), Ok(None)));

    let user: Vec<_> = request
        .headers()
        .get_all("x-auth-request-user")
        .into_iter()
        .collect();
    let user: Vec<_> = user.into_iter().cloned().collect();
    let Ok(()) = layer([127, 0, 0, 1]).check(&mut request) else {
        return;
    };
    match Identity::find(request.extensions()).expect("it was checked") {
        Some(identity) => {
            assert_eq!(user, [identity.username.as_str()], "{identity:?}");
            if let Ok(token) = identity.delegated() {
                let secret = token.secret().expose();
                assert!(!format!("{identity:?} {request:?}").contains(secret));
            }
        }
        // An empty header is as good as a missing one.
        None => {
            let is_blank = |value: &HeaderValue| value.as_bytes().trim_ascii().is_empty();
            assert!(user.iter().all(is_blank), "{user:?}");
        }
    }
}

fn name<N: FromStr + Display + Debug>(text: &str, is_valid: bool) {
    match text.parse::<N>() {
        Ok(name) => {
            assert!(is_valid, "{name:?}");
            assert_eq!(name.to_string(), text);
        }
        Err(_) => assert!(!is_valid, "{text:?}"),
    }
}

/// The patterns of the server, read step by step as a machine of regular expressions does.
mod pattern {
    fn lower(c: char) -> bool {
        c.is_ascii_lowercase() || c.is_ascii_digit()
    }

    /// The places after `(?:[a-z0-9]|-[a-z0-9])*` from some places.
    fn parts(text: &[char], from: Vec<usize>) -> Vec<usize> {
        let mut places = from;
        let mut next = 0;
        while next < places.len() {
            let at = places[next];
            next += 1;
            let one = text.get(at).filter(|c| lower(**c)).map(|_| at + 1);
            let two = text.get(at).filter(|c| **c == '-');
            let two = two.and_then(|_| text.get(at + 1).filter(|c| lower(**c)));
            for place in one.into_iter().chain(two.map(|_| at + 2)) {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        places
    }

    fn fits(text: &[char], at: usize, is: fn(char) -> bool) -> Option<usize> {
        text.get(at).filter(|c| is(**c)).map(|_| at + 1)
    }

    /// `^[a-z0-9](?:[a-z0-9]|-[a-z0-9])*[a-z](?:[a-z0-9]|-[a-z0-9])*$`
    pub(super) fn user(text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        if text.len() > 64 {
            return false;
        }
        let first: Vec<_> = fits(&text, 0, lower).into_iter().collect();
        let front = parts(&text, first).into_iter();
        let letter = front.filter_map(|at| fits(&text, at, |c| c.is_ascii_lowercase()));
        parts(&text, letter.collect()).contains(&text.len())
    }

    /// `^bot-[a-z0-9](?:[a-z0-9]|-[a-z0-9])*$`
    pub(super) fn bot(text: &str) -> bool {
        let Some(rest) = text.strip_prefix("bot-") else {
            return false;
        };
        let text: Vec<char> = rest.chars().collect();
        let first: Vec<_> = fits(&text, 0, lower).into_iter().collect();
        parts(&text, first).contains(&text.len())
    }

    /// `^([a-zA-Z]|[a-zA-Z0-9][a-zA-Z0-9._-]*[a-zA-Z])[a-zA-Z0-9._-]*$`
    pub(super) fn group(text: &str) -> bool {
        let is_inner = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_after = |at: usize| text.chars().skip(at).all(is_inner);
        let letters = text.chars().enumerate();
        let mut letters = letters.filter(|(_, c)| c.is_ascii_alphabetic());
        letters.any(|(at, _)| {
            let mut front = text.chars().take(at);
            let first = front.next();
            first.is_none_or(|c| c.is_ascii_alphanumeric()) && front.all(is_inner) && is_after(at)
        })
    }

    /// `^[a-zA-Z0-9:._-]+$`
    pub(super) fn scope(text: &str) -> bool {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ":._-".contains(c))
    }
}

/// Bytes as networks, and 16 bytes as an address: an address is in a network if their first bits
/// are the same.
pub fn peers(data: &[u8]) {
    let (address, text) = data.split_at(data.len().min(16));
    let text = String::from_utf8_lossy(text);
    let Ok(peers) = text.parse::<TrustedPeers>() else {
        return;
    };
    let mut bytes = [0; 16];
    bytes[..address.len()].copy_from_slice(address);
    let four: [u8; 4] = [bytes[0], bytes[1], bytes[2], bytes[3]];
    let mapped = std::net::Ipv4Addr::from(four).to_ipv6_mapped();
    let own = text.split(['/', ',']).next().unwrap_or_default().trim();
    let own = own.parse::<IpAddr>().expect("it was read as an address");
    for address in [IpAddr::from(bytes), IpAddr::from(four), mapped.into(), own] {
        let mut networks = text.split(',').map(str::trim);
        let expected = networks.any(|network| is_in(address, network));
        assert_eq!(peers.contains(address), expected, "{address} in {text:?}");
    }
    assert!(peers.contains(own) || text.contains('/'));
}

fn is_in(address: IpAddr, network: &str) -> bool {
    let (network, prefix) = network.split_once('/').unwrap_or((network, "128"));
    let network: IpAddr = network.parse().expect("it was read as an address");
    let mut prefix: usize = prefix.parse().expect("it was read as a number");
    // Mapped addresses are those of IPv4, and so are networks of them only.
    let mut four = network.to_canonical();
    if network.is_ipv6() && four.is_ipv4() {
        match prefix.checked_sub(96) {
            Some(rest) => prefix = rest,
            None => four = network,
        }
    }
    let (network, address) = (bits(four), bits(address.to_canonical()));
    network.len() == address.len()
        && network
            .iter()
            .zip(&address)
            .take(prefix)
            .all(|(a, b)| a == b)
}

fn bits(address: IpAddr) -> Vec<bool> {
    let octets = match address {
        IpAddr::V4(four) => four.octets().to_vec(),
        IpAddr::V6(six) => six.octets().to_vec(),
    };
    let bits = octets
        .into_iter()
        .flat_map(|octet| (0..8).map(move |at| octet >> (7 - at) & 1 == 1));
    bits.collect()
}
