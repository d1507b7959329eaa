//! The assertions of the fuzz targets. Tests run them too, over the corpora and changes of them.

pub mod acl;
pub mod answers;
pub mod astakos;
pub mod credentials;
pub mod emulators;
pub mod pages;
pub mod properties;
mod script;
#[path = "../../tests/every/shown.rs"]
#[allow(dead_code, reason = "other tests use it too")]
mod shown;
pub mod stored;
pub mod stores;
pub mod texts;
pub mod userinfo;
pub mod wazo_auth;
pub mod wire;

/// The assertions about some bytes.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("acl", acl::acl),
    ("acl_templates", wazo_auth::templates),
    ("addresses", texts::addresses),
    ("answers", answers::answers),
    ("catalog", astakos::catalog),
    ("callback", credentials::callback),
    ("challenges", texts::challenges),
    ("claims", credentials::claims),
    ("codecs", properties::codecs),
    ("container", properties::container),
    ("cookies", astakos::cookies),
    ("credential_file", stored::credential_file),
    ("disk_cache", properties::disk_cache),
    ("emulators", emulators::emulators),
    ("ingress", userinfo::ingress),
    ("journal", stored::journal),
    ("kept", stored::kept),
    ("lifetimes", texts::lifetimes),
    ("management", emulators::management),
    ("meta", properties::meta),
    ("memcached", stores::memcached),
    ("metadata", answers::metadata),
    ("names", userinfo::names),
    ("numbers", astakos::numbers),
    ("pages", pages::pages),
    ("peers", userinfo::peers),
    ("records", credentials::records),
    ("retry_after", answers::retry_after),
    ("retry_settings", properties::retry_settings),
    ("roles", properties::roles),
    ("sealed", stored::sealed),
    ("seeds", emulators::seeds),
    ("squares", properties::squares),
    ("stores", stores::stores),
    ("ticket", properties::ticket),
    ("timestamps", texts::timestamps),
    ("token_answers", answers::token_answers),
    ("unpack", texts::unpack),
    ("urls", texts::urls),
    ("wire", wire::wire),
];
