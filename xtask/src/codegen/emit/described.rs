//! `described.rs`: operations as data, to call them by name.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::model::{Api, Body, Operation, Param, Place, Type};
use super::super::names;
use super::{ident, operations, sample};

pub(super) fn described(api: &Api) -> TokenStream {
    let all = api
        .operations
        .iter()
        .filter(|operation| operation.has_call())
        .map(|operation| one(api, operation));
    let all: Vec<_> = all.collect();
    let text = quote!(#(#all)*).to_string();
    let needs = ["Body", "Parameter", "Place"]
        .into_iter()
        .filter(|name| text.contains(&format!("{name} {{")) || text.contains(&format!("{name} ::")))
        .map(ident);
    quote! {
        //! The operations as data, to call them by name.
        use vouchsafe_core::call::described::{Described, #(#needs),*};

        use super::operations;

        /// Every operation, in the order of the description.
        pub static OPERATIONS: &[Described] = &[#(#all),*];
    }
}

fn one(api: &Api, operation: &Operation) -> TokenStream {
    let name = operations::name(operation);
    let kebab = kebab(&operation.id);
    let about = operation.summary.trim().trim_end_matches('.');
    let in_body = |param: &&Param| matches!(param.place, Place::Key | Place::Entry);
    let params = operation.params.iter().filter(|param| !in_body(param));
    let parameters = params
        .chain(&operation.options)
        .map(|param| parameter(api, param));
    let body = body(api, operation);
    let answers_secret = api.answers_secret(operation);
    quote! {
        Described {
            operation: &operations::#name,
            name: #kebab,
            about: #about,
            parameters: &[#(#parameters),*],
            body: #body,
            answers_secret: #answers_secret,
        }
    }
}

fn parameter(api: &Api, param: &Param) -> TokenStream {
    let Param { name, required, .. } = param;
    let flag = kebab(param.rust.trim_start_matches("r#").trim_end_matches('_'));
    let place = match (param.place, &param.ty) {
        (Place::Path, _) => quote!(Place::Path),
        (Place::Header, _) => quote!(Place::Header),
        (Place::Query, Type::List(_)) if param.explode => quote!(Place::QueryEach),
        (Place::Query, Type::List(_)) => quote!(Place::QueryCommas),
        (Place::Query | Place::Key | Place::Entry, _) => quote!(Place::Query),
    };
    let secret = param.ty == Type::Secret;
    let own = param.description.as_deref().unwrap_or_default().trim();
    let about = own.trim_end_matches('.');
    let item = match &param.ty {
        Type::List(item) => item,
        ty => ty,
    };
    let example = sample::of(api, item, &param.limits, param.example.as_deref());
    let example = match example.unwrap_or_default() {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    quote! {
        Parameter {
            name: #name,
            flag: #flag,
            place: #place,
            required: #required,
            secret: #secret,
            about: #about,
            example: #example,
        }
    }
}

fn body(api: &Api, operation: &Operation) -> TokenStream {
    let part = |place| operation.params.iter().find(|param| param.place == place);
    if let (Some(key), Some(value)) = (part(Place::Key), part(Place::Entry)) {
        let [key, value] = [key, value].map(|part| {
            sample::of(api, &part.ty, &part.limits, part.example.as_deref()).unwrap_or_default()
        });
        let key = key.as_str().unwrap_or_default();
        let example = serde_json::json!({key: value}).to_string();
        return quote!(Some(Body { is_form: false, required: true, example: #example }));
    }
    let (is_form, ty, required) = match &operation.body {
        Some(Body::Json { ty, required }) => (false, ty, required),
        Some(Body::Form { ty, required }) => (true, ty, required),
        Some(Body::Other(_)) | None => return quote!(None),
    };
    let example = sample::of(api, ty, &Default::default(), None);
    let example = example.map(|value| value.to_string()).unwrap_or_default();
    quote!(Some(Body { is_form: #is_form, required: #required, example: #example }))
}

fn kebab(name: &str) -> String {
    let snake = names::snake(name);
    snake
        .trim_start_matches("r#")
        .trim_end_matches('_')
        .replace('_', "-")
}
