//! No builder shows a secret in a URL that it was given, and neither do the error of its `build` and
//! what it built.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use vouchsafe::core::Secret;
use vouchsafe::core::auth::oauth::ClientCredentials;
use vouchsafe::stores::etcd::EtcdStore;
use vouchsafe::stores::memcached::MemcachedStore;
use vouchsafe::stores::nats::NatsStore;
use vouchsafe::stores::vault::VaultStore;
use vouchsafe::{astakos, cloud_credentials as cloud, ticket, userinfo, wazo_auth};

/// A setter, the scheme of its URL, and all that is shown if it is given a text.
type Setter = (&'static str, &'static str, fn(&str) -> String);

/// All setters of builders that take a URL or a part of one as text.
const SETTERS: &[Setter] = &[
    ("core ClientCredentials::builder", "https", |text| {
        let builder = ClientCredentials::builder(text, "id", Secret::from("hunter2"));
        shown(&builder, builder.clone().build())
    }),
    (
        "cloud-credentials CredentialsBuilder::issuer",
        "https",
        |text| credentials(cloud::Credentials::builder().issuer(text)),
    ),
    (
        "cloud-credentials CredentialsBuilder::token_url",
        "https",
        |text| credentials(cloud::Credentials::builder().token_url(text)),
    ),
    (
        "cloud-credentials CredentialsBuilder::revocation_url",
        "https",
        |text| credentials(cloud::Credentials::builder().revocation_url(text)),
    ),
    (
        "cloud-credentials CredentialsBuilder::authorization_url",
        "https",
        |text| credentials(cloud::Credentials::builder().authorization_url(text)),
    ),
    (
        "cloud-credentials CredentialsBuilder::token_endpoint",
        "https",
        |text| credentials(cloud::Credentials::builder().token_endpoint(text)),
    ),
    (
        "cloud-credentials CredentialsBuilder::device_authorization_url",
        "https",
        |text| credentials(cloud::Credentials::builder().device_authorization_url(text)),
    ),
    (
        "cloud-credentials CredentialsBuilder::developer_token_provider",
        "https",
        |text| credentials(cloud::Credentials::builder().developer_token_provider(text)),
    ),
    (
        "cloud-credentials ClientBuilder::base_url",
        "https",
        |text| {
            let builder = cloud::Client::builder().base_url(text);
            shown(&builder, builder.clone().build())
        },
    ),
    (
        "cloud-credentials HttpClientBuilder::base_url",
        "https",
        |text| {
            let builder = cloud::HttpClient::builder().base_url(text);
            shown(&builder, builder.clone().build())
        },
    ),
    (
        "cloud-credentials HttpClientBuilder::allow_url",
        "https",
        |text| {
            let builder = cloud::HttpClient::builder().allow_url(text);
            shown(&builder, builder.clone().build())
        },
    ),
    ("userinfo ClientBuilder::repertoire_url", "https", |text| {
        let builder = userinfo::Client::builder().repertoire_url(text);
        shown(&builder, builder.clone().build())
    }),
    ("userinfo ClientBuilder::base_url", "https", |text| {
        let builder = userinfo::discovery::Client::builder().base_url(text);
        shown(&builder, builder.clone().build())
    }),
    ("astakos ClientBuilder::auth_url", "https", |text| {
        let builder = astakos::Client::builder().auth_url(text);
        shown(&builder, builder.clone().build())
    }),
    ("astakos ClientBuilder::base_url", "https", |text| {
        let builder = astakos::Client::builder().base_url(text);
        shown(&builder, builder.clone().build())
    }),
    ("astakos Prefixes::all", "https", |text| {
        let builder = astakos::Client::builder().base_url("https://h.example");
        let builder = builder.prefixes(astakos::Prefixes::all(text));
        // A path that is one is no secret.
        shown(&builder, builder.clone().build().map(drop))
    }),
    ("ticket TvmApiBuilder::tvm_url", "https", |text| {
        let builder = ticket::Client::tvm_api(1).check_service_tickets();
        let builder = builder.tvm_url(text);
        shown(&builder, builder.validate())
    }),
    (
        "ticket TvmApiBuilder::tvm_url_like_python",
        "https",
        |text| {
            let builder = ticket::Client::tvm_api(1).check_service_tickets();
            match builder.tvm_url_like_python(text) {
                Ok(builder) => shown(&builder, builder.validate()),
                Err(error) => shown(&"", Err::<(), _>(error)),
            }
        },
    ),
    ("ticket TvmApiBuilder::tirole_url", "https", |text| {
        let builder = ticket::Client::tvm_api(1).check_service_tickets();
        let builder = builder.tirole_url(text);
        shown(&builder, builder.validate())
    }),
    ("ticket TvmToolBuilder::host", "https", |text| {
        let builder = ticket::Client::tvmtool("me").host(text);
        shown(&builder, builder.validate())
    }),
    ("wazo-auth ClientBuilder::host", "https", |text| {
        let builder = wazo_auth::Client::builder().host(text);
        shown(&builder, builder.clone().build())
    }),
    ("wazo-auth ClientBuilder::prefix", "https", |text| {
        let builder = wazo_auth::Client::builder().host("h").prefix(text);
        shown(&builder, builder.clone().build().map(drop))
    }),
    ("wazo-auth ClientBuilder::version", "https", |text| {
        let builder = wazo_auth::Client::builder().host("h").version(text);
        shown(&builder, builder.clone().build().map(drop))
    }),
    ("etcd EtcdStore::builder", "https", |text| {
        let builder = EtcdStore::builder(text);
        shown(&builder, builder.clone().build())
    }),
    ("etcd EtcdStoreBuilder::member", "https", |text| {
        let builder = EtcdStore::builder("https://h").member(text);
        shown(&builder, builder.clone().build())
    }),
    ("memcached MemcachedStore::builder", "memcacheds", |text| {
        let builder = MemcachedStore::builder(text);
        shown(&builder, builder.clone().build())
    }),
    ("nats NatsStore::builder", "tls", |text| {
        let builder = NatsStore::builder(text);
        shown(&builder, builder.clone().build())
    }),
    ("vault VaultStore::builder", "https", |text| {
        let builder = VaultStore::builder(text).token(Secret::from("hunter2"));
        shown(&builder, builder.clone().build())
    }),
];

