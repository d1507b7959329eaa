#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "astakos")]
#[cfg_attr(docsrs, doc(cfg(feature = "astakos")))]
pub use vouchsafe_astakos as astakos;
#[cfg(feature = "cloud-credentials")]
#[cfg_attr(docsrs, doc(cfg(feature = "cloud-credentials")))]
pub use vouchsafe_cloud_credentials as cloud_credentials;
pub use vouchsafe_core as core;
#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub use vouchsafe_core::blocking;
#[cfg(feature = "ticket")]
#[cfg_attr(docsrs, doc(cfg(feature = "ticket")))]
pub use vouchsafe_ticket as ticket;
#[cfg(feature = "userinfo")]
#[cfg_attr(docsrs, doc(cfg(feature = "userinfo")))]
pub use vouchsafe_userinfo as userinfo;
#[cfg(feature = "wazo-auth")]
#[cfg_attr(docsrs, doc(cfg(feature = "wazo-auth")))]
pub use vouchsafe_wazo_auth as wazo_auth;

/// Implementations of [`Store`](vouchsafe_core::store::Store) that are crates of their own.
#[cfg(any(
    feature = "seal-kms",
    feature = "store-dynamodb",
    feature = "store-etcd",
    feature = "store-keyring",
    feature = "store-memcached",
    feature = "store-mongodb",
    feature = "store-nats",
    feature = "store-postgres",
    feature = "store-redis",
    feature = "store-secrets-manager",
    feature = "store-sqlite",
    feature = "store-vault"
))]
#[cfg_attr(
    docsrs,
    doc(cfg(any(
        feature = "seal-kms",
        feature = "store-dynamodb",
        feature = "store-etcd",
        feature = "store-keyring",
        feature = "store-memcached",
        feature = "store-mongodb",
        feature = "store-nats",
        feature = "store-postgres",
        feature = "store-redis",
        feature = "store-secrets-manager",
        feature = "store-sqlite",
        feature = "store-vault"
    )))
)]
pub mod stores {
    #[cfg(any(
        feature = "seal-kms",
        feature = "store-dynamodb",
        feature = "store-secrets-manager"
    ))]
    #[cfg_attr(
        docsrs,
        doc(cfg(any(
            feature = "seal-kms",
            feature = "store-dynamodb",
            feature = "store-secrets-manager"
        )))
    )]
    pub use vouchsafe_store_aws as aws;
    #[cfg(feature = "store-etcd")]
    #[cfg_attr(docsrs, doc(cfg(feature = "store-etcd")))]
    pub use vouchsafe_store_etcd as etcd;
    #[cfg(feature = "store-keyring")]
    #[cfg_attr(docsrs, doc(cfg(feature = "store-keyring")))]
    pub use vouchsafe_store_keyring as keyring;
    #[cfg(feature = "store-memcached")]
    #[cfg_attr(docsrs, doc(cfg(feature = "store-memcached")))]
    pub use vouchsafe_store_memcached as memcached;
    #[cfg(feature = "store-mongodb")]
    #[cfg_attr(docsrs, doc(cfg(feature = "store-mongodb")))]
    pub use vouchsafe_store_mongodb as mongodb;
    #[cfg(feature = "store-nats")]
    #[cfg_attr(docsrs, doc(cfg(feature = "store-nats")))]
    pub use vouchsafe_store_nats as nats;
    #[cfg(feature = "store-postgres")]
    #[cfg_attr(docsrs, doc(cfg(feature = "store-postgres")))]
    pub use vouchsafe_store_postgres as postgres;
    #[cfg(feature = "store-redis")]
    #[cfg_attr(docsrs, doc(cfg(feature = "store-redis")))]
    pub use vouchsafe_store_redis as redis;
    #[cfg(feature = "store-sqlite")]
    #[cfg_attr(docsrs, doc(cfg(feature = "store-sqlite")))]
    pub use vouchsafe_store_sqlite as sqlite;
    #[cfg(feature = "store-vault")]
    #[cfg_attr(docsrs, doc(cfg(feature = "store-vault")))]
    pub use vouchsafe_store_vault as vault;
}
