//! `wire.rs`: serde types for the bodies of requests and answers.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::super::limits::Limits;
use super::super::model::{Api, Audience, Field, Presence, Shape, Type, TypeDef, Word};
use super::super::names;
use super::make::make;
use super::types::{Needs, default_function, ty};
use super::{check, doc, ident, sentence};

pub(super) fn wire(api: &Api) -> TokenStream {
    let mut needs = Needs::default();
    let checked = check::checked(api);
    let types: Vec<_> = api
        .types
        .iter()
        .filter(|def| def.is_used)
        .map(|def| define(api, def, &checked, &mut needs))
        .collect();
    let helpers = needs.helpers();
    let all = quote!(#(#types)*).to_string();
    let uses = |word: &str| all.split(|c: char| !c.is_alphanumeric()).any(|w| w == word);
    let maps = uses("BTreeMap").then(|| {
        quote!(
            use std::collections::BTreeMap;
        )
    });
    let serde = match (uses("Serialize"), uses("Deserialize")) {
        (true, true) => quote!(
            use serde::{Deserialize, Serialize};
        ),
        (false, true) => quote!(
            use serde::Deserialize;
        ),
        _ => quote!(),
    };
    let secret = uses("Secret").then(|| {
        quote!(
            use vouchsafe_core::Secret;
        )
    });
    let limits = all.contains("limits ::").then(|| {
        quote!(
            use vouchsafe_core::call::limits;
        )
    });
    quote! {
        //! The types of requests and answers, in their form on the wire.
        #maps
        #serde
        #secret
        #limits
        #(#types)*
        #helpers
    }
}

fn define(api: &Api, def: &TypeDef, checked: &BTreeSet<&str>, needs: &mut Needs) -> TokenStream {
    let name = ident(&def.name);
    let cfg = (def.audience == Audience::Emulator).then(|| quote!(#[cfg(feature = "mock")]));
    let own = def
        .description
        .as_deref()
        .map_or_else(|| format!("The schema `{}`.", def.name), sentence);
    let doc = doc(&own, &[]);
    let aliases = def
        .aliases
        .iter()
        .map(|alias| quote!(#[doc(alias = #alias)]));
    let aliases = quote!(#(#aliases)*);
    let visible = if def.is_public {
        quote!(pub)
    } else {
        quote!(pub(crate))
    };
    let open = def.is_public.then(|| quote!(#[non_exhaustive]));
    // A secret is only ever written into the body of a request.
    let serialize = (!def.has_secret || def.in_request).then(|| quote!(Serialize,));
    let default = all_may_be_absent(def).then(|| quote!(Default,));
    let derive = quote!(#[derive(Clone, Debug, #default PartialEq, #serialize Deserialize)]);
    let check = |body: TokenStream| {
        let is_checked = checked.contains(def.name.as_str());
        is_checked.then(|| {
            quote! {
                #cfg
                impl #name {
                    /// Refuses values that the service is known to refuse.
                    pub(crate) fn check(&self) -> vouchsafe_core::Result<()> { #body Ok(()) }
                }
            }
        })
    };
    match &def.shape {
        Shape::Struct { fields, rest } => {
            let checks = check::of_fields(fields, checked);
            let check = check(quote!(#(#checks)*));
            let make = (def.is_public && def.is_sent)
                .then(|| make(api, def, fields, rest.is_some(), default.is_some(), needs));
            let read = read(def, fields, rest.as_ref(), needs);
            let from = read.is_some().then(|| {
                let from = format!("{}Read", def.name);
                quote!(#[serde(from = #from)])
            });
            let fields = fields
                .iter()
                .map(|f| field(def, f, &visible, serialize.is_some(), needs));
            let rest = rest.as_ref().map(|rest| {
                let rest = ty(rest);
                quote! {
                    /// Keys that are not in the description.
                    #[serde(flatten)]
                    #visible rest: BTreeMap<String, #rest>,
                }
            });
            quote! {
                #doc #aliases #cfg #derive #from #open
                #visible struct #name { #(#fields)* #rest }

                #read

                #make

                #check
            }
        }
        Shape::Words {
            words,
            closed: true,
        } => {
            let variants = words.iter().map(|word| {
                let (doc, variant, text) = (meaning(word), ident(&word.variant), &word.text);
                quote!(#doc #[serde(rename = #text)] #variant,)
            });
            let arms = words.iter().map(|word| {
                let (variant, text) = (ident(&word.variant), &word.text);
                quote!(Self::#variant => #text,)
            });
            let closed = def.is_public.then(|| {
                quote! {
                    #[allow(clippy::exhaustive_enums, reason = "the set is closed by the protocol")]
                }
            });
            let as_str = (!def.is_constant).then(|| {
                quote! {
                    #cfg
                    impl #name {
                        /// Returns the word on the wire.
                        #[must_use]
                        #visible fn as_str(self) -> &'static str {
                            match self { #(#arms)* }
                        }
                    }
                }
            });
            quote! {
                #doc #aliases #cfg
                #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
                #closed
                #visible enum #name { #(#variants)* }

                #as_str
            }
        }
        Shape::Words {
            words,
            closed: false,
        } => {
            let variants = words.iter().map(|word| {
                let (doc, variant) = (meaning(word), ident(&word.variant));
                quote!(#doc #variant,)
            });
            let (out, into): (Vec<_>, Vec<_>) = words
                .iter()
                .map(|word| {
                    let (variant, text) = (ident(&word.variant), &word.text);
                    (
                        quote!(Self::#variant => #text,),
                        quote!(#text => Self::#variant,),
                    )
                })
                .unzip();
            quote! {
                #doc #aliases #cfg
                #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
                #[serde(from = "String", into = "String")]
                #open
                #visible enum #name {
                    #(#variants)*
                    /// A word that this version does not know; it is written as it was read.
                    Unknown(String),
                }

                #cfg
                impl #name {
                    /// Returns the word on the wire.
                    #[must_use]
                    #visible fn as_str(&self) -> &str {
                        match self { #(#out)* Self::Unknown(word) => word, }
                    }
                }

                #cfg
                impl From<String> for #name {
                    fn from(word: String) -> Self {
                        match word.as_str() { #(#into)* _ => Self::Unknown(word), }
                    }
                }

                #cfg
                impl From<#name> for String {
                    fn from(word: #name) -> Self {
                        match word {
                            #name::Unknown(word) => word,
                            known => known.as_str().to_owned(),
                        }
                    }
                }
            }
        }
        Shape::Id { limits } => {
            let text = &def.name;
            let check = check::value(
                text,
                &Type::Text,
                &limits.or_not_empty(),
                &check::Spot::Borrowed(quote!(text)),
                checked,
            );
            let uuid = (limits.format.as_deref() == Some("uuid"))
                .then(|| quote!(limits::uuid(#text, text)?;));
            let errors = format!(
                " Of kind `Invalid` if the text is not valid. {}",
                limits.sentence()
            );
            quote! {
                #doc #aliases #cfg
                #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
                #[serde(transparent)]
                #visible struct #name(String);

                #cfg
                impl #name {
                    /// Parses a text.
                    ///
                    /// # Errors
                    ///
                    #[doc = #errors]
                    #visible fn parse(text: &str) -> vouchsafe_core::Result<Self> {
                        #check
                        #uuid
                        Ok(Self(text.to_owned()))
                    }

                    /// Returns the text.
                    #[must_use]
                    #visible fn as_str(&self) -> &str {
                        &self.0
                    }
                }

                #cfg
                impl std::str::FromStr for #name {
                    type Err = vouchsafe_core::Error;

                    fn from_str(text: &str) -> vouchsafe_core::Result<Self> {
                        Self::parse(text)
                    }
                }

                #cfg
                impl std::fmt::Display for #name {
                    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(&self.0)
                    }
                }
            }
        }
        Shape::Union(variants) => {
            let arms = variants
                .iter()
                .filter(|(_, of)| of.name().is_some_and(|name| checked.contains(name)));
            let arms: Vec<_> = arms
                .filter_map(|(variant, of)| {
                    let check = check::value(
                        "",
                        of,
                        &Limits::default(),
                        &check::Spot::Borrowed(quote!(value)),
                        checked,
                    )?;
                    let variant = ident(variant);
                    Some(quote!(Self::#variant(value) => { #check }))
                })
                .collect();
            let rest = (arms.len() < variants.len()).then(|| quote!(_ => {}));
            let check = check(quote!(match self { #(#arms)* #rest }));
            let variants = variants.iter().map(|(variant, of)| {
                let doc = super::doc(&format!("{}.", form(of)), &[]);
                let variant = ident(variant);
                let attribute = secret_attribute(of, serialize.is_some(), needs);
                let attribute = attribute.map(|attribute| quote!(#[serde(#attribute)]));
                let of = ty(of);
                quote!(#doc #attribute #variant(#of),)
            });
            quote! {
                #doc #aliases #cfg #derive
                #[serde(untagged)]
                #open
                #visible enum #name { #(#variants)* }

                #check
            }
        }
    }
}

/// Writes the form in which a struct is read, if older servers have other names for some of its
/// lists.
fn read(
    def: &TypeDef,
    fields: &[Field],
    rest: Option<&Type>,
    needs: &mut Needs,
) -> Option<TokenStream> {
    fields.iter().find(|field| field.older_name.is_some())?;
    let (name, read) = (ident(&def.name), format_ident!("{}Read", def.name));
    let cfg = (def.audience == Audience::Emulator).then(|| quote!(#[cfg(feature = "mock")]));
    let mut parts = Vec::new();
    let mut values = Vec::new();
    for one in fields {
        let rust = ident(&one.rust);
        parts.push(field(def, one, &quote!(), false, needs));
        values.push(match &one.older_name {
            Some(wire) => {
                let older = format_ident!("older_{}", one.rust);
                let of = ty(&one.ty);
                parts.push(quote!(#[serde(default, rename = #wire)] #older: #of,));
                quote!(#rust: if read.#rust.is_empty() { read.#older } else { read.#rust })
            }
            None => quote!(#rust: read.#rust),
        });
    }
    if let Some(rest) = rest {
        let rest = ty(rest);
        parts.push(quote!(#[serde(flatten)] rest: BTreeMap<String, #rest>,));
        values.push(quote!(rest: read.rest));
    }
    let doc = super::doc(
        &format!("`{}`, as servers of all ages write it.", def.name),
        &[],
    );
    Some(quote! {
        #doc
        #cfg
        #[derive(Deserialize)]
        struct #read { #(#parts)* }

        #cfg
        impl From<#read> for #name {
            fn from(read: #read) -> Self {
                Self { #(#values),* }
            }
        }
    })
}

/// Whether an empty object is a value of the type.
fn all_may_be_absent(def: &TypeDef) -> bool {
    let Shape::Struct { fields, .. } = &def.shape else {
        return false;
    };
    fields.iter().all(|field| {
        matches!(
            field.presence,
            Presence::Optional | Presence::SentNull | Presence::Empty
        )
    })
}

fn field(
    def: &TypeDef,
    field: &Field,
    visible: &TokenStream,
    serialize: bool,
    needs: &mut Needs,
) -> TokenStream {
    let name = ident(&field.rust);
    let own = match &field.description {
        Some(text) => sentence(text),
        None => format!("The key `{}`.", field.name),
    };
    let doc = doc(&own, &[]);
    let mut attributes = Vec::new();
    if field.rust.trim_start_matches("r#") != field.name {
        let wire = &field.name;
        attributes.push(quote!(rename = #wire));
    }
    match &field.presence {
        Presence::Required | Presence::Constant(_) => {}
        Presence::RequiredOrNull => {
            needs.present = true;
            attributes.push(quote!(deserialize_with = "present"));
        }
        // serde lets an `Option` field be absent without an attribute.
        Presence::Optional if !serialize => {}
        Presence::Optional => {
            attributes.push(quote!(skip_serializing_if = "Option::is_none"));
        }
        Presence::SentNull => {}
        Presence::Empty => attributes.push(quote!(default)),
        Presence::Default(value) => {
            let function = default_function(def, field, value, needs);
            attributes.push(quote!(default = #function));
        }
    }
    attributes.extend(secret_attribute(&field.ty, serialize, needs));
    let attributes = (!attributes.is_empty()).then(|| quote!(#[serde(#(#attributes),*)]));
    // The older name leads to this one; what reads it is private.
    let older = field.older_name.as_ref().filter(|_| !visible.is_empty());
    let older = older.map(|older| quote!(#[doc(alias = #older)]));
    let of = ty(&field.ty);
    let visible = match field.presence {
        Presence::Constant(_) => &quote!(pub(crate)),
        _ => visible,
    };
    quote!(#doc #older #attributes #visible #name: #of,)
}

fn secret_attribute(of: &Type, serialize: bool, needs: &mut Needs) -> Option<TokenStream> {
    if !serialize {
        return None;
    }
    match of {
        Type::Secret => Some(quote!(serialize_with = "vouchsafe_core::__private::expose")),
        Type::Optional(inner) if **inner == Type::Secret => {
            needs.expose_optional = true;
            Some(quote!(serialize_with = "expose_optional"))
        }
        _ => None,
    }
}

/// Writes the description's meaning of a word.
fn meaning(word: &Word) -> TokenStream {
    match &word.description {
        Some(text) => doc(&sentence(text), &[]),
        None => doc(&format!("`{}`.", word.text), &[]),
    }
}

/// Returns a name as words: `UserInfo` is `user info`.
fn words(name: &str) -> String {
    names::snake(name)
        .trim_start_matches("r#")
        .replace('_', " ")
}

fn form(of: &Type) -> String {
    match of {
        Type::Text => "Text".to_owned(),
        Type::Secret => "A secret".to_owned(),
        Type::Integer | Type::Integer32 | Type::Unsigned | Type::Unsigned32 => {
            "An integer".to_owned()
        }
        Type::Number => "A number".to_owned(),
        Type::Boolean => "True or false".to_owned(),
        Type::Json => "Anything else".to_owned(),
        Type::List(_) => "A list".to_owned(),
        Type::Map(_) => "An object with free keys".to_owned(),
        Type::Optional(inner) | Type::Boxed(inner) => form(inner),
        Type::Named(name) => format!("One {}", words(name)),
        Type::Hand(path) | Type::Shown(path) => format!(
            "One {}",
            words(path.rsplit("::").next().unwrap_or_default())
        ),
    }
}
