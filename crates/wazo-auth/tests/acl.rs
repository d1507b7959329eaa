//! Access control lists: what they allow, and that a second way decides the same.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../../../tests/fuzz/src/acl.rs"]
#[allow(
    unreachable_pub,
    missing_docs,
    reason = "an oracle that other tests use too"
)]
mod oracle;

use proptest::prelude::*;
use vouchsafe_wazo_auth::Acl;
use vouchsafe_wazo_auth::acl::{AccessTemplate, Decision, Rules};

const ALICE: &str = "5cdff4a3-24a3-494f-8d32-9c8695e868f9";
const SESSION: &str = "aa11bb22-0000-4000-8000-00000000abcd";

/// A list of Alice's patterns.
fn hers<const N: usize>(patterns: [&str; N]) -> Acl {
    let acl = Acl::builder().auth_id(ALICE).session_uuid(SESSION);
    acl.build(patterns)
}

#[track_caller]
fn check(acl: &Acl, allowed: &[&str], refused: &[&str]) {
    for access in allowed {
        assert!(acl.allows(access), "{access:?} is refused by {acl}");
    }
    for access in refused {
        assert!(!acl.allows(access), "{access:?} is allowed by {acl}");
    }
}

#[test]
fn a_star_stays_within_a_segment_and_a_hash_does_not() {
    check(
        &hers(["a.*"]),
        &["a.", "a.b"],
        &["a", "a.b.c", "a.#", "a.b#"],
    );
    check(&hers(["a.#"]), &["a.", "a.b.c", "a.#", "a.*"], &["a", "ab"]);
    check(
        &hers(["a.*.c"]),
        &["a..c", "a.b.c"],
        &["a.c", "a.b.b.c", "a.#.c"],
    );
    check(&hers(["*"]), &["", "x"], &["x.y", "#"]);
    check(
        &hers(["b*r", "a#z"]),
        &["br", "beer", "az", "a.b.z"],
        &["b.r", "a"],
    );
    check(&hers([]), &[], &["", "a"]);
    check(&hers([""]), &[""], &["a"]);
}

#[test]
fn a_hash_may_be_followed_by_more() {
    check(
        &hers([
            "a.#.read",
            "a.#.x*.*",
            "#.b.c",
            "a.#.d.#.e",
            "f.#.me",
            "g.#.h#",
        ]),
        &[
            "a..read",
            "a.b.read",
            "a.b.c.read",
            "a.b.xy.",
            "a..x.z",
            "a.b.x.x.x",
            ".b.c",
            "a.b.c",
            "b.c.b.c",
            "a..d..e",
            "a.b.d.c.d.e.e",
            "f..me",
            &format!("f.g.{ALICE}"),
            "g.x.h.i.j",
        ],
        &[
            "a.read",
            "read",
            "a.read.b",
            "a.b.read.c",
            "a.b.xy",
            "a.x.y",
            "a.b.c.d",
            "b.c",
            "a.b.d.e",
            "a.d..e",
            "f.me",
            "f.g.me.h",
            "a.\n.read",
            "\n.b.c",
        ],
    );
}

#[test]
fn words_stand_for_the_ids_of_the_token_where_they_are_whole_segments() {
    let alice = format!("users.{ALICE}.read");
    check(
        &hers(["users.me.read"]),
        &[&alice, "users.me.read"],
        &["users.ALICE.read"],
    );
    check(
        &hers(["users.me*.read", "x_me"]),
        &["users.me2.read"],
        &[&alice, ALICE],
    );
    check(
        &hers(["my_session"]),
        &[SESSION, "my_session"],
        &[ALICE, "me"],
    );
    check(
        &hers(["#", "!me.me"]),
        &["me", ALICE],
        &["me.me", &format!("me.{ALICE}")],
    );
    check(
        &Acl::new(["users.me.read"]),
        &["users.me.read"],
        &[&alice, "users..read"],
    );
}

#[test]
fn edit_also_covers_update_and_not_the_other_way() {
    check(
        &hers(["x.edit"]),
        &["x.edit", "x.update"],
        &["x.editor", "x.read"],
    );
    check(&hers(["x.update"]), &["x.update"], &["x.edit"]);
}

