//! Decompression of bytes from elsewhere, within limits: a few kilobytes can stand for gigabytes.

use crate::{Error, ErrorKind, Result};

/// Decompresses gzip (RFC 1952), of one or several members.
///
/// Decoding stops at `limit` bytes, and uses memory of that order.
///
/// # Errors
///
/// [`ErrorKind::Decode`] if the bytes are not gzip or are cut off, [`ErrorKind::TooLarge`] if the
/// result is larger than `limit`.
#[cfg(feature = "gzip")]
#[cfg_attr(docsrs, doc(cfg(feature = "gzip")))]
pub fn gzip(packed: &[u8], limit: usize) -> Result<Vec<u8>> {
    read(flate2::read::MultiGzDecoder::new(packed), limit)
}

/// Decompresses Zstandard (RFC 8878), of one or several frames.
///
/// Decoding stops at `limit` bytes, and uses memory of that order, whatever window a frame declares.
///
/// # Errors
///
/// As [`gzip`].
#[cfg(feature = "zstd")]
#[cfg_attr(docsrs, doc(cfg(feature = "zstd")))]
pub fn zstd(mut packed: &[u8], limit: usize) -> Result<Vec<u8>> {
    use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
    use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

    // The crate's own reader is not used, since it holds a frame's whole window, whose size the frame
    // itself sets, so that its memory would be unbounded.
    let mut plain = Vec::new();
    // Bytes without any frame are not an empty document.
    loop {
        // Created again for each frame: a reused decoder allocates the window before it is needed.
        let mut frame = FrameDecoder::new();
        match frame.reset(&mut packed) {
            Ok(()) => {
                let room = limit - plain.len();
                let step = BlockDecodingStrategy::UptoBytes(room + 1);
                let is_whole = frame.decode_blocks(&mut packed, step);
                if !is_whole.map_err(|cause| unreadable(&cause))? || frame.can_collect() > room {
                    return Err(too_large(limit));
                }
                let copied = frame.collect_to_writer(&mut plain);
                copied.map_err(|cause| unreadable(&cause))?;
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let behind = packed.get(length as usize..);
                packed = behind.ok_or_else(|| unreadable(&"cut off"))?;
            }
            Err(cause) => return Err(unreadable(&cause)),
        }
        if packed.is_empty() {
            return Ok(plain);
        }
    }
}

/// Reads from a decoder to its end, at most `limit` bytes: for other forms of compression.
///
/// # Errors
///
/// [`ErrorKind::Decode`] if the decoder fails, [`ErrorKind::TooLarge`] if there are more bytes than
/// `limit`.
pub fn read(decoder: impl std::io::Read, limit: usize) -> Result<Vec<u8>> {
    use std::io::Read as _;

    let mut plain = Vec::new();
    let beyond = (limit as u64).saturating_add(1);
    let copied = decoder.take(beyond).read_to_end(&mut plain);
    copied.map_err(|cause| unreadable(&cause))?;
    if plain.len() > limit {
        return Err(too_large(limit));
    }
    Ok(plain)
}

fn unreadable(cause: &dyn std::fmt::Display) -> Error {
    let what = format!("the bytes cannot be decompressed: {cause}");
    Error::new(ErrorKind::Decode, what)
}

fn too_large(limit: usize) -> Error {
    let what = format!("decompressed, it is larger than the {limit} bytes allowed");
    Error::new(ErrorKind::TooLarge, what)
}

#[cfg(test)]
#[cfg(all(feature = "gzip", feature = "zstd"))]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzipped(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn members_of_gzip_are_joined_and_bounded_together() {
        let packed = [gzipped(b"one"), gzipped(b"two")].concat();
        assert_eq!(gzip(&packed, 6).unwrap(), b"onetwo");
        assert_eq!(gzip(&packed, 5).unwrap_err().kind(), ErrorKind::TooLarge);
        for cut in [1, packed.len() / 2 + 3, packed.len() - 1] {
            let error = gzip(&packed[..cut], 6).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{cut}");
        }
    }

    #[test]
    fn what_grows_without_end_is_cut_at_the_limit() {
        let bomb = gzipped(&vec![0; 16 << 20]);
        assert!(bomb.len() < 20_000);
        let error = gzip(&bomb, 1 << 20).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }

    #[test]
    fn garbage_is_an_error() {
        for packed in [&b""[..], b"no such thing"] {
            assert_eq!(gzip(packed, 100).unwrap_err().kind(), ErrorKind::Decode);
            assert_eq!(zstd(packed, 100).unwrap_err().kind(), ErrorKind::Decode);
        }
    }

    /// A frame with blocks of 128 KiB that each repeat one byte.
    fn zstd_frame(blocks: usize) -> Vec<u8> {
        let (magic, no_checksum, window_of_a_gigabyte) = ([0x28, 0xb5, 0x2f, 0xfd], 0, 20 << 3);
        let mut frame = [&magic[..], &[no_checksum, window_of_a_gigabyte]].concat();
        for block in 1..=blocks {
            let repeat = 1 << 1;
            let header = (0x2_0000_u32 << 3) | repeat | u32::from(block == blocks);
            frame.extend(&header.to_le_bytes()[..3]);
            frame.push(b'x');
        }
        frame
    }

    #[test]
    fn frames_of_zstd_are_joined_and_bounded_together() {
        let block = vec![b'x'; 0x2_0000];
        let plain = [&block[..], &block, &block].concat();
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0][..], b"no"].concat();
        let packed = [zstd_frame(2), skipped, zstd_frame(1)].concat();
        assert!(zstd(&packed, plain.len()).unwrap() == plain);
        for cut in [1, packed.len() - 5, packed.len() - 1] {
            assert!(zstd(&packed[..cut], plain.len()).is_err());
        }
        let trailing = [&packed[..], b"x"].concat();
        assert!(zstd(&trailing, plain.len()).is_err());
        let error = zstd(&zstd_frame(4), plain.len()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
}
