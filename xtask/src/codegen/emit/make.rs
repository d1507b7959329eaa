//! Constructors and setters for the bodies of requests.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::model::{Api, Field, Presence, Shape, Type, TypeDef};
use super::types::{Needs, default_function, ty};
use super::{ident, sentence};

/// Writes a constructor for the required fields and setters for the others.
pub(super) fn make(
    api: &Api,
    def: &TypeDef,
    fields: &[Field],
    has_rest: bool,
    has_default: bool,
    needs: &mut Needs,
) -> TokenStream {
    let name = ident(&def.name);
    let mut arguments = Vec::new();
    let mut values = Vec::new();
    let mut setters = Vec::new();
    for field in fields {
        let rust = ident(&field.rust);
        let (of, null) = field.ty.clone().split_null();
        let (argument, value) = given(api, &of, &rust);
        match &field.presence {
            Presence::Required => {
                arguments.push(quote!(#rust: #argument));
                values.push(match rust == value.to_string() {
                    true => quote!(#rust),
                    false => quote!(#rust: #value),
                });
                continue;
            }
            Presence::RequiredOrNull => {
                let of = ty(&field.ty);
                arguments.push(quote!(#rust: #of));
                values.push(quote!(#rust));
                continue;
            }
            Presence::Constant(variant) => {
                let (of, variant) = (ty(&field.ty), ident(variant));
                values.push(quote!(#rust: #of::#variant));
                continue;
            }
            Presence::Optional | Presence::SentNull => values.push(quote!(#rust: None)),
            Presence::Empty => values.push(quote!(#rust: Default::default())),
            Presence::Default(value) => {
                let function = ident(&default_function(def, field, value, needs));
                values.push(quote!(#rust: #function()));
            }
        }
        let own = match &field.description {
            Some(text) => sentence(text),
            None => format!("Sets `{}`.", field.name),
        };
        let doc = super::prose(&[&own, &field.limits.sentence()]);
        let setter = match field.rust.as_str() {
            "new" | "check" => ident(&format!("{}_", field.rust)),
            _ => rust.clone(),
        };
        let set = match null {
            true => quote!(Some(#value)),
            false => value,
        };
        setters.push(quote! {
            #doc
            #[must_use]
            pub fn #setter(mut self, #rust: #argument) -> Self {
                self.#rust = #set;
                self
            }
        });
    }
    let rest = has_rest.then(|| quote!(rest: BTreeMap::new(),));
    let no_arguments = (arguments.is_empty() && !has_default).then(|| {
        quote! {
            impl Default for #name {
                fn default() -> Self {
                    Self::new()
                }
            }
        }
    });
    quote! {
        impl #name {
            /// Creates a value from its required fields. The rest is unset or has its default.
            #[must_use]
            pub fn new(#(#arguments),*) -> Self {
                Self { #(#values,)* #rest }
            }

            #(#setters)*
        }

        #no_arguments
    }
}

/// Writes the type of an argument that is kept in a field, and how.
fn given(api: &Api, of: &Type, name: &proc_macro2::Ident) -> (TokenStream, TokenStream) {
    match of {
        Type::Text => (quote!(impl Into<String>), quote!(#name.into())),
        Type::Secret => (quote!(impl Into<Secret>), quote!(#name.into())),
        Type::Hand(_) => {
            let of = ty(of);
            (quote!(impl Into<#of>), quote!(#name.into()))
        }
        Type::List(item) if matches!(**item, Type::Text | Type::Hand(_)) => {
            let item = ty(item);
            (
                quote!(impl IntoIterator<Item = impl Into<#item>>),
                quote!(#name.into_iter().map(Into::into).collect()),
            )
        }
        Type::List(item) => {
            let item = ty(item);
            (
                quote!(impl IntoIterator<Item = #item>),
                quote!(#name.into_iter().collect()),
            )
        }
        Type::Boxed(inner) => {
            let inner = ty(inner);
            (inner, quote!(Box::new(#name)))
        }
        Type::Named(id)
            if api
                .definition(id)
                .is_some_and(|def| matches!(def.shape, Shape::Id { .. })) =>
        {
            let of = ty(of);
            (quote!(&#of), quote!(#name.clone()))
        }
        of => (ty(of), quote!(#name)),
    }
}
