//! The properties that the fuzz targets look for, on a few thousand inputs: seeds that get far,
//! and changes of them.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a test"
)]

#[path = "../../../tests/fuzz/src/properties.rs"]
mod properties;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Runs a property on the seeds, and on each with bytes changed, dropped and added.
fn smoke(property: fn(&[u8]), seeds: &[&[u8]], cases: u32) {
    property(&[]);
    for seed in seeds {
        property(seed);
    }
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4u8);
    let change = prop::collection::vec(change, 0..8);
    let seed = prop::sample::select(seeds.iter().map(|seed| seed.to_vec()).collect::<Vec<_>>());
    let mutated = (seed, change).prop_map(|(mut bytes, changes)| {
        for (place, byte, how) in changes {
            let at = place.index(bytes.len() + 1);
            match how {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => bytes[at] ^= 1 << (byte % 8),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    });
    let bytes = prop_oneof![mutated, prop::collection::vec(any::<u8>(), 0..200)];
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&bytes, |bytes| {
        property(&bytes);
        Ok(())
    });
    outcome.unwrap();
}

/// Messages of tickets of both types, with all there is in them.
const SERVICE: &[u8] = &[
    8, 16, 16, 0xff, 0xff, 0xff, 0x7f, 34, 9, 8, 1, 16, 2, 26, 1, b'a', 32, 5,
];
const USER: &[u8] = &[
    8, 16, 16, 0xff, 0xff, 0xff, 0x7f, 26, 18, 10, 2, 8, 7, 16, 7, 26, 1, b'b', 32, 3, 40, 1, 50,
    1, b'l', 56, 1,
];

#[test]
fn tickets() {
    let text: &[u8] = b"3:serv:CBAQ__________9_IgQIARAC:AAAA";
    let groups: &[u8] = &[11, 8, 1, 12, 8, 16, 16, 5];
    smoke(properties::ticket, &[SERVICE, USER, text, groups], 2000);
}

#[test]
fn squares() {
    let square = |choice: u8, modulus: u8, signature: u8| {
        let size = if choice & 1 == 0 { 128 } else { 256 };
        let mut bytes = vec![choice];
        bytes.extend(vec![modulus; size]);
        bytes.extend(vec![signature; size]);
        bytes
    };
    let seeds = [
        square(0, 0xFF, 0x7F),
        square(1, 0xFF, 0x7F),
        square(0, 0, 0x3F),
        square(1, 0, 0x3F),
        square(14, 0xA5, 0),
        square(15, 0xFF, 0),
    ];
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    smoke(properties::squares, &seeds, 4000);
}

#[test]
fn containers() {
    let key: &[u8] = &[18, 14, 10, 12, 8, 6, 16, 0, 26, 6, 48, 4, 2, 2, 0x7f, 0xfd];
    let user: &[u8] = &[
        10, 16, 10, 12, 8, 6, 16, 0, 26, 6, 48, 4, 2, 2, 0x7f, 0xfd, 16, 1,
    ];
    smoke(properties::container, &[key, user, b"1:AAAA\n"], 4000);
}

#[test]
fn roles() {
    let document = br#"{"revision":"r","born_date":1,"tvm":{"1":{"/r/":[{},{"a":"b","c":"d"},{"c":"e"}]}},"user":{"7":{"x":[]}}}"#;
    smoke(properties::roles, &[document], 4000);
}

#[test]
fn files_of_the_disk_cache() {
    let tickets: &[u8] = b"\0\0\0\0\0\0\0\0[{\"1\":{\"ticket\":\"t\"}}]\t42";
    smoke(
        properties::disk_cache,
        &[tickets, b"12345678{}\tslug"],
        4000,
    );
}

#[test]
fn answers_of_tvmtool() {
    let meta = br#"{"bb_env":"Test","tenants":[{"self":{"alias":"me","client_id":1},"dsts":[{"alias":"a","client_id":1}]}]}"#;
    let tickets = br#"{"a":{"ticket":"t","tvm_id":1},"b":{"error":"e","tvm_id":1}}"#;
    smoke(properties::meta, &[meta, tickets], 4000);
}

#[test]
fn packed_roles() {
    let gzip: &[u8] = &[
        0, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 0x4b, 4, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0,
    ];
    let zstd: &[u8] = &[2, 0x28, 0xb5, 0x2f, 0xfd, 4, 0, 9, 0, 0, b'a', 0, 0, 0, 0];
    let header: &[u8] = b"\x011:gzip:1:";
    smoke(
        properties::codecs,
        &[gzip, zstd, header, &[1, 0x0b, 0, 0x80, b'a', 3]],
        4000,
    );
}

#[test]
fn settings_of_retries() {
    let all: &[u8] = &[
        8, 1, 16, 60, 25, 0, 0, 0, 0, 0, 0, 0, 64, 33, 0, 0, 0, 0, 0, 0, 0xe0, 63, 40, 5, 96, 7,
    ];
    smoke(properties::retry_settings, &[all, b"CAEQ"], 4000);
}
