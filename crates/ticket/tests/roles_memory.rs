//! The memory of a roles document, as a multiple of its text. In a separate program, since it
//! looks at the most memory that the program ever took.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;
use std::time::SystemTime;

use vouchsafe_ticket::{ErrorKind, Roles};

const SIZE: usize = 2 << 20;
/// How many times its text a document may take, beside the caller's copy of the text.
const MOST: u64 = 20;

#[test]
fn no_document_takes_many_times_its_size() {
    let before = memory("VmRSS");
    for (what, text) in [
        ("equal entities", equal_entities as fn() -> String),
        ("lists", lists),
        ("services", services),
        ("different entities", different_entities),
        ("combinations", combinations),
    ] {
        let text = text();
        forget_the_most();
        let roles = Roles::parse(&text, SystemTime::UNIX_EPOCH).unwrap();
        let taken = memory("VmHWM").saturating_sub(before + text.len() as u64);
        assert_eq!(roles.revision(), "r", "{what}");
        let times = taken / text.len() as u64;
        assert!(times <= MOST, "{what}: {times} times");
    }
}

#[test]
fn more_entities_than_a_document_may_have_are_refused() {
    let distinct = |count: u32| {
        let mut list = String::new();
        for number in 0..count {
            let _ = write!(list, "{{\"k\":\"{number:x}\"}},");
        }
        list.pop();
        Roles::parse(&role(&list), SystemTime::UNIX_EPOCH)
    };
    assert!(distinct(1000).is_ok());
    let error = distinct((1 << 20) + 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedRoles);
    assert!(error.message().contains("too many entries"), "{error}");
}

fn equal_entities() -> String {
    role(&trimmed("{},".repeat(SIZE / 3)))
}

/// Each list another one, of entities that are all alike.
fn lists() -> String {
    let mut lists = String::with_capacity(2 * SIZE);
    for length in 1.. {
        let _ = write!(lists, "\"{length:x}\":[{}{{}}],", "{},".repeat(length));
        if lists.len() > SIZE {
            break;
        }
    }
    tvm(&format!("\"1\":{{{}}}", trimmed(lists)))
}

fn services() -> String {
    let mut services = String::with_capacity(2 * SIZE);
    for id in 1_u32.. {
        let _ = write!(services, "\"{id}\":{{\"r\":[]}},");
        if services.len() > SIZE {
            break;
        }
    }
    tvm(&trimmed(services))
}

fn different_entities() -> String {
    let mut entities = String::with_capacity(2 * SIZE);
    for number in 0..85_000_u32 {
        let _ = write!(entities, "{{\"key\":\"value {number:08}\"}},");
    }
    role(&trimmed(entities))
}

/// Different entities of as little text as can be.
fn combinations() -> String {
    let letters = || ('\u{100}'..'\u{700}').step_by(4);
    let mut entities = String::with_capacity(2 * SIZE);
    for (key, value) in letters().flat_map(|key| letters().map(move |value| (key, value))) {
        let _ = write!(entities, "{{\"{key}\":\"{value}\"}},");
    }
    role(&trimmed(entities))
}

fn trimmed(mut list: String) -> String {
    list.pop();
    list
}

fn role(entities: &str) -> String {
    tvm(&format!("\"1\":{{\"role\":[{entities}]}}"))
}

fn tvm(services: &str) -> String {
    format!("{{\"revision\":\"r\",\"born_date\":1,\"tvm\":{{{services}}}}}")
}

/// Returns a line of what the kernel knows of this program's memory, in bytes.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|text| text.strip_prefix(line));
    let kilobytes = value.unwrap().trim_matches([':', ' ', '\t', 'k', 'B']);
    kilobytes.parse::<u64>().unwrap() << 10
}

/// Begins to look for the most memory that is taken from here on.
fn forget_the_most() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}
