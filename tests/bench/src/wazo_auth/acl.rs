//! The cost of a decision over an access control list, compared with the regex crate's sets, which
//! are the service's own method at its fastest.

use std::hint::black_box;
use std::process::Command;

use regex::bytes::{RegexSet, RegexSetBuilder};
use vouchsafe_bench_report::row::Row;
use vouchsafe_wazo_auth::Acl;

use crate::measure::{self, Cost, Size};

const ALICE: &str = "5cdff4a3-24a3-494f-8d32-9c8695e868f9";
const SESSION: &str = "aa11bb22-0000-4000-8000-00000000abcd";

/// Patterns, and accesses that are asked of them.
pub struct Case {
    pub name: String,
    patterns: Vec<String>,
    accesses: Vec<String>,
}

pub fn cases() -> Vec<Case> {
    let (usual, covered, other) = usual();
    let mut cases = vec![
        case("100 usual patterns, covered", usual.clone(), covered),
        case("100 usual patterns, not covered", usual, other),
    ];
    for count in [1, 10, 100, 1000, 10_000] {
        let patterns = (0..count).map(|n| format!("{}.things.*.read", name(n)));
        let accesses = (0..count).step_by(count.div_ceil(64));
        let accesses = accesses.map(|n| format!("{}.things.{ALICE}.read", name(n)));
        let what = format!("{count} patterns without common prefix");
        cases.push(case(&what, patterns.collect(), accesses.collect()));
    }
    let inner = |n: usize| format!("calld.#.{}*{}.read", name(n), n % 7);
    let asked = |n: usize| format!("calld.lines.{}-{}.read", name(n), n % 7);
    let what = "100 patterns that only differ after a #";
    let (patterns, accesses) = (0..100).map(|n| (inner(n), asked(n))).unzip();
    cases.push(case(what, patterns, accesses));
    cases
}

/// The list of a user as services' default policies give it: a hundred patterns of ten services,
/// most with words or wildcards, two that forbid.
fn usual() -> (Vec<String>, Vec<String>, Vec<String>) {
    const SERVICES: [&str; 10] = [
        "auth",
        "calld",
        "call-logd",
        "chatd",
        "confd",
        "dird",
        "plugind",
        "provd",
        "setupd",
        "webhookd",
    ];
    const ENDINGS: [(&str, &str); 10] = [
        ("users.me.read", "users.{me}.read"),
        ("users.me.edit", "users.{me}.update"),
        (
            "users.me.sessions.my_session.delete",
            "users.{me}.sessions.{session}.delete",
        ),
        ("users.me.lines.*.read", "users.{me}.lines.17.read"),
        ("users.me.#.create", "users.{me}.services.dnd.create"),
        (
            "directories.lookup.*.read",
            "directories.lookup.default.read",
        ),
        (
            "directories.personal.*.*",
            "directories.personal.default.update",
        ),
        ("status.read", "status.read"),
        ("events.#", "events.calls.me.created"),
        ("config.*", "config.read"),
    ];
    let mut patterns = vec!["!auth.users.*.password.update".to_owned()];
    patterns.push("!confd.#.delete".to_owned());
    let (mut covered, mut other) = (Vec::new(), Vec::new());
    for (pattern, access) in ENDINGS {
        for service in SERVICES {
            patterns.push(format!("{service}.{pattern}"));
            let access = access.replace("{me}", ALICE).replace("{session}", SESSION);
            other.push(format!(
                "{service}.{}",
                access.replace("users", "groups") + "x"
            ));
            covered.push(format!("{service}.{access}"));
        }
    }
    patterns.truncate(100);
    let is_covered = |access: &String| access.ends_with(".read");
    covered.retain(is_covered);
    other.retain(|access| !access.contains("events") && !access.contains("config"));
    other.retain(|access| !access.contains("personal"));
    (patterns, covered, other)
}

