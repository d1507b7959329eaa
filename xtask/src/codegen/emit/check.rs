//! Checks of the values in requests, by the limits of the description.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::super::limits::Limits;
use super::super::model::{Api, Field, Shape, Type};
use super::ident;

/// Returns the names of types that are sent and have limits, directly or indirectly.
pub(super) fn checked(api: &Api) -> BTreeSet<&str> {
    let mut checked: BTreeSet<&str> = BTreeSet::new();
    loop {
        let more = api.types.iter().filter(|def| def.is_sent).filter(|def| {
            let parts: Vec<&Type> = match &def.shape {
                Shape::Struct { fields, rest } => {
                    fields.iter().map(|field| &field.ty).chain(rest).collect()
                }
                Shape::Union(variants) => variants.iter().map(|(_, ty)| ty).collect(),
                Shape::Words { .. } | Shape::Id { .. } => Vec::new(),
            };
            let own = match &def.shape {
                Shape::Struct { fields, .. } => {
                    fields.iter().any(|field| applies(&field.ty, &field.limits))
                }
                _ => false,
            };
            own || parts
                .iter()
                .any(|ty| ty.name().is_some_and(|name| checked.contains(name)))
        });
        let more: Vec<&str> = more.map(|def| def.name.as_str()).collect();
        let before = checked.len();
        checked.extend(more);
        if checked.len() == before {
            return checked;
        }
    }
}

/// Writes the checks of the fields of a type.
pub(super) fn of_fields(fields: &[Field], checked: &BTreeSet<&str>) -> Vec<TokenStream> {
    let all = fields.iter().filter_map(|field| {
        let rust = ident(&field.rust);
        value(
            &field.name,
            &field.ty,
            &field.limits,
            &Spot::Owned(quote!(self.#rust)),
            checked,
        )
    });
    all.collect()
}

/// How code refers to a value.
pub(super) enum Spot {
    /// An expression that is the value itself.
    Owned(TokenStream),
    /// The name of a reference to it.
    Borrowed(TokenStream),
}

impl Spot {
    fn value() -> Self {
        Self::Borrowed(quote!(value))
    }

    /// Writes the expression for code that accepts either.
    fn either(&self) -> &TokenStream {
        match self {
            Self::Owned(place) | Self::Borrowed(place) => place,
        }
    }

    fn borrow(&self) -> TokenStream {
        match self {
            Self::Owned(place) => quote!(&#place),
            Self::Borrowed(name) => name.clone(),
        }
    }

    fn copy(&self) -> TokenStream {
        match self {
            Self::Owned(place) => place.clone(),
            Self::Borrowed(name) => quote!(*#name),
        }
    }
}

/// Writes the check of a value, if it has limits.
pub(super) fn value(
    name: &str,
    of: &Type,
    limits: &Limits,
    spot: &Spot,
    checked: &BTreeSet<&str>,
) -> Option<TokenStream> {
    let (place, borrowed, copied) = (spot.either(), spot.borrow(), spot.copy());
    match of {
        Type::Optional(inner) => {
            let check = value(name, inner, limits, &Spot::value(), checked)?;
            Some(quote!(if let Some(value) = #borrowed { #check }))
        }
        Type::Boxed(inner) => value(name, inner, limits, spot, checked),
        Type::List(inner) => {
            let (least, most) = (bound(limits.min_items), bound(limits.max_items));
            let own = (limits.min_items.is_some() || limits.max_items.is_some())
                .then(|| quote!(limits::items(#name, #place.len(), #least, #most)?;));
            let none = Limits::default();
            let of_items = limits.items.as_deref().unwrap_or(&none);
            let each = value(name, inner, of_items, &Spot::value(), checked)
                .map(|check| quote!(for value in #place.iter() { #check }));
            (own.is_some() || each.is_some()).then(|| quote!(#own #each))
        }
        Type::Map(inner) => {
            let each = value(name, inner, &Limits::default(), &Spot::value(), checked)?;
            Some(quote!(for value in #place.values() { #each }))
        }
        Type::Named(name) if checked.contains(name.as_str()) => Some(quote!(#place.check()?;)),
        _ if !applies(of, limits) => None,
        Type::Text | Type::Secret => {
            let (least, most) = (bound(limits.min_length), bound(limits.max_length));
            let text = match of {
                Type::Secret => quote!(#place.expose()),
                _ => borrowed,
            };
            Some(quote!(limits::text(#name, #text, #least, #most)?;))
        }
        Type::Number => {
            let bound = |bound: &Option<String>| match bound {
                Some(text) => {
                    let number = Literal::f64_unsuffixed(text.parse().unwrap_or_default());
                    quote!(Some(#number))
                }
                None => quote!(None),
            };
            let (least, most) = (bound(&limits.minimum), bound(&limits.maximum));
            Some(quote!(limits::number(#name, #copied, #least, #most)?;))
        }
        _ => {
            let bound = |bound: &Option<String>| match bound {
                Some(text) => {
                    let number = Literal::i128_unsuffixed(text.parse().unwrap_or_default());
                    quote!(Some(#number))
                }
                None => quote!(None),
            };
            let (least, most) = (bound(&limits.minimum), bound(&limits.maximum));
            Some(quote!(limits::integer(#name, #copied, #least, #most)?;))
        }
    }
}

/// Returns whether a value of a type has limits that can be checked.
fn applies(of: &Type, limits: &Limits) -> bool {
    match of {
        Type::Optional(inner) | Type::Boxed(inner) => applies(inner, limits),
        Type::Text | Type::Secret => limits.min_length.is_some() || limits.max_length.is_some(),
        Type::List(inner) => {
            let of_items = limits.items.as_deref();
            limits.min_items.is_some()
                || limits.max_items.is_some()
                || of_items.is_some_and(|items| applies(inner, items))
        }
        Type::Number => limits.minimum.is_some() || limits.maximum.is_some(),
        of if of.is_integer() => limits.minimum.is_some() || limits.maximum.is_some(),
        _ => false,
    }
}

fn bound(bound: Option<u64>) -> TokenStream {
    match bound {
        Some(number) => {
            let number = Literal::u64_unsuffixed(number);
            quote!(Some(#number))
        }
        None => quote!(None),
    }
}