#[test]
fn what_is_forbidden_is_not_allowed_by_any_other_pattern_in_any_order() {
    for acl in [hers(["!a.b", "a.#"]), hers(["a.#", "!a.b"])] {
        check(&acl, &["a.c"], &["a.b"]);
        assert_eq!(acl.decide("a.b"), Decision::Forbidden("!a.b"));
        assert_eq!(acl.decide("a.c"), Decision::Allowed("a.#"));
        assert_eq!(acl.decide("b").to_string(), "covered by no pattern");
    }
    // Only one mark is taken away.
    check(&hers(["#", "!!a"]), &["a"], &["!a"]);
}

#[test]
fn newlines_are_treated_as_by_the_service() {
    let acl = hers(["a.b", "c.*", "d.#", "e*#"]);
    let allowed = ["a.b\n", "c.x\ny", "d.x\n", "ex\ny", "ex\ny\n"];
    check(&acl, &allowed, &["a.b\n\n", "d.x\ny", "d.\n\n", "ex.\ny"]);
}

#[test]
fn an_id_with_a_dot_matches_any_character_there() {
    let acl = Acl::builder().auth_id("a.c").build(["u.me", "me.v"]);
    check(
        &acl,
        &["u.a.c", "u.a+c", "u.aéc", "u.me", "a.c.v"],
        &["u.ac", "u.a\nc", "u.a.c.d"],
    );
}

#[test]
fn old_rules_know_neither_prohibitions_nor_most_words() {
    let old = Acl::builder()
        .auth_id(ALICE)
        .session_uuid(SESSION)
        .rules(Rules::Old);
    let acl = old.build([
        "!a",
        "b.*",
        "me.x",
        "c.me",
        "d.me.x",
        "my_session",
        "e.edit",
        "me.f*f",
        "g*g.me",
    ]);
    let (c, d, g) = (
        format!("c.{ALICE}"),
        format!("d.{ALICE}.x"),
        format!("gg.{ALICE}"),
    );
    check(
        &acl,
        &["!a", "b.#", "c.me", &c, &d, "me.x", "me.ff", &g],
        &["a", &format!("{ALICE}.x"), &format!("{ALICE}.ff"), SESSION],
    );
    check(&acl, &["e.edit"], &["e.update"]);
    assert!(!acl.may_add("!b"));
}

#[test]
fn giving_needs_the_pattern_and_taking_a_prohibition_needs_what_it_forbids() {
    let acl = hers(["foo.*", "zed.#", "!zed.secret"]);
    for (pattern, may_add, may_remove) in [
        ("foo.bar", true, true),
        ("foo.#", false, false),
        ("zed.#", true, true),
        ("zed.secret", false, false),
        ("!zed.secret", true, false),
        ("!foo.bar", true, true),
        ("!other", true, false),
        ("!!foo.bar", true, false),
    ] {
        assert_eq!(acl.may_add(pattern), may_add, "{pattern}");
        assert_eq!(acl.may_remove(pattern), may_remove, "{pattern}");
    }
}