fn case(name: &str, patterns: Vec<String>, accesses: Vec<String>) -> Case {
    Case {
        name: name.to_owned(),
        patterns,
        accesses,
    }
}

/// A name for a number; the first letters of two differ as far as they can.
fn name(n: usize) -> String {
    let first = char::from(b'a' + (n % 26) as u8);
    let second = char::from(b'a' + (n / 26 % 26) as u8);
    format!("{first}{second}{n}")
}

impl Case {
    pub fn ours(&self) -> impl FnMut(usize) -> usize + use<> {
        let acl = Acl::builder().auth_id(ALICE).session_uuid(SESSION);
        let acl = acl.build(self.patterns.iter().map(String::as_str));
        self.asking(move |access| acl.allows(access))
    }

    fn regex_set(&self) -> impl FnMut(usize) -> usize + use<> {
        let (forbidding, allowing): (Vec<_>, Vec<_>) = self
            .patterns
            .iter()
            .partition(|pattern| pattern.starts_with('!'));
        let forbidding = set(&forbidding);
        let allowing = set(&allowing);
        self.asking(move |access| {
            !forbidding.is_match(access.as_bytes()) && allowing.is_match(access.as_bytes())
        })
    }

    /// Checks all accesses in turn, and counts how many are allowed.
    fn asking<F: Fn(&str) -> bool>(&self, ask: F) -> impl FnMut(usize) -> usize + use<F> {
        let accesses = self.accesses.clone();
        let mut at = 0;
        move |times| {
            let mut allowed = 0;
            for _ in 0..times {
                at = (at + 1) % accesses.len();
                allowed += usize::from(black_box(ask(black_box(&accesses[at]))));
            }
            allowed
        }
    }
}

fn set(patterns: &[&String]) -> RegexSet {
    let patterns = patterns.iter().map(|pattern| {
        let pattern = regex::escape(pattern.trim_start_matches('!'));
        let pattern = pattern.replace(r"\*", "[^.#]*").replace(r"\#", ".*");
        let segments = pattern.split(r"\.").map(|segment| match segment {
            "me" => format!("(?:me|{ALICE})"),
            "my_session" => format!("(?:my_session|{SESSION})"),
            "edit" => "(?:edit|update)".to_owned(),
            other => other.to_owned(),
        });
        let segments: Vec<String> = segments.collect();
        format!(r"^{}\n?$", segments.join(r"\."))
    });
    let mut builder = RegexSetBuilder::new(patterns);
    builder
        .unicode(false)
        .size_limit(1 << 30)
        .dfa_size_limit(1 << 30);
    builder.build().expect("patterns")
}

pub fn run(size: Size) -> Vec<Row> {
    measure::pin(0);
    let allocations = allocations();
    let mut rows = Vec::new();
    for (case, allocations) in cases().into_iter().zip(allocations) {
        let (mut ours, mut peer) = (case.ours(), case.regex_set());
        let count = case.accesses.len() * size.pick(10, 200);
        assert_eq!(ours(count), peer(count), "{}", case.name);
        let costs = measure::rounds(2, size.pick(5, 101), |which| {
            Cost::of(|| if which == 0 { ours(count) } else { peer(count) }).0
        });
        let time = |at: usize| measure::median(&costs[at], |cost| cost.wall, count as f64);
        rows.push(Row::alone(&case.name, "ns", &time(0)).at_most(200.0));
        rows.push(Row::beside(
            &case.name,
            "ns",
            &time(0),
            "RegexSet",
            &time(1),
        ));
        assert!(
            allocations == 0.0,
            "{}: {allocations} allocations",
            case.name
        );
    }
    rows
}

/// Returns how often a decision of each case allocates, counted by a separate program.
fn allocations() -> Vec<f64> {
    let program = std::env::current_exe().expect("this program has a path");
    let program = program.with_file_name("vouchsafe-bench-memory");
    let output = Command::new(program).arg("acl").output();
    let output = output.expect("the other program is built too");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no numbers: {output:?}"))
}
