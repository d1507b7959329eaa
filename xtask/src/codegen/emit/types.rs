//! Types and values by their use.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::super::model::{Audience, DefaultValue, Field, Type, TypeDef};
use super::super::names;
use super::ident;

/// Writes a type by use.
pub(super) fn ty(of: &Type) -> TokenStream {
    match of {
        Type::Text => quote!(String),
        Type::Secret => quote!(Secret),
        Type::Integer => quote!(i64),
        Type::Integer32 => quote!(i32),
        Type::Unsigned => quote!(u64),
        Type::Unsigned32 => quote!(u32),
        Type::Number => quote!(f64),
        Type::Boolean => quote!(bool),
        Type::Json => quote!(serde_json::Value),
        Type::List(inner) => {
            let inner = ty(inner);
            quote!(Vec<#inner>)
        }
        Type::Map(inner) => {
            let inner = ty(inner);
            quote!(BTreeMap<String, #inner>)
        }
        Type::Optional(inner) => {
            let inner = ty(inner);
            quote!(Option<#inner>)
        }
        Type::Boxed(inner) => {
            let inner = ty(inner);
            quote!(Box<#inner>)
        }
        Type::Named(name) => {
            let name = ident(name);
            quote!(#name)
        }
        Type::Hand(path) | Type::Shown(path) => hand(path),
    }
}

/// Writes the path of a type written by hand.
pub(super) fn hand(path: &str) -> TokenStream {
    let parts = path.split("::").map(ident);
    quote!(#(#parts)::*)
}

/// Writes how a value becomes a `&str`.
pub(super) fn text_of(of: &Type, value: &TokenStream) -> TokenStream {
    match of {
        Type::Integer
        | Type::Integer32
        | Type::Unsigned
        | Type::Unsigned32
        | Type::Number
        | Type::Boolean
        | Type::Shown(_) => {
            quote!(&#value.to_string())
        }
        Type::Secret => quote!(#value.expose()),
        Type::Named(_) | Type::Hand(_) => quote!(#value.as_str()),
        _ => quote!(#value),
    }
}

/// Helper functions that attributes of this file refer to.
#[derive(Default)]
pub(super) struct Needs {
    pub(super) present: bool,
    pub(super) yes: bool,
    pub(super) expose_optional: bool,
    pub(super) defaults: Vec<TokenStream>,
    pub(super) named: BTreeSet<String>,
}

impl Needs {
    pub(super) fn helpers(&self) -> TokenStream {
        let present = self.present.then(|| {
            quote! {
                /// Reads a value that may be null but not absent.
                fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
                where
                    D: serde::Deserializer<'de>,
                    T: Deserialize<'de>,
                {
                    Option::deserialize(deserializer)
                }
            }
        });
        let yes = self.yes.then(|| {
            quote! {
                fn yes() -> bool {
                    true
                }
            }
        });
        let expose_optional = self.expose_optional.then(|| {
            quote! {
                /// Writes a secret, or null, into the body of a request.
                fn expose_optional<S: serde::Serializer>(
                    secret: &Option<Secret>,
                    to: S,
                ) -> Result<S::Ok, S::Error> {
                    match secret {
                        Some(secret) => vouchsafe_core::__private::expose(secret, to),
                        None => to.serialize_none(),
                    }
                }
            }
        });
        let defaults = &self.defaults;
        quote!(#present #yes #expose_optional #(#defaults)*)
    }
}

pub(super) fn default_function(
    def: &TypeDef,
    field: &Field,
    value: &DefaultValue,
    needs: &mut Needs,
) -> String {
    let body = match value {
        DefaultValue::True => {
            needs.yes = true;
            return "yes".to_owned();
        }
        DefaultValue::Integer(number) => {
            let number = Literal::i64_unsuffixed(*number);
            quote!(#number)
        }
        DefaultValue::Number(text) => {
            let number = Literal::f64_unsuffixed(text.parse().unwrap_or_default());
            quote!(#number)
        }
        DefaultValue::Text(text) => quote!(#text.to_owned()),
        DefaultValue::Word(variant) => {
            let of = ty(&field.ty);
            let variant = ident(variant);
            quote!(#of::#variant)
        }
    };
    let name = format!(
        "default_{}_{}",
        names::snake(&def.name),
        field.rust.trim_start_matches("r#")
    );
    if needs.named.insert(name.clone()) {
        let function = format_ident!("{name}");
        let of = ty(&field.ty);
        let cfg = (def.audience == Audience::Emulator).then(|| quote!(#[cfg(feature = "mock")]));
        needs
            .defaults
            .push(quote!(#cfg fn #function() -> #of { #body }));
    }
    name
}
