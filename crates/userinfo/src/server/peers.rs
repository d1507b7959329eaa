//! The addresses and networks that may speak for the ingress. The decision about a request is made
//! in `layer.rs`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

/// The peers whose identity headers are trusted: the ingress's own addresses and no others.
///
/// A peer is the other end of the connection. `X-Forwarded-For` and similar headers are never read,
/// since any client can send them. IPv4 addresses mapped into IPv6 (`::ffff:192.0.2.1`) count as
/// IPv4 on both sides of the comparison. An empty list trusts no peer.
///
/// ```
/// use vouchsafe_userinfo::server::TrustedPeers;
///
/// let peers: TrustedPeers = "10.42.0.0/16, fd00:42::/32, 192.0.2.7".parse()?;
/// assert!(peers.contains("10.42.7.1".parse()?));
/// assert!(peers.contains("::ffff:10.42.7.1".parse()?));
/// assert!(!peers.contains("10.43.0.1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct TrustedPeers {
    networks: Vec<Network>,
    predicate: Option<Predicate>,
}

type Predicate = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

impl TrustedPeers {
    /// Trusts addresses and networks.
    #[must_use]
    pub fn new<N: Into<Network>>(networks: impl IntoIterator<Item = N>) -> Self {
        Self {
            networks: networks.into_iter().map(Into::into).collect(),
            predicate: None,
        }
    }

    /// Trusts this machine: for an ingress in the same pod, and for development.
    #[must_use]
    pub fn loopback() -> Self {
        Self::new([
            Network {
                address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)),
                prefix: 8,
            },
            Network::from(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ])
    }

    /// Trusts the peers for which a function returns true, for example from a list that changes at
    /// run time. The function receives IPv4 addresses as such, never mapped into IPv6.
    ///
    /// `|_| true` is correct only if something else, such as a Kubernetes network policy, prevents
    /// all but the ingress from connecting.
    #[must_use]
    pub fn when(predicate: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self {
            networks: Vec::new(),
            predicate: Some(Arc::new(predicate)),
        }
    }

    /// Adds an address or a network.
    #[must_use]
    pub fn and(mut self, network: impl Into<Network>) -> Self {
        self.networks.push(network.into());
        self
    }

    /// Returns whether a peer at this address is trusted.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(address))
            || self.predicate.as_ref().is_some_and(|says| says(address))
    }
}

/// Parses a comma-separated list, such as in an environment variable.
impl FromStr for TrustedPeers {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let networks: Result<Vec<Network>, _> = text
            .split(',')
            .map(|part| part.trim().parse::<Network>())
            .collect();
        networks.map(Self::new)
    }
}

impl fmt::Debug for TrustedPeers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        list.entries(self.networks.iter().map(ToString::to_string));
        if self.predicate.is_some() {
            list.entry(&"(a function)");
        }
        list.finish()
    }
}

/// A network such as `10.42.0.0/16` or `fd00::/8`, or a single address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Creates a network from its lowest address and the number of bits that its members share.
    ///
    /// # Errors
    ///
    /// If the prefix is longer than the address, or the address has bits set beyond it.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, NetworkError> {
        let width = if address.is_ipv4() { 32 } else { 128 };
        if prefix > width {
            return Err(NetworkError::Prefix);
        }
        if bits(address) & !mask(prefix, width) != 0 {
            return Err(NetworkError::HostBits);
        }
        // A network of mapped addresses is treated as the corresponding IPv4 network.
        Ok(match (address.to_canonical(), prefix.checked_sub(96)) {
            (IpAddr::V4(v4), Some(prefix)) if address.is_ipv6() => Self {
                address: IpAddr::V4(v4),
                prefix,
            },
            _ => Self { address, prefix },
        })
    }

    /// Returns whether an address is in this network. A network never contains addresses of the
    /// other family; mapped addresses are IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let width = match (self.address, address) {
            (IpAddr::V4(_), IpAddr::V4(_)) => 32,
            (IpAddr::V6(_), IpAddr::V6(_)) => 128,
            _ => return false,
        };
        bits(address) & mask(self.prefix, width) == bits(self.address)
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let Some((address, prefix)) = text.split_once('/') else {
            return text
                .parse::<IpAddr>()
                .map(Self::from)
                .map_err(|_| NetworkError::Address);
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Address)?;
        // Rust's own parser would accept a plus sign.
        if !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NetworkError::Prefix);
        }
        let prefix: u8 = prefix.parse().map_err(|_| NetworkError::Prefix)?;
        Self::new(address, prefix)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({self})")
    }
}

/// Why a text is not an address or a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The part before the slash is not an address.
    #[error("not an IP address, such as 192.0.2.7 or fd00::1")]
    Address,
    /// The part after the slash is not the number of leading bits.
    #[error("not a prefix length: 0 to 32 for IPv4, 0 to 128 for IPv6")]
    Prefix,
    /// The address is that of one host: 10.1.2.3/8 may mean 10.0.0.0/8 or 10.1.2.3.
    #[error("the address has bits set beyond the prefix")]
    HostBits,
}

/// The address of the peer, as an extension of a request.
///
/// [`IngressLayer`](super::IngressLayer) reads it unless another source is set. The code that
/// accepts connections adds it to requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "it is an address and nothing more"
)]
pub struct PeerAddr(pub SocketAddr);

