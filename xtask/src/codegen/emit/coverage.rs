//! `tests/generated_coverage.rs`: no operation without a route, a test and a page.

use std::path::PathBuf;

use quote::quote;

use super::super::model::Api;
use super::{Output, ident, rust};
use crate::codegen::names;

/// Writes the coverage test of a crate. It drives the suite in `tests/contract/mod.rs`.
pub(crate) fn coverage(krate: &str, apis: &[Api]) -> Result<Output, syn::Error> {
    let tables = apis.iter().map(|api| {
        let table = ident(&names::screaming(&api.id));
        let page = ident(&format!("{}_PAGE", names::screaming(&api.id)));
        let file = format!("../../../docs/api/{}.md", api.id);
        let ids = api
            .operations
            .iter()
            .map(|operation| format!("{}.{}", api.id, operation.id));
        quote! {
            const #table: &[&str] = &[#(#ids),*];
            const #page: &str = include_str!(#file);
        }
    });
    let pairs: Vec<_> = apis
        .iter()
        .map(|api| {
            let table = ident(&names::screaming(&api.id));
            let page = ident(&format!("{}_PAGE", names::screaming(&api.id)));
            quote!((#table, #page))
        })
        .collect();
    let code = quote! {
        //! No operation without a route in the emulator, a test that drives it, and a page.
        #![cfg(feature = "mock")]
        #![allow(clippy::unwrap_used, reason = "a test")]

        mod contract;

        #(#tables)*

        const ALL: &[(&[&str], &str)] = &[#(#pairs),*];

        #[tokio::test]
        async fn the_contract_suite_drives_every_operation_to_success() {
            let driven = contract::run().await;
            let missing: Vec<_> = ALL
                .iter()
                .flat_map(|(ids, _)| ids.iter())
                .filter(|id| {
                    !driven.iter().any(|seen| {
                        let seen: &str = seen.as_ref();
                        seen == **id
                    })
                })
                .collect();
            assert!(missing.is_empty(), "tests/contract/mod.rs never succeeds with {missing:?}");
        }

        #[test]
        fn every_operation_is_on_its_page() {
            for (ids, page) in ALL {
                for id in *ids {
                    assert!(page.contains(&format!("`{id}`")), "docs/api does not tell of {id}");
                }
            }
        }
    };
    Ok(Output {
        path: PathBuf::from(krate).join("tests/generated_coverage.rs"),
        text: rust(&format!("{krate}/api"), code)?,
    })
}
