//! The assertions of the fuzz targets. Tests run them too, over the corpora and changes of them.

pub mod acl;
pub mod answers;
pub mod astakos;
pub mod credentials;
pub mod emulators;
pub mod properties;
pub mod stored;
pub mod texts;
pub mod userinfo;
pub mod wazo_auth;

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
    ("journal", stored::journal),
    ("management", emulators::management),
    ("meta", properties::meta),
    ("metadata", answers::metadata),
    ("names", userinfo::names),
    ("numbers", astakos::numbers),
    ("peers", userinfo::peers),
    ("records", credentials::records),
    ("retry_after", answers::retry_after),
    ("retry_settings", properties::retry_settings),
    ("roles", properties::roles),
    ("sealed", stored::sealed),
    ("seeds", emulators::seeds),
    ("squares", properties::squares),
    ("ticket", properties::ticket),
    ("timestamps", texts::timestamps),
    ("token_answers", answers::token_answers),
    ("unpack", texts::unpack),
    ("urls", texts::urls),
];
