//! A large roles document: indexing it, and deciding by it.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::SystemTime;

use vouchsafe_bench_report::row::Row;
use vouchsafe_ticket::{Roles, TvmId, Uid};

use crate::measure::{self, Cost, Size};

const SERVICES: u32 = 2_000;
const USERS: u64 = 8_000;
const ROLES: u32 = 10;

pub fn run(size: Size) -> Vec<Row> {
    let document = document_of(false);
    let various = document_of(true);
    let roles = Roles::parse(&document, SystemTime::UNIX_EPOCH).expect("a good document");
    let decisions = size.pick(2_000, 20_000);
    let each = |decide: &dyn Fn(u32) -> bool| {
        Cost::of(|| {
            // A step without a common divisor with the numbers meets all.
            let mut at = 0;
            for _ in 0..decisions {
                at = (at + 617) % SERVICES;
                assert!(decide(black_box(at)));
            }
        })
        .0
    };
    let names: Vec<String> = (0..ROLES).map(|at| role(false, 0, at)).collect();
    let name = |at: u32| &names[(at % ROLES) as usize];
    let of_various = Roles::parse(&various, SystemTime::UNIX_EPOCH).expect("a good document");
    let own_names: Vec<String> = (0..SERVICES)
        .map(|at| role(true, at.into(), at % ROLES))
        .collect();
    let costs = measure::rounds(7, size.pick(5, 40), |case| match case {
        0 => Cost::of(|| black_box(Roles::parse(&document, SystemTime::UNIX_EPOCH).is_ok())).0,
        1 => Cost::of(|| black_box(serde_json::from_str::<serde_json::Value>(&document).is_ok())).0,
        2 => each(&|at| roles.of_service_id(TvmId::new(at)).has(name(at))),
        3 => each(&|at| {
            let roles = roles.of_uid(Uid::new(u64::from(at)));
            let kind = ["note", "page"][(at % 2) as usize];
            roles.has_entity(name(at), &[("place", "a"), ("kind", kind)])
        }),
        4 => Cost::of(|| black_box(Roles::parse(&various, SystemTime::UNIX_EPOCH).is_ok())).0,
        5 => each(&|at| {
            let roles = of_various.of_uid(Uid::new(u64::from(at)));
            let kind = &own_names[at as usize];
            roles.has_entity(kind, &[("place", "a"), ("kind", kind)])
        }),
        _ => each(&|at| {
            let roles = roles.of_uid(Uid::new(u64::from(at)));
            !roles.entities_with(name(at), &[("place", "a")]).is_empty()
        }),
    });
    let index = |case: usize| measure::least(&costs[case], |cost| cost.wall, 1e6);
    let decision = |case: usize, name: &str| {
        let each = f64::from(decisions);
        Row::alone(
            name,
            "ns",
            &measure::least(&costs[case], |cost| cost.wall, each),
        )
    };
    let reader = "serde_json::Value alone";
    vec![
        Row::alone("100,000 roles: index", "ms", &index(0)).at_most(100.0),
        Row::beside("100,000 roles: index", "ms", &index(0), reader, &index(1)),
        decision(2, "role").at_most(200.0),
        decision(3, "role with entity of two attributes").at_most(200.0),
        Row::alone("100,000 roles, no two alike: index", "ms", &index(4)),
        decision(5, "role with entity, no two alike"),
        decision(6, "list of entities with an attribute"),
    ]
}

/// Every subject has the same names of roles, or each has its own.
fn role(own: bool, subject: u64, number: u32) -> String {
    if own {
        format!("/group/system/role-{subject}-{number}/")
    } else {
        format!("/group/system/role-{number}/")
    }
}

/// A document with many equal roles, as from groups, or with only different ones.
fn document_of(various: bool) -> String {
    let subject = |at: u64| {
        let roles: Vec<String> = (0..ROLES)
            .map(|number| {
                let name = role(various, at, number);
                let kind = if various {
                    &name
                } else {
                    ["note", "page"][(at % 2) as usize]
                };
                format!(r#""{name}": [{{"place": "a", "kind": "{kind}"}}]"#)
            })
            .collect();
        format!(r#""{at}": {{{}}}"#, roles.join(", "))
    };
    let mut text = r#"{"revision": "r", "born_date": 1, "tvm": {"#.to_owned();
    let services: Vec<String> = (0..SERVICES).map(|at| subject(at.into())).collect();
    let users: Vec<String> = (0..USERS).map(subject).collect();
    let _ = write!(
        text,
        r#"{}}}, "user": {{{}}}}}"#,
        services.join(", "),
        users.join(", ")
    );
    text
}