#[test]
fn a_list_is_written_and_read_as_its_patterns() {
    let acl = Acl::new(["a.*", "!a.b"]);
    let text = serde_json::to_string(&acl).unwrap();
    assert_eq!(text, r#"["a.*","!a.b"]"#);
    assert_eq!(serde_json::from_str::<Acl>(&text).unwrap(), acl);
    assert_eq!(acl.to_string(), "a.*, !a.b");
    assert_eq!(["a.*", "!a.b"].into_iter().collect::<Acl>(), acl);
    assert_ne!(hers(["a.*", "!a.b"]), acl);
    assert_eq!(format!("{:?}", hers(["me"])), r#"Acl(["me"])"#);
}

#[test]
fn a_template_names_its_parameters_and_is_shown_as_it_was_written() {
    let text = "confd.{kind}.{id}.read";
    let template: AccessTemplate = text.parse().unwrap();
    assert_eq!(template.parameters().collect::<Vec<_>>(), ["kind", "id"]);
    assert_eq!(template.to_string(), text);
    for (text, why) in [
        ("", "it is empty"),
        ("a\n", "it has control characters"),
        ("a}", "a `}` has no `{`"),
        ("{a}}", "a `}` has no `{`"),
        ("a{b", "a `{` has no `}`"),
        ("{}", "a parameter has no name"),
        ("{a{b}", "a parameter has no name"),
    ] {
        let refused = text.parse::<AccessTemplate>().unwrap_err().to_string();
        assert_eq!(
            refused,
            format!("{text:?} is not a template of an access: {why}")
        );
    }
}

#[test]
fn patterns_and_texts_made_to_be_slow_are_not() {
    let text = "a".repeat(20_000);
    let stars = format!("#{}b", "a*".repeat(100));
    assert!(!hers([&stars]).allows(&text));
    assert!(hers([&stars]).allows(&format!("{text}b")));
    let hashes = format!("{}#b", "#a".repeat(100));
    assert!(!hers([&hashes]).allows(&format!("{text}c")));
    let counts = (0..300).map(|count| format!("#{}.y", ".x".repeat(count)));
    assert!(!counts.collect::<Acl>().allows(&".x".repeat(10_000)));
    // Longer than there is room for on the stack.
    let text = "x".repeat(200_000);
    assert!(hers(["*y#", "*x#x"]).allows(&text));
}

#[test]
fn patterns_of_any_depth_need_no_stack() {
    for segment in ["me.", "*.", "a.*.", "edit.", "x."] {
        let pattern = segment.repeat(20_000);
        let acl = hers([&pattern]);
        assert!(acl.allows(&pattern.replace('*', "b")), "{segment}");
    }
    let chain: Vec<String> = (0..3000).map(|len| "a".repeat(len)).collect();
    let acl: Acl = chain.into_iter().collect();
    assert!(acl.allows(&"a".repeat(2999)) && !acl.allows(&"a".repeat(3000)));
}

/// Texts out of pieces that mean something.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("."),
        3 => prop::sample::select(vec!["a", "b", "ab", "x", "é", "日"]),
        2 => prop::sample::select(vec!["*", "#", "!", "\n", "*.", "#.", "-"]),
        2 => prop::sample::select(vec!["me", "my_session", "edit", "update"]),
        1 => prop::sample::select(vec![ALICE, SESSION, "me.", ".me", ".edit"]),
    ];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(ALICE.to_owned()),
        1 => Just("a.b".to_owned()),
        1 => Just(String::new()),
        1 => text(),
    ]
}

/// An access for a list: one of its patterns with the wildcards and words filled in, or any text.
fn access(patterns: Vec<String>) -> impl Strategy<Value = (Vec<String>, String)> {
    let filled = |pattern: String, star: &str, hash: &str, word: &str| {
        let pattern = pattern.trim_start_matches('!');
        let pattern = pattern.replace('*', star).replace('#', hash);
        pattern.replace("me", word)
    };
    let of_pattern = (prop::sample::select(patterns.clone()), text(), text(), id());
    let of_pattern = of_pattern
        .prop_map(move |(pattern, star, hash, word)| filled(pattern, &star, &hash, &word));
    (Just(patterns), prop_oneof![of_pattern, text()])
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_second_way_decides_the_same(
        flags in prop::sample::select(vec!["", "", "", "o", "m", "ms", "os"]),
        auth_id in id(),
        session_uuid in id(),
        (patterns, access) in prop::collection::vec(text(), 1..6).prop_flat_map(access),
    ) {
        let mut data = format!("{flags}\0{access}\0{auth_id}\0{session_uuid}");
        for pattern in &patterns {
            data.push('\0');
            data.push_str(pattern);
        }
        oracle::acl(data.as_bytes());
    }

    #[test]
    fn any_bytes_are_decided_the_same(bytes in prop::collection::vec(
        prop_oneof![any::<u8>(), prop::sample::select(b"\0\0.*#!am\n".to_vec())], 0..60)) {
        let mut data = b"\0".to_vec();
        data.extend(bytes);
        oracle::acl(&data);
    }
}
