//! Compressed bytes that would grow without limit. In a separate program, since it measures the
//! memory that the program ever took.

#![cfg(all(feature = "gzip", feature = "zstd", target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::Write as _;

use vouchsafe_core::ErrorKind;
use vouchsafe_core::unpack::{gzip, zstd};

const LIMIT: usize = 1 << 20;
/// Far above what the program itself takes, far below what the bombs would.
const MOST_MEMORY: u64 = 128 << 20;

#[test]
fn bombs_take_no_memory() {
    let error = gzip(&gzip_bomb(), LIMIT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);

    // As large as a block may be, which shows that the frame is built as it should be.
    let plain = zstd(&zstd_repeats(0xfffd, 1), LIMIT).unwrap();
    assert!(plain == vec![b'x'; 8 + 0x2_0000]);
    // Blocks that are larger are not Zstandard. These are for half a gigabyte, and for four.
    for times in [1, 4000, 0x7eff] {
        for limit in [LIMIT, usize::MAX] {
            let error = zstd(&zstd_repeats(0xffff, times), limit).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{times}, {limit}: {error}");
        }
    }
    assert!(peak_memory() < MOST_MEMORY, "{} bytes", peak_memory());
}

/// A megabyte that unpacks to 256.
fn gzip_bomb() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..256 {
        encoder.write_all(&[0; 1 << 20]).unwrap();
    }
    encoder.finish().unwrap()
}

/// A frame with eight bytes, then one block that repeats `65539 + more` bytes the given number of times.
fn zstd_repeats(more: u16, times: u16) -> Vec<u8> {
    let (no_checksum, window_of_8_mebibytes) = (0, 13 << 3);
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, no_checksum, window_of_8_mebibytes];
    frame.extend([8 << 3, 0, 0]);
    frame.extend(b"xxxxxxxx");

    let no_literals = 0;
    let mut block = vec![no_literals];
    block.extend((times | 0x8000).to_be_bytes());
    // The tables are of one code each: nothing before a repeat, the last offset but one, and the
    // longest repeat, whose length ends in 16 bits.
    block.extend([0b0101_0100, 0, 0, 52]);
    for _ in 0..times {
        block.extend(more.to_le_bytes());
    }
    let end_of_bits = 1;
    block.push(end_of_bits);

    let (compressed, last) = (2 << 1, 1);
    let header = (u32::try_from(block.len()).unwrap() << 3) | compressed | last;
    frame.extend(&header.to_le_bytes()[..3]);
    frame.extend(block);
    frame
}

fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().unwrap() << 10
}
