//! What stores that log in must do with a refusal.

use super::{key, write};
use crate::store::{Expect, Store};
use crate::{ErrorKind, SecretBytes};

/// Checks a store that is logged in, and others whose login the server refuses with a text. No error
/// and no store may show "planted", which all passwords contain.
pub async fn check_logins(good: &dyn Store, refused: &[&dyn Store], told: &str) {
    assert!(write(good, Expect::Absent, "one").await.is_some());
    for store in refused {
        let value = SecretBytes::from(b"planted".to_vec());
        let (key, any) = (key(), Expect::Any);
        for error in [
            store.load(&key).await.map(drop).unwrap_err(),
            store
                .compare_and_swap(&key, &any, &value)
                .await
                .map(drop)
                .unwrap_err(),
            store.remove(&key, &any).await.map(drop).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Store);
            assert!(!error.is_retryable(), "{error}");
            assert!(error.to_string().contains(told), "{error}");
            let shown = format!("{error:?} {error} {store:?} {good:?}");
            assert!(!shown.contains("planted"), "{shown}");
        }
    }
    let there = super::read(good).await.unwrap();
    assert_eq!(super::text(&there), "one");
}