/// The address as a number, without its width.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// The leading `prefix` bits of a number of `width` bits. `prefix` is at most `width`.
fn mask(prefix: u8, width: u8) -> u128 {
    let ones = |count: u8| u128::MAX.checked_shr(128 - u32::from(count)).unwrap_or(0);
    ones(width) & !ones(width - prefix)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_its_first_and_last_address_and_not_their_neighbours() {
        for (text, inside, outside) in [
            (
                "10.42.0.0/16",
                ["10.42.0.0", "10.42.255.255"],
                ["10.41.255.255", "10.43.0.0"],
            ),
            (
                "192.0.2.6/31",
                ["192.0.2.6", "192.0.2.7"],
                ["192.0.2.5", "192.0.2.8"],
            ),
            (
                "192.0.2.7",
                ["192.0.2.7", "::ffff:192.0.2.7"],
                ["192.0.2.6", "::192.0.2.7"],
            ),
            (
                "0.0.0.0/0",
                ["0.0.0.0", "::ffff:255.255.255.255"],
                ["::1", "::"],
            ),
            (
                "fd00::/8",
                ["fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
                ["fcff::", "fe00::"],
            ),
            ("::/0", ["::", "ffff::"], ["0.0.0.0", "::ffff:1.2.3.4"]),
            ("::1", ["::1", "0:0::1"], ["::", "0.0.0.1"]),
            (
                "::ffff:10.0.0.0/104",
                ["10.0.0.0", "::ffff:10.255.255.255"],
                ["11.0.0.0", "::10.0.0.1"],
            ),
        ] {
            for address in inside {
                assert!(network(text).contains(ip(address)), "{text} {address}");
            }
            for address in outside {
                assert!(!network(text).contains(ip(address)), "{text} {address}");
            }
        }
    }

    #[test]
    fn what_is_not_a_network_is_refused_with_the_reason() {
        for (text, expected) in [
            ("", NetworkError::Address),
            ("10.0.0/8", NetworkError::Address),
            ("010.0.0.0/8", NetworkError::Address),
            (" 10.0.0.0/8", NetworkError::Address),
            ("ingress.example.org", NetworkError::Address),
            ("fe80::1%eth0", NetworkError::Address),
            ("10.0.0.0/33", NetworkError::Prefix),
            ("10.0.0.0/256", NetworkError::Prefix),
            ("10.0.0.0/", NetworkError::Prefix),
            ("10.0.0.0/+8", NetworkError::Prefix),
            ("10.0.0.0/8/8", NetworkError::Prefix),
            ("fd00::/129", NetworkError::Prefix),
            ("10.1.2.3/8", NetworkError::HostBits),
            ("fd00::1/64", NetworkError::HostBits),
            ("0.0.0.1/0", NetworkError::HostBits),
        ] {
            assert_eq!(text.parse::<Network>().unwrap_err(), expected, "{text:?}");
        }
        for text in ["", "10.0.0.0/8,", "10.0.0.0/8 fd00::/8"] {
            assert!(text.parse::<TrustedPeers>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_peer_is_trusted_only_if_named() {
        let none = TrustedPeers::default();
        let here = TrustedPeers::loopback();
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(!none.contains(ip(address)), "{address}");
            assert!(here.contains(ip(address)), "{address}");
        }
        for address in ["128.0.0.1", "::", "::2", "10.0.0.1"] {
            assert!(!here.contains(ip(address)), "{address}");
        }
        assert!(here.and(ip("10.0.0.1")).contains(ip("10.0.0.1")));
    }

    #[test]
    fn a_function_is_asked_for_unmapped_addresses() {
        let peers = TrustedPeers::when(|address| address == Ipv4Addr::new(192, 0, 2, 7));
        assert!(peers.contains(ip("::ffff:192.0.2.7")));
        assert!(!peers.contains(ip("192.0.2.8")));
        assert_eq!(format!("{peers:?}"), r#"["(a function)"]"#);
    }

    proptest! {
        #[test]
        fn a_network_holds_what_shares_its_leading_bits(
            one in any::<u128>(), other in any::<u128>(), v4: bool, prefix in 0u8..=128,
        ) {
            let width = if v4 { 32 } else { 128 };
            let prefix = prefix % (width + 1);
            let shift = width - prefix;
            let (one, other) = if v4 {
                (one >> 96, (one ^ (other >> 64)) >> 96)
            } else {
                (one, one ^ (other >> (other % 128)))
            };
            let cut = |n: u128| n.checked_shr(u32::from(shift)).unwrap_or(0);
            let first = cut(one).checked_shl(u32::from(shift)).unwrap_or(0);
            let address = |n: u128| -> IpAddr {
                if v4 { Ipv4Addr::from(n as u32).into() } else { Ipv6Addr::from(n).into() }
            };
            // Mapped addresses are tested by name above.
            prop_assume!(v4 || address(first).to_canonical().is_ipv6());
            prop_assume!(v4 || address(other).to_canonical().is_ipv6());

            let network = Network::new(address(first), prefix).unwrap();

            prop_assert_eq!(network.contains(address(other)), cut(one) == cut(other));
            prop_assert_eq!(network.to_string().parse::<Network>().unwrap(), network);
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "[0-9a-f:./%+]{0,24}") {
            let _ = text.parse::<TrustedPeers>();
        }
    }
}
