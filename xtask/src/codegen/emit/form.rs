//! Forms: what a struct or a map writes into one, field by field.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::model::{Api, Field, Shape, Type};
use super::ident;
use super::paths::text_of;

/// Writes the statements that make a `form` out of `body`.
pub(super) fn fields(api: &Api, of: &Type) -> TokenStream {
    let def = of.name().and_then(|name| api.definition(name));
    let Some(Shape::Struct { fields, .. }) = def.map(|def| &def.shape) else {
        return quote! {
            let form = body
                .iter()
                .fold(Form::new(), |form, (name, value)| form.field(name, value));
        };
    };
    let fields = fields.iter().map(field);
    quote!(let form = Form::new(); #(#fields)*)
}

fn field(field: &Field) -> TokenStream {
    let name = &field.name;
    let rust = ident(&field.rust);
    let place = quote!(body.#rust);
    let (of, optional) = field.ty.clone().split_null();
    let set = match (&of, optional) {
        (Type::List(item), _) => {
            let text = text_of(item, &quote!(value));
            let values = match optional {
                true => quote!(#place.iter().flatten()),
                false => quote!(#place.iter()),
            };
            return quote! {
                let form = #values.fold(form, |form, value| form.field(#name, #text));
            };
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
    quote!(let form = form.#set;)
}
