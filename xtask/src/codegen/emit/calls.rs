//! `calls.rs`: one function per operation that creates its call.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::super::limits::Limits;
use super::super::model::{Api, Body, Operation, Param, Place, Type};
use super::super::names;
use super::check::Spot;
use super::types::text_of;
use super::{check, doc, form, ident, operations, sentence};

pub(super) fn calls(api: &Api) -> TokenStream {
    let mut uses = Uses::default();
    let checked = check::checked(api);
    let functions: Vec<_> = api
        .operations
        .iter()
        .filter(|operation| operation.has_call())
        .map(|operation| function(api, operation, &checked, &mut uses))
        .collect();
    let header = uses.header.then(|| {
        quote!(
            use http::HeaderName;
        )
    });
    let all = quote!(#(#functions)*).to_string();
    uses.secret = all.contains("Secret");
    uses.wire = all.contains("wire ::");
    let core = if uses.secret {
        quote!(
            use vouchsafe_core::{Result, Secret};
        )
    } else {
        quote!(
            use vouchsafe_core::Result;
        )
    };
    let form = uses.form.then(|| quote!(, Form));
    let limits = uses.limits.then(|| quote!(, limits));
    let call = if uses.form || uses.limits {
        quote!(
            use vouchsafe_core::call::{Call #form #limits};
        )
    } else {
        quote!(
            use vouchsafe_core::call::Call;
        )
    };
    let table = if uses.wire {
        quote!(
            use super::{operations, wire};
        )
    } else {
        quote!(
            use super::operations;
        )
    };
    quote! {
        //! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
        //! its place.
        #header
        #core
        #call
        use vouchsafe_core::url::Target;
        #table
        #(#functions)*
    }
}

#[derive(Default)]
struct Uses {
    form: bool,
    header: bool,
    limits: bool,
    secret: bool,
    wire: bool,
}

fn function(
    api: &Api,
    operation: &Operation,
    checked: &BTreeSet<&str>,
    uses: &mut Uses,
) -> TokenStream {
    let name = ident(&operation.rust);
    let constant = operations::name(operation);
    let (required, optional): (Vec<_>, Vec<_>) =
        operation.params.iter().partition(|param| param.required);
    let mut arguments: Vec<TokenStream> = Vec::new();
    for param in &required {
        let argument = ident(&param.rust);
        let of = borrowed(&param.ty);
        arguments.push(quote!(#argument: #of));
    }
    let params = (!optional.is_empty()).then(|| {
        let params = format_ident!("{}Params", names::pascal(&operation.rust));
        arguments.push(quote!(params: &#params));
        params_struct(operation, &params, &optional)
    });
    if let Some(Body::Json { ty, required } | Body::Form { ty, required }) = &operation.body {
        let of = borrowed(ty);
        arguments.push(if *required {
            quote!(body: #of)
        } else {
            quote!(body: Option<#of>)
        });
    }
    let by_hand = match &operation.body {
        Some(Body::Other(media)) => format!("The body ({}) is added by hand.", media.join(", ")),
        _ => String::new(),
    };
    let description = operation.description.as_deref().unwrap_or_default();
    let notes = operation.notes.join(" ");
    let doc = doc(
        &sentence(&operation.summary),
        &[description, &notes, &by_hand],
    );
    let aliases = operation
        .aliases
        .iter()
        .filter(|_| !operation.has_method())
        .map(|alias| quote!(#[doc(alias = #alias)]));
    let checks = checks(operation, checked);
    uses.limits |= checks.to_string().contains("limits ::");
    let check = (!checks.is_empty()).then(|| {
        quote! {
            let check = || -> Result<()> { #checks Ok(()) };
            check().map_err(|fault| fault.with_operation(operations::#constant.id()))?;
        }
    });
    let target = target(operation, &required);
    let queries = operation
        .params
        .iter()
        .filter(|param| param.place == Place::Query)
        .map(query);
    let headers: Vec<_> = operation
        .params
        .iter()
        .filter(|param| param.place == Place::Header)
        .map(|param| header(param, uses))
        .collect();
    let hidden = required
        .iter()
        .filter(|param| param.place == Place::Path && param.ty == Type::Secret)
        .map(|param| ident(&param.rust));
    let new = quote!(Call::new(&operations::#constant, target) #(.hide(#hidden))*);
    let optional_body = matches!(
        operation.body,
        Some(
            Body::Json {
                required: false,
                ..
            } | Body::Form {
                required: false,
                ..
            }
        )
    );
    let (start, call) = if headers.is_empty() && !optional_body {
        (quote!(), new)
    } else {
        (quote!(let call = #new; #(#headers)*), quote!(call))
    };
    let end = match &operation.body {
        Some(Body::Json { ty, required }) => {
            let has_secret = ty
                .name()
                .and_then(|name| api.definition(name))
                .is_some_and(|def| def.has_secret);
            // It is unknown what a hand-written type writes, and it may be a secret.
            let json = if has_secret || matches!(ty, Type::Hand(_)) {
                quote!(secret_json)
            } else {
                quote!(json)
            };
            if *required {
                quote!(#call.#json(body))
            } else {
                quote! {
                    match body {
                        Some(body) => #call.#json(body),
                        None => Ok(#call),
                    }
                }
            }
        }
        Some(Body::Form { ty, required }) => {
            uses.form = true;
            let form = form::form(api, ty);
            if *required {
                quote!(let form = #form; Ok(#call.form(form)))
            } else {
                quote! {
                    match body {
                        Some(body) => { let form = #form; Ok(#call.form(form)) }
                        None => Ok(#call),
                    }
                }
            }
        }
        Some(Body::Other(_)) | None => match entry(api, operation) {
            Some((json, body)) => quote!(#call.#json(&#body)),
            None => quote!(Ok(#call)),
        },
    };
    quote! {
        #params
        #doc
        #(#aliases)*
        pub(crate) fn #name(#(#arguments),*) -> Result<Call> {
            #check
            let target = #target;
            #(#queries)*
            #start
            #end
        }
    }
}

/// Writes a body that is one key and its value, and the method of the call that accepts it.
fn entry(api: &Api, operation: &Operation) -> Option<(TokenStream, TokenStream)> {
    let part = |place| operation.params.iter().find(|param| param.place == place);
    let (key, value) = (part(Place::Key)?, part(Place::Entry)?);
    let of = &value.ty;
    let def = of.name().and_then(|name| api.definition(name));
    let json = match of.is_secret() || def.is_some_and(|def| def.has_secret) {
        true => quote!(secret_json),
        false => quote!(json),
    };
    let (name, value) = (ident(&key.rust), ident(&value.rust));
    let key = text_of(&key.ty, &quote!(#name));
    Some((
        json,
        quote!(std::collections::BTreeMap::from([(#key, #value)])),
    ))
}

/// Writes the checks of the arguments.
fn checks(operation: &Operation, checked: &BTreeSet<&str>) -> TokenStream {
    let mut checks = TokenStream::new();
    for param in &operation.params {
        let rust = ident(&param.rust);
        let of = match param.required || param.is_kept_as_list() {
            true => param.ty.clone(),
            false => param.ty.clone().or_null(),
        };
        let place = match (param.required, &param.ty) {
            (false, _) => Spot::Owned(quote!(params.#rust)),
            (true, of) if of.is_integer() => Spot::Owned(quote!(#rust)),
            (true, Type::Number | Type::Boolean) => Spot::Owned(quote!(#rust)),
            (true, _) => Spot::Borrowed(quote!(#rust)),
        };
        checks.extend(check::value(
            &param.name,
            &of,
            &param.limits,
            &place,
            checked,
        ));
        checks.extend(without(param));
    }
    if let Some(Body::Json { ty, required } | Body::Form { ty, required }) = &operation.body {
        let none = Limits::default();
        let place = Spot::Borrowed(if *required {
            quote!(body)
        } else {
            quote!(value)
        });
        if let Some(check) = check::value("the body", ty, &none, &place, checked) {
            checks.extend(match required {
                true => check,
                false => quote!(if let Some(value) = body { #check }),
            });
        }
    }
    checks
}

/// Writes the check of a parameter for characters that would not arrive unchanged. If commas
/// separate items, a comma in an item would split it.
fn without(param: &Param) -> Option<TokenStream> {
    let (name, rust) = (&param.name, ident(&param.rust));
    let mut refused = param.refused.clone().unwrap_or_default();
    let Type::List(item) = &param.ty else {
        let check = quote!(limits::without(#name, value, #refused)?;);
        return (!refused.is_empty()).then(|| match param.required {
            true => quote!({ let value = #rust; #check }),
            false => quote!(if let Some(value) = &params.#rust { #check }),
        });
    };
    if !param.explode && !refused.contains(',') {
        refused.push(',');
    }
    let is_text = matches!(**item, Type::Text | Type::Named(_) | Type::Hand(_));
    let text = text_of(item, &quote!(value));
    let all = match (param.required, param.sends_empty) {
        (true, _) => quote!(#rust),
        (false, true) => quote!(params.#rust.iter().flatten()),
        (false, false) => quote!(&params.#rust),
    };
    (is_text && !refused.is_empty())
        .then(|| quote!(for value in #all { limits::without(#name, #text, #refused)?; }))
}

fn params_struct(
    operation: &Operation,
    name: &proc_macro2::Ident,
    optional: &[&Param],
) -> TokenStream {
    let own = doc(&format!("The values of `{}`.", operation.id), &[]);
    let fields = optional.iter().map(|param| {
        let text = match &param.description {
            Some(text) => sentence(text),
            None => format!("The parameter `{}`.", param.name),
        };
        let doc = doc(&text, &[]);
        let field = ident(&param.rust);
        let of = owned(&param.ty);
        match param.is_kept_as_list() {
            true => quote!(#doc pub(crate) #field: #of,),
            false => quote!(#doc pub(crate) #field: Option<#of>,),
        }
    });
    quote! {
        #own
        #[derive(Clone, Debug, Default)]
        pub(crate) struct #name { #(#fields)* }
    }
}

/// Splits the template at its parameters.
fn target(operation: &Operation, required: &[&Param]) -> TokenStream {
    let mut out = TokenStream::new();
    let mut rest = operation.target.as_str();
    let mut first = true;
    while !rest.is_empty() || first {
        let (literal, param) = match rest.find('{') {
            Some(open) => {
                let close = rest[open..]
                    .find('}')
                    .map_or(rest.len(), |close| open + close);
                let name = &rest[open + 1..close];
                let literal = &rest[..open];
                rest = rest.get(close + 1..).unwrap_or_default();
                (literal, required.iter().find(|param| param.name == name))
            }
            None => (std::mem::take(&mut rest), None),
        };
        match (first, literal) {
            (true, literal) => out.extend(quote!(Target::new(#literal))),
            (false, "") => {}
            (false, literal) => out.extend(quote!(.literal(#literal))),
        }
        first = false;
        if let Some(param) = param {
            let name = &param.name;
            let argument = ident(&param.rust);
            let value = text_of(&param.ty, &quote!(#argument));
            out.extend(quote!(.segment(#name, #value)?));
        }
    }
    out
}

fn query(param: &Param) -> TokenStream {
    let name = &param.name;
    let field = ident(&param.rust);
    let place = if param.required {
        quote!(#field)
    } else {
        quote!(params.#field)
    };
    if let Type::List(item) = &param.ty {
        let text = text_of(item, &quote!(value));
        return if param.explode {
            quote! {
                let target = #place
                    .iter()
                    .fold(target, |target, value| target.query(#name, #text));
            }
        } else {
            let list = match param.sends_empty {
                true => quote!(values),
                false => place.clone(),
            };
            let joined = match **item {
                Type::Text => quote!(#list.join(",")),
                _ => {
                    let text = match **item {
                        Type::Named(_) | Type::Hand(_) => quote!(value.as_str().to_owned()),
                        _ => quote!(value.to_string()),
                    };
                    quote!(#list.iter().map(|value| #text).collect::<Vec<_>>().join(","))
                }
            };
            if param.sends_empty {
                return quote! {
                    let target = match &#place {
                        Some(values) => target.query(#name, &#joined),
                        None => target,
                    };
                };
            }
            quote! {
                let target = if #place.is_empty() {
                    target
                } else {
                    target.query(#name, &#joined)
                };
            }
        };
    }
    if param.required {
        let text = text_of(&param.ty, &place);
        return quote!(let target = target.query(#name, #text););
    }
    match &param.ty {
        Type::Text => quote!(let target = target.query_opt(#name, #place.as_deref());),
        Type::Named(_) | Type::Hand(_) => quote! {
            let target = target.query_opt(#name, #place.as_ref().map(|value| value.as_str()));
        },
        Type::Shown(_) => quote! {
            let target = target
                .query_opt(#name, #place.as_ref().map(ToString::to_string).as_deref());
        },
        _ => quote! {
            let target =
                target.query_opt(#name, #place.map(|value| value.to_string()).as_deref());
        },
    }
}

fn header(param: &Param, uses: &mut Uses) -> TokenStream {
    uses.header = true;
    let name = param.name.to_ascii_lowercase();
    let field = ident(&param.rust);
    // Set as a credential, so that the call knows that it contains one.
    let (set, text) = match &param.ty {
        Type::Secret if param.required => (quote!(secret_header), quote!(#field)),
        Type::Secret => (quote!(secret_header), quote!(value)),
        of if param.required => (quote!(header), text_of(of, &quote!(#field))),
        of => (quote!(header), text_of(of, &quote!(value))),
    };
    let set = quote!(call.#set(HeaderName::from_static(#name), #text)?);
    if param.required {
        return quote!(let call = #set;);
    }
    quote! {
        let call = match &params.#field {
            Some(value) => #set,
            None => call,
        };
    }
}

/// Writes the type of an argument.
pub(super) fn borrowed(of: &Type) -> TokenStream {
    match of {
        Type::Text => quote!(&str),
        of if of.is_integer() => owned(of),
        Type::Number | Type::Boolean => owned(of),
        Type::List(item) => {
            let item = owned(item);
            quote!(&[#item])
        }
        _ => {
            let of = owned(of);
            quote!(&#of)
        }
    }
}

pub(super) fn owned(of: &Type) -> TokenStream {
    match of {
        Type::List(item) => {
            let item = owned(item);
            quote!(Vec<#item>)
        }
        Type::Map(item) => {
            let item = owned(item);
            quote!(std::collections::BTreeMap<String, #item>)
        }
        Type::Optional(item) => {
            let item = owned(item);
            quote!(Option<#item>)
        }
        Type::Boxed(item) => owned(item),
        Type::Named(name) => {
            let name = ident(name);
            quote!(wire::#name)
        }
        of => super::types::ty(of),
    }
}