/// What takes a URL, too, but is no setting of a builder.
const OTHERS: &[&str] = &[
    // A request, whose own test does the same.
    "cloud-credentials HttpClient::request",
    // A field of a form that is sent.
    "wazo-auth SamlForm::acs_url",
];

/// Where a URL holds a secret by design or by mistake; `S` is its scheme.
const TEXTS: &[&str] = &[
    "S://user:planted@h.example",
    "S://planted@h.example/",
    "S://user:pla/planted@h.example",
    "S://user:pla?planted@h.example",
    "S://user:pla#planted@h.example",
    "S://user:planted%40h.example",
    "S://user:planted",
    "S://h.example/?key=planted",
    "S://h.example/?key=planted@h.example",
    "S://h.example/#planted",
    "S://h.example/x y?key=planted",
    "user:planted@h.example",
    "planted@h.example",
    "h.example?key=planted",
];

#[test]
fn no_builder_shows_a_secret_of_a_url() {
    for (name, scheme, set) in SETTERS {
        for text in TEXTS {
            let text = text.replacen('S', scheme, 1);
            let shown = set(&text);
            assert!(!shown.contains("planted"), "{name} with {text}: {shown}");
        }
    }
}

/// A builder that showed nothing would pass the test above.
#[test]
fn builders_show_where_they_lead() {
    for (name, scheme, set) in SETTERS {
        let text = match name.rsplit_once("::").unwrap() {
            (_, "host") => "shown.example".to_owned(),
            (_, "prefix" | "version" | "all") => "shown.example/a".to_owned(),
            _ => format!("{scheme}://shown.example"),
        };
        let shown = set(&text);
        assert!(shown.contains("shown.example"), "{name}: {shown}");
    }
}

/// Setters are found by the names of their parameters.
#[test]
fn every_setter_of_a_url_is_tried() {
    let known = SETTERS.iter().map(|(name, ..)| *name);
    let known: BTreeSet<&str> = known.chain(OTHERS.iter().copied()).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut found = 0;
    for file in sources(&root) {
        let path = file.strip_prefix(&root).unwrap();
        let mut folders = path.iter().map(|name| name.to_str().unwrap());
        let name = folders.find(|name| *name != "stores").unwrap();
        for setter in setters(&fs::read_to_string(&file).unwrap()) {
            let setter = format!("{name} {setter}");
            assert!(
                known.contains(&*setter),
                "{setter} takes a URL: try it here"
            );
            found += 1;
        }
    }
    assert!(found > 20, "only {found} were found");
}

fn credentials(builder: cloud::CredentialsBuilder) -> String {
    shown(&builder, builder.clone().build())
}

/// All that is shown of a builder, and of what came of it.
fn shown<T: Debug>(builder: &impl Debug, built: Result<T, impl Error + 'static>) -> String {
    let mut all = format!("{builder:?} {builder:#?}");
    match built {
        Ok(built) => all += &format!("{built:?}"),
        Err(error) => {
            let mut cause: Option<&dyn Error> = Some(&error);
            while let Some(error) = cause {
                all += &format!("{error} {error:?}");
                cause = error.source();
            }
        }
    }
    all
}

/// Returns the sources of all crates but their emulators and the program.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["mock", "cli", "tests", "generated", "target"].contains(&name) {
            files.append(&mut sources(&path));
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    files
}

/// Returns the public functions of a file that take the text of a URL, as `Type::name`.
fn setters(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut owner, mut at) = ("", 0);
    for line in text.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix("impl ") {
            owner = word(rest.rsplit(" for ").next().unwrap());
        }
        let Some(rest) = line.strip_prefix("pub fn ") else {
            continue;
        };
        // As far as it is written on several lines.
        let signature = text[begin..].split('{').next().unwrap();
        let takes_url = signature.split(['(', ',']).any(|parameter| {
            let (name, kind) = parameter.trim().split_once(": ").unwrap_or_default();
            let is_place = ["url", "issuer", "host"]
                .iter()
                .any(|end| name.ends_with(end));
            is_place && kind.starts_with("impl Into<String>")
        });
        if takes_url {
            found.push(format!("{owner}::{}", word(rest)));
        }
    }
    found
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}
