//! Compressed roles that would grow without limit. In a separate program, since it measures the
//! memory that the program ever took.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test")]

use vouchsafe_ticket::ErrorKind;
use vouchsafe_ticket::protocol::roles_codec::decode;

const LIMIT: usize = 1 << 20;
/// Far above what the program itself takes, far below what the bombs would.
const MOST_MEMORY: u64 = 128 << 20;

#[test]
fn bombs_take_no_memory() {
    let header = |codec: &str| format!("1:{codec}:5:{}", "0".repeat(64));

    let error = decode(Some(&header("zstd")), &zstd_bomb(), LIMIT).unwrap_err();
    let too_large = ErrorKind::Core(vouchsafe_core::ErrorKind::TooLarge);
    assert_eq!(error.kind(), too_large);

    // A window of 2^30 bytes, which decoders take at once, and a piece that is not the last.
    let window = [0x11, 30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let error = decode(Some(&header("brotli")), &window, LIMIT).unwrap_err();
    assert!(error.message().ends_with("large window"), "{error}");

    assert!(peak_memory() < MOST_MEMORY, "{} bytes", peak_memory());
}

/// 16 KiB that unpack to half a gigabyte, in a frame with the largest window that is decoded.
fn zstd_bomb() -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
    for block in 1..=4096 {
        let (size, repeat) = (0x2_0000_u32 << 3, 1 << 1);
        let header = size | repeat | u32::from(block == 4096);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().unwrap() << 10
}
