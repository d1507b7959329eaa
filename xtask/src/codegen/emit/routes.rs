//! `routes.rs`: the routes of the emulator.

use proc_macro2::{Literal, TokenStream};
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
    let examples = api.emulator.then(|| examples(api));
    let example = api.emulator.then(|| {
        quote!(
            use vouchsafe_core::mock::example::Example;
        )
    });
    quote! {
        //! The routes of the emulator.
        use http::Method;
        #example
        use vouchsafe_core::mock::route::{self, Found, Route};

        use super::operations;

        /// The operations with their full paths on the server.
        pub(crate) static ROUTES: &[Route<Op>] = &[#(#routes),*];

        /// The operations, to match on, so that a new one cannot be forgotten.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Op { #(#described)* }

        /// Finds the operation of a method and a path.
        #[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
        pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
            route::find(ROUTES, method, path)
        }

        #examples
    }
}

fn examples(api: &Api) -> TokenStream {
    let arms = api.operations.iter().map(|operation| {
        let op = ident(&names::pascal(&operation.rust));
        let mut answers = operation.answers.iter();
        let answer = answers.find(|answer| answer.status.starts_with(['2', '3']));
        let status = answer.and_then(|answer| answer.status.parse::<u16>().ok());
        let status = Literal::u16_unsuffixed(status.unwrap_or(200));
        let media = answer.and_then(|answer| answer.media.as_deref());
        let media = media
            .filter(|_| operation.method != "HEAD")
            .unwrap_or_default();
        let body = match answer.and_then(|answer| answer.example.as_deref()) {
            Some(json) => compact(json),
            None => "example".to_owned(),
        };
        let body = if media.is_empty() {
            String::new()
        } else {
            body
        };
        quote!(Op::#op => Example { status: #status, content_type: #media, body: #body })
    });
    quote! {
        /// Returns the description's example of an operation's answer.
        #[allow(dead_code, reason = "an emulator with rules of its own needs it for some at most")]
        pub(crate) fn example(op: Op) -> Example {
            match op { #(#arms),* }
        }
    }
}

/// Writes JSON in one line.
fn compact(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json)
        .map_or_else(|_| json.to_owned(), |value| value.to_string())
}
