//! Forms: writes a struct or a map into one, field by field.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::model::{Api, Field, Shape, Type};
use super::ident;
use super::types::text_of;

/// Writes the expression that creates a form from `body`.
pub(super) fn form(api: &Api, of: &Type) -> TokenStream {
    let def = of.name().and_then(|name| api.definition(name));
    match def.map(|def| (&def.name, &def.shape)) {
        Some((_, Shape::Struct { fields, .. })) => {
            let mut form = quote!(Form::new());
            for field in fields {
                form = with_field(&form, field);
            }
            form
        }
        Some((name, Shape::Union(variants))) => {
            let name = ident(name);
            let arms = variants.iter().map(|(variant, of)| {
                let variant = ident(variant);
                let form = form(api, of);
                quote!(wire::#name::#variant(body) => #form,)
            });
            quote!(match body { #(#arms)* })
        }
        _ => quote! {
            body.iter().fold(Form::new(), |form, (name, value)| form.field(name, value))
        },
    }
}

fn with_field(form: &TokenStream, field: &Field) -> TokenStream {
    let name = &field.name;
    let rust = ident(&field.rust);
    let place = quote!(body.#rust);
    let (of, optional) = field.ty.clone().split_null();
    let set = match (&of, optional) {
        (Type::List(item), _) => {
            let values = match optional {
                true => quote!(#place.iter().flatten()),
                false => quote!(#place.iter()),
            };
            let texts = match **item {
                Type::Text => values,
                Type::Named(_) | Type::Hand(_) => quote!(#values.map(|value| value.as_str())),
                _ => quote!(#values.map(|value| value.to_string())),
            };
            quote!(fields(#name, #texts))
        }
        (Type::Secret, true) => quote!(secret_opt(#name, #place.as_ref())),
        (Type::Secret, false) => quote!(secret(#name, &#place)),
        (Type::Text, true) => quote!(field_opt(#name, #place.as_deref())),
        (Type::Text, false) => quote!(field(#name, &#place)),
        (Type::Named(_) | Type::Hand(_), true) => {
            quote!(field_opt(#name, #place.as_ref().map(|value| value.as_str())))
        }
        (_, true) => {
            quote!(field_opt(#name, #place.map(|value| value.to_string()).as_deref()))
        }
        (of, false) => {
            let text = text_of(of, &place);
            quote!(field(#name, #text))
        }
    };
    quote!(#form.#set)
}
