//! The default state: a small cloud with random tokens.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::{Value, json};
use vouchsafe_core::Secret;
use vouchsafe_core::mock::random_token;

use super::seed::{
    CapacitySeed, ComponentSeed, MemberSeed, ProjectSeed, ResourceSeed, Seed, UserSeed,
};

impl Seed {
    /// Creates a small cloud: the users `alice`, `bob` and the operator `carol`, the components
    /// `cyclades` and `pithos`, a few resources, and the project `lab.example.org`, which alice
    /// owns and bob is a member of. Tokens are random for each call.
    ///
    /// A user has 2 machines, 4 cores and 1 GiB of storage. The project has 6 machines and 12
    /// cores, and each member may use at most 3 and 6 of them.
    #[must_use]
    pub fn sample() -> Self {
        let user = |number: u32, name: &str, is_admin| UserSeed {
            name: format!("{}{}", name[..1].to_uppercase(), &name[1..]),
            token_expires: Some("2999-01-01T00:00:00+00:00".to_owned()),
            project_admin: is_admin,
            ..UserSeed::new(
                uuid(1, number),
                format!("{name}@example.org"),
                random_token::<32>(),
            )
        };
        let users = vec![
            user(1, "alice", false),
            user(2, "bob", false),
            user(3, "carol", true),
        ];
        let components = [
            (
                "astakos",
                &["astakos_account", "astakos_identity", "astakos_oauth2"][..],
            ),
            ("cyclades", &["cyclades_compute"]),
            ("pithos", &["pithos_object-store"]),
        ];
        let members = [ALICE, BOB].map(|number| MemberSeed {
            user: uuid(1, number),
            state: "accepted".to_owned(),
        });
        let resources = [("cyclades.vm", 3, 6), ("cyclades.cpu", 6, 12)];
        let lab = ProjectSeed {
            owner: Some(uuid(1, ALICE)),
            description: Some("Machines of the lab".to_owned()),
            members: members.to_vec(),
            max_members: Some(10),
            resources: with_defaults(&resources),
            ..project(uuid(2, 1), "lab.example.org")
        };
        Self {
            users,
            components: components
                .map(|(name, services)| component(name, services))
                .to_vec(),
            service_catalog: catalog(),
            resources: RESOURCES.iter().map(resource).collect(),
            projects: vec![lab],
            ..Self::default()
        }
    }

    /// Adds this number of accepted users with the least data, for walks over many.
    #[must_use]
    pub fn crowd(mut self, count: u32) -> Self {
        self.users.extend((0..count).map(|number| {
            let uuid = uuid(9, number);
            let token = Secret::from(format!("crowd-token-{number:08}-{uuid}"));
            let username = format!("user{number}@crowd.example.org");
            UserSeed {
                name: format!("User {number}"),
                ..UserSeed::new(uuid, username, token)
            }
        }));
        self
    }
}

/// The number of each user of the sample.
pub(super) const ALICE: u32 = 1;
pub(super) const BOB: u32 = 2;
pub(super) const CAROL: u32 = 3;

/// The n-th uuid of a kind.
pub(super) fn uuid(kind: u16, number: u32) -> String {
    format!("{number:08x}-{kind:04x}-4000-8000-{number:012x}")
}

/// A project without resources and members.
fn project(uuid: String, name: &str) -> ProjectSeed {
    ProjectSeed {
        uuid,
        name: name.to_owned(),
        state: None,
        owner: None,
        homepage: String::new(),
        description: None,
        creation_date: None,
        deactivation_date: None,
        end_date: None,
        join_policy: None,
        leave_policy: None,
        max_members: None,
        private: false,
        system_project: false,
        resources: BTreeMap::new(),
        members: Vec::new(),
        application: Default::default(),
    }
}

fn component(name: &str, services: &[&str]) -> ComponentSeed {
    ComponentSeed {
        _base_url: IgnoredAny,
        name: name.to_owned(),
        token: random_token::<32>(),
        token_expires: None,
        services: services.iter().map(|&service| service.to_owned()).collect(),
        ui_url: Some(format!("https://{name}.example.org/ui")),
        verbose_name: None,
        order: None,
        cloudbar: None,
        dashboard: None,
    }
}

/// Name, service, unit, default of a user, and whether the API shows it.
const RESOURCES: &[(&str, &str, Option<&str>, i64, bool)] = &[
    ("astakos.pending_app", "astakos_account", None, 3, false),
    ("cyclades.vm", "cyclades_compute", None, 2, true),
    ("cyclades.cpu", "cyclades_compute", None, 4, true),
    ("cyclades.total_cpu", "cyclades_compute", None, 16, false),
    (
        "pithos.diskspace",
        "pithos_object-store",
        Some("bytes"),
        1 << 30,
        true,
    ),
];

fn resource(row: &(&str, &str, Option<&str>, i64, bool)) -> ResourceSeed {
    let (name, service, unit, default, is_visible) = *row;
    ResourceSeed {
        _service_type: IgnoredAny,
        name: name.to_owned(),
        service: service.to_owned(),
        description: format!("How much {name}"),
        unit: unit.map(str::to_owned),
        api_visible: is_visible,
        ui_visible: is_visible,
        project_default: if is_visible { 0 } else { i64::MAX },
        system_project_default: default,
    }
}

/// Capacities of members and project, with the default of each resource that is not named.
fn with_defaults(named: &[(&str, i64, i64)]) -> BTreeMap<String, CapacitySeed> {
    let capacities = RESOURCES.iter().map(|row| {
        let of_name = named.iter().find(|(name, ..)| *name == row.0);
        let default = resource(row).project_default;
        let (member, project) = of_name.map_or((default, default), |(_, m, p)| (*m, *p));
        let capacity = CapacitySeed {
            member_capacity: member,
            project_capacity: project,
        };
        (row.0.to_owned(), capacity)
    });
    capacities.collect()
}

fn catalog() -> Vec<Value> {
    let astakos = "https://accounts.example.org/astakos";
    [
        (
            "astakos_account",
            "account",
            "v1.0",
            format!("{astakos}/account/v1.0"),
        ),
        (
            "astakos_identity",
            "identity",
            "v2.0",
            format!("{astakos}/identity/v2.0"),
        ),
        (
            "astakos_oauth2",
            "astakos_auth",
            "",
            format!("{astakos}/oauth2"),
        ),
        (
            "cyclades_compute",
            "compute",
            "v2.0",
            "https://cyclades.example.org/compute/v2.0".to_owned(),
        ),
        (
            "pithos_object-store",
            "object-store",
            "v1",
            "https://pithos.example.org/object-store/v1".to_owned(),
        ),
    ]
    .map(|(name, kind, version, url)| {
        let host = url.split('/').take(3).collect::<Vec<_>>().join("/");
        let base = if name.starts_with("astakos") {
            "/astakos/ui"
        } else {
            "/ui"
        };
        json!({
            "name": name,
            "type": kind,
            "endpoints_links": [],
            "endpoints": [{
                "region": "default",
                "versionId": version,
                "publicURL": url,
                "SNF:uiURL": format!("{host}{base}"),
                "SNF:exposeVersion": "True",
            }],
        })
    })
    .to_vec()
}
