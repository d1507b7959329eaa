//! `routes.rs`: what the emulator serves.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::model::Api;
use super::super::names;
use super::{doc, ident, operations, sentence};

pub(super) fn routes(api: &Api) -> TokenStream {
    let routes = api.operations.iter().map(|operation| {
        let name = operations::name(operation);
        let path = &operation.path;
        let op = ident(&names::pascal(&operation.rust));
        quote!(Route { op: Op::#op, operation: &operations::#name, path: #path })
    });
    let variants: Vec<_> = api
        .operations
        .iter()
        .map(|o| ident(&names::pascal(&o.rust)))
        .collect();
    let described = api
        .operations
        .iter()
        .zip(&variants)
        .map(|(operation, variant)| {
            let doc = doc(&sentence(&operation.summary), &[]);
            quote!(#doc #variant,)
        });
    quote! {
        //! What the emulator serves.
        use http::Method;
        use vouchsafe_core::mock::route::{self, Found, Route};

        use super::operations;

        /// Operations with the whole path that the server sees.
        pub(crate) static ROUTES: &[Route<Op>] = &[#(#routes),*];

        /// Operations to match on, so that a new one cannot be forgotten.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Op { #(#described)* }

        /// Finds the operation of a method and a path.
        #[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
        pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
            route::find(ROUTES, method, path)
        }
    }
}
