#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "dynamodb", feature = "secrets-manager", feature = "kms")),
    allow(dead_code, reason = "without a service there is nothing to call")
)]

mod aws;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod http_client;
#[cfg(feature = "kms")]
mod kms;
#[cfg(feature = "secrets-manager")]
mod secrets_manager;
mod server_clock;
#[cfg(all(
    test,
    any(feature = "dynamodb", feature = "secrets-manager", feature = "kms")
))]
mod testing;
#[cfg(test)]
#[cfg(feature = "dynamodb")]
mod tests;

pub use aws::{Aws, AwsBuilder};
pub use aws_types::SdkConfig;
pub use aws_types::region::Region;
#[cfg(feature = "dynamodb")]
#[cfg_attr(docsrs, doc(cfg(feature = "dynamodb")))]
pub use dynamodb::DynamoStore;
pub use http_client::http_client;
#[cfg(feature = "kms")]
#[cfg_attr(docsrs, doc(cfg(feature = "kms")))]
pub use kms::KmsKeys;
#[cfg(feature = "secrets-manager")]
#[cfg_attr(docsrs, doc(cfg(feature = "secrets-manager")))]
pub use secrets_manager::SecretsManagerStore;
