//! `tests/generated_coverage.rs`: every operation has a route and a test.

use std::path::PathBuf;

use quote::quote;

use super::super::model::Api;
use super::{Output, ident, rust};
use crate::codegen::names;

/// Writes the coverage test of a crate, which runs the suite in `tests/contract/mod.rs`.
pub(crate) fn coverage(krate: &str, apis: &[Api]) -> Result<Output, syn::Error> {
    let tables = apis.iter().map(|api| {
        let table = ident(&names::screaming(&api.id));
        let ids = api
            .operations
            .iter()
            .map(|operation| format!("{}.{}", api.id, operation.id));
        quote! {
            const #table: &[&str] = &[#(#ids),*];
        }
    });
    let names: Vec<_> = apis
        .iter()
        .map(|api| ident(&names::screaming(&api.id)))
        .collect();
    let code = quote! {
        //! Checks that every operation has a route in the emulator and a test.
        #![allow(clippy::unwrap_used, reason = "a test")]

        mod contract;

        #(#tables)*

        const ALL: &[&[&str]] = &[#(#names),*];

        #[tokio::test]
        async fn the_contract_suite_drives_every_operation_to_success() {
            let driven = contract::run().await;
            let missing: Vec<_> = ALL
                .iter()
                .flat_map(|ids| ids.iter())
                .filter(|id| {
                    !driven.iter().any(|seen| {
                        let seen: &str = seen.as_ref();
                        seen == **id
                    })
                })
                .collect();
            assert!(missing.is_empty(), "tests/contract/mod.rs never succeeds with {missing:?}");
        }
    };
    Ok(Output {
        path: PathBuf::from(krate).join("tests/generated_coverage.rs"),
        text: rust(&format!("{krate}/api"), code)?,
    })
}
