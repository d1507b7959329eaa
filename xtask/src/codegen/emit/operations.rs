//! `operations.rs`: the table of operations.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::super::model::{Api, Audience, Operation, Place, StatusRule, Type};
use super::super::names;
use super::{doc, ident, sentence};

pub(super) fn operations(api: &Api) -> TokenStream {
    let mut rules: Vec<(String, &[StatusRule])> = Vec::new();
    let statics: Vec<_> = api
        .operations
        .iter()
        .map(|operation| define(api, operation, &mut rules))
        .collect();
    let tables = rules.iter().map(|(name, rules)| {
        let name = ident(name);
        let rules = rules.iter().map(|StatusRule { status, code, kind }| {
            let status = Literal::u16_unsuffixed(*status);
            let kind = ident(kind);
            match code {
                Some(code) => {
                    quote!(StatusRule::new(#status, Some(#code), ErrorKind::#kind))
                }
                None => quote!(StatusRule::new(#status, None, ErrorKind::#kind)),
            }
        });
        quote!(static #name: &[StatusRule] = &[#(#rules),*];)
    });
    let repeats = (!api.repeat_rules.is_empty()).then(|| {
        let rules = api.repeat_rules.iter().map(|(status, code)| {
            let status = Literal::u16_unsuffixed(*status);
            let code = match code {
                Some(code) => quote!(Some(#code)),
                None => quote!(None),
            };
            quote!(RepeatRule::new(#status, #code))
        });
        quote! {
            /// Transient refusals.
            static REPEATS: &[RepeatRule] = &[#(#rules),*];
        }
    });
    let kinds = (!rules.is_empty()).then(|| {
        quote!(
            use vouchsafe_core::ErrorKind;
        )
    });
    let repeat_rule = repeats.is_some().then(|| quote!(RepeatRule,));
    let status_rule = (!rules.is_empty()).then(|| quote!(StatusRule,));
    let uses = quote! {
        #kinds
        use vouchsafe_core::call::{Operation, Repeat, #repeat_rule #status_rule};
    };
    let all = api.operations.iter().map(name);
    quote! {
        //! The operations, in the form for the call pipeline.
        use http::Method;
        #uses
        #(#statics)*

        /// All operations, in the order of the description.
        #[cfg(feature = "mock")]
        #[allow(dead_code, reason = "for tests and tables that go through all of them")]
        pub(crate) static ALL: &[&Operation] = &[#(&#all),*];

        #repeats

        #(#tables)*
    }
}

/// Returns the name of an operation's static.
pub(super) fn name(operation: &Operation) -> proc_macro2::Ident {
    ident(&names::screaming(operation.rust.trim_start_matches("r#")))
}

fn define<'a>(
    api: &Api,
    operation: &'a Operation,
    tables: &mut Vec<(String, &'a [StatusRule])>,
) -> TokenStream {
    let doc = doc(&sentence(&operation.summary), &[]);
    let name = name(operation);
    let id = format!("{}.{}", api.id, operation.id);
    let method = ident(&operation.method);
    let path = &operation.target;
    let repeat = if operation.is_safe {
        quote!(Repeat::Safe)
    } else {
        quote!(Repeat::OnlyIfUnsent)
    };
    let limit = operation.response_limit.map(|bytes| {
        let mib = bytes >> 20;
        let bytes = if mib > 0 && bytes % (1 << 20) == 0 {
            let mib = Literal::u64_unsuffixed(mib);
            quote!(#mib << 20)
        } else {
            let bytes = Literal::u64_unsuffixed(bytes);
            quote!(#bytes)
        };
        quote!(.response_limit(#bytes))
    });
    let dialect = operation
        .dialect
        .as_ref()
        .map(|servers| quote!(.dialect(#servers)));
    let open = operation.is_open.then(|| quote!(.open()));
    let secret = operation
        .params
        .iter()
        .any(|param| param.place == Place::Path && param.ty == Type::Secret)
        .then(|| quote!(.sensitive_path()));
    let answer = (api.answers_secret(operation) && operation.audience == Audience::Client)
        .then(|| quote!(.sensitive_answer()));
    let others = operation.other_answers();
    let answers = (!others.is_empty()).then(|| {
        let statuses = others.iter().map(|status| Literal::u16_unsuffixed(*status));
        quote!(.answers(&[#(#statuses),*]))
    });
    let rules = (!operation.status_rules.is_empty()).then(|| {
        let known = tables
            .iter()
            .find(|(_, rules)| *rules == operation.status_rules);
        let table = match known {
            Some((table, _)) => table.clone(),
            None => {
                let table = if operation.status_rules == api.status_rules {
                    "COMMON_STATUSES".to_owned()
                } else {
                    format!("{name}_STATUSES")
                };
                tables.push((table.clone(), &operation.status_rules));
                table
            }
        };
        let table = ident(&table);
        quote!(.status_rules(#table))
    });
    let repeats =
        (operation.is_safe && !api.repeat_rules.is_empty()).then(|| quote!(.repeat_rules(REPEATS)));
    let cfg = (operation.audience == Audience::Emulator).then(|| quote!(#[cfg(feature = "mock")]));
    quote! {
        #doc
        #cfg
        pub(crate) static #name: Operation =
            Operation::new(#id, Method::#method, #path)
                .repeat(#repeat) #repeats #limit #open #dialect #secret #answer #answers #rules;
    }
}
