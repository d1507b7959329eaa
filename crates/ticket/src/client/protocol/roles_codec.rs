//! Compressed roles of tirole: the header `X-Tirole-Compression` and its codecs (protocol section
//! 13.1).

use sha2::{Digest, Sha256};
use vouchsafe_core::text::hex;
#[cfg(any(feature = "brotli", feature = "gzip", feature = "zstd"))]
use vouchsafe_core::unpack;

use crate::error::{Error, ErrorKind};

/// The header that describes the compression of a body.
pub const HEADER: &str = "x-tirole-compression";

/// Decompresses a body and verifies it against the header.
///
/// Whatever header and body say, decoding stops at `limit` bytes, and uses memory of that order:
/// the result, and the codec's window (at most 8 MiB for zstd, where larger ones are refused; 16 MB
/// for brotli).
///
/// # Errors
///
/// Of kind `Core(Decode)` with the problem; of kind `Core(TooLarge)` beyond the limit; of kind
/// `Core(Config)` for a codec that is not compiled in.
pub fn decode(header: Option<&str>, body: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    let Some(header) = header.filter(|header| !header.is_empty()) else {
        if body.len() > limit {
            return Err(too_large(limit));
        }
        return Ok(body.to_vec());
    };
    let packing = Packing::parse(header)?;
    // Not started if the result would not fit.
    if packing.size > limit {
        return Err(too_large(limit));
    }
    let decoded = packing.codec.decode(body, limit)?;
    if decoded.len() != packing.size {
        return Err(bad(format!(
            "Decoded blob has bad size: expected {}, actual {}",
            packing.size,
            decoded.len()
        )));
    }
    let digest = hex(&Sha256::digest(&decoded));
    if !digest.eq_ignore_ascii_case(packing.sha256) {
        return Err(bad(format!(
            "Decoded blob has bad sha256: expected={}, actual={digest}",
            packing.sha256
        )));
    }
    Ok(decoded)
}

/// The contents of the header.
struct Packing<'h> {
    codec: Codec,
    size: usize,
    sha256: &'h str,
}

impl<'h> Packing<'h> {
    fn parse(header: &'h str) -> Result<Self, Error> {
        let mut rest = header;
        let mut next = || {
            let (token, behind) = rest.split_once(':').unwrap_or((rest, ""));
            rest = behind;
            token
        };
        let (version, codec, size) = (next(), next(), next());
        if version != "1" {
            return Err(bad(format!(
                "unknown codec format version; known: 1; got: {version}"
            )));
        }
        if codec.is_empty() {
            return Err(bad("codec type is empty".to_owned()));
        }
        let is_number = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
        let size = size.parse().ok().filter(|_| is_number);
        let size = size.ok_or_else(|| bad("decoded blob size is not number".to_owned()))?;
        if rest.len() != 64 {
            return Err(bad(format!(
                "sha256 of decoded blob has invalid length: expected 64, got {}",
                rest.len()
            )));
        }
        Ok(Self {
            codec: Codec::named(codec)?,
            size,
            sha256: rest,
        })
    }
}

enum Codec {
    Brotli,
    Gzip,
    Zstd,
}

impl Codec {
    fn named(name: &str) -> Result<Self, Error> {
        match name.to_ascii_lowercase().as_str() {
            "brotli" => Ok(Self::Brotli),
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(bad(format!("unknown codec: '{name}'"))),
        }
    }

    fn decode(&self, body: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
        match self {
            #[cfg(feature = "brotli")]
            Self::Brotli => {
                // The extension for windows of up to a gigabyte, which are allocated at once. It is
                // not part of RFC 7932, and the original does not request it.
                if body.first().is_some_and(|byte| byte & 0x7f == 0x11) {
                    return Err(bad("blob cannot be decoded: large window".to_owned()));
                }
                let decoder = brotli_decompressor::Decompressor::new(body, 4096);
                unpack::read(decoder, limit).map_err(unreadable)
            }
            #[cfg(feature = "gzip")]
            Self::Gzip => unpack::gzip(body, limit).map_err(unreadable),
            #[cfg(feature = "zstd")]
            Self::Zstd => unpack::zstd(body, limit).map_err(unreadable),
            #[cfg(not(all(feature = "brotli", feature = "gzip", feature = "zstd")))]
            absent => Err(absent.not_compiled_in(body, limit)),
        }
    }

    #[cfg(not(all(feature = "brotli", feature = "gzip", feature = "zstd")))]
    fn not_compiled_in(&self, _body: &[u8], _limit: usize) -> Error {
        let name = match self {
            Self::Brotli => "brotli",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        };
        Error::new(
            ErrorKind::Core(vouchsafe_core::ErrorKind::Config),
            format!("roles came packed with {name}: turn on the feature `{name}` of this crate"),
        )
    }
}

#[cfg(any(feature = "brotli", feature = "gzip", feature = "zstd"))]
fn unreadable(error: vouchsafe_core::Error) -> Error {
    error.with_origin("blob cannot be decoded").into()
}

fn bad(message: String) -> Error {
    let decode = ErrorKind::Core(vouchsafe_core::ErrorKind::Decode);
    Error::new(decode, message)
}

fn too_large(limit: usize) -> Error {
    let too_large = ErrorKind::Core(vouchsafe_core::ErrorKind::TooLarge);
    Error::new(too_large, format!("roles are larger than {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn header(codec: &str, plain: &[u8]) -> String {
        format!("1:{codec}:{}:{}", plain.len(), hex(&Sha256::digest(plain)))
    }

    fn gzipped(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn without_a_header_the_body_is_as_it_is() {
        assert_eq!(decode(None, b"x", 1).unwrap(), b"x");
        assert_eq!(decode(Some(""), b"x", 1).unwrap(), b"x");
        assert!(decode(None, b"xy", 1).is_err());
    }

    #[test]
    fn a_body_that_grows_without_end_is_cut_at_the_limit() {
        let bomb = gzipped(&vec![0; 16 << 20]);
        let small = header("gzip", b"small");
        let error = decode(Some(&small), &bomb, 1 << 20).unwrap_err();
        let too_large = ErrorKind::Core(vouchsafe_core::ErrorKind::TooLarge);
        assert_eq!(error.kind(), too_large);
        let honest = header("gzip", &vec![0; 16 << 20]);
        let error = decode(Some(&honest), &bomb, 1 << 20).unwrap_err();
        assert_eq!(error.kind(), too_large);
    }

    #[test]
    fn garbage_is_an_error_for_every_codec() {
        for codec in ["gzip", "brotli", "zstd"] {
            let error = decode(Some(&header(codec, b"x")), b"no such thing", 1 << 10);
            assert!(error.is_err(), "{codec}");
            assert!(
                decode(Some(&header(codec, b"")), b"", 1 << 10).is_err(),
                "{codec}"
            );
        }
    }

    #[test]
    fn size_and_digest_are_enforced() {
        let packed = gzipped(b"roles");
        assert_eq!(
            decode(Some(&header("GZIP", b"roles")), &packed, 5).unwrap(),
            b"roles"
        );
        assert!(decode(Some(&header("gzip", b"role")), &packed, 5).is_err());
        assert!(decode(Some(&header("gzip", b"rolls")), &packed, 5).is_err());
    }
}
