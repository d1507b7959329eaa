//! `tests/generated_coverage.rs`: every operation has a route and a test.

use std::path::PathBuf;

use quote::quote;

use super::super::model::Api;
use super::{Output, rust};

/// Writes the coverage test of a crate, which runs the suite in `tests/contract/mod.rs`.
pub(crate) fn coverage(krate: &str, apis: &[Api]) -> Result<Output, syn::Error> {
    let ids = apis.iter().flat_map(|api| {
        let operations = api.operations.iter();
        operations.map(|operation| format!("{}.{}", api.id, operation.id))
    });
    let code = quote! {
        //! Checks that every operation has a route in the emulator and a test.
        #![allow(clippy::unwrap_used, reason = "a test")]

        mod contract;

        const ALL: &[&str] = &[#(#ids),*];

        #[tokio::test]
        async fn the_contract_suite_drives_every_operation_to_success() {
            let driven = contract::run().await;
            let missing: Vec<_> = ALL.iter().filter(|id| !driven.contains(**id)).collect();
            assert!(missing.is_empty(), "tests/contract/mod.rs never succeeds with {missing:?}");
        }
    };
    Ok(Output {
        path: PathBuf::from(krate).join("tests/generated_coverage.rs"),
        text: rust(&format!("{krate}/api"), code)?,
    })
}
