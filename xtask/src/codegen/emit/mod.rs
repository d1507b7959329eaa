//! Writes text from the model, with one file here for each kind of output.

mod answer;
mod api;
mod calls;
mod check;
mod contract;
mod coverage;
mod described;
mod docs;
mod example;
mod form;
mod list;
mod make;
mod operations;
mod routes;
mod sample;
mod types;
mod wire;

use std::path::PathBuf;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::model::{Api, Operation};
use super::names;

pub(crate) use contract::contract;
pub(crate) use contract::without_example;
pub(crate) use coverage::coverage;
pub(crate) use example::quickstart;

/// A file to be written: its path from the root of the workspace, and its text.
pub(crate) struct Output {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// The mark at the start of every generated file; files without it are never removed.
pub(crate) const MARK: &str = "Made by `cargo xtask codegen` from ";

/// Writes all files for one description. `krate` is the folder `crates/<service>`.
pub(crate) fn api(krate: &str, api: &Api) -> Result<Vec<Output>, syn::Error> {
    let module = names::snake(&api.id);
    let folder = PathBuf::from(krate).join("src/generated").join(module);
    let mut outputs = Vec::new();
    if api.operations.iter().any(Operation::has_method) {
        outputs.push(Output {
            path: folder.join("api.rs"),
            text: rust(&api.file, api::api(krate, api))?,
        });
    }
    if api.by_name {
        outputs.push(Output {
            path: folder.join("described.rs"),
            text: rust(&api.file, described::described(api))?,
        });
    }
    for (name, code) in [
        ("mod.rs", modules(api)),
        ("operations.rs", operations::operations(api)),
        ("calls.rs", calls::calls(api)),
        ("routes.rs", routes::routes(api)),
        ("wire.rs", wire::wire(api)),
    ] {
        outputs.push(Output {
            path: folder.join(name),
            text: rust(&api.file, code)?,
        });
    }
    outputs.push(Output {
        path: PathBuf::from("docs/api").join(format!("{}.md", api.id)),
        text: docs::page(api),
    });
    Ok(outputs)
}

/// Writes the module that contains those of all descriptions of a crate.
pub(crate) fn service(krate: &str, apis: &[Api]) -> Result<Output, syn::Error> {
    let modules = apis.iter().map(|api| {
        let module = ident(&names::snake(&api.id));
        let doc = doc(&format!("{}.", api.title), &[]);
        quote!(#doc pub(crate) mod #module;)
    });
    let code = quote! {
        //! Code generated from the descriptions in `api/`.
        #![allow(
            clippy::use_self,
            reason = "a type that holds itself names itself, as its schema does"
        )]
        #![allow(
            clippy::large_enum_variant,
            reason = "what the wire has side by side stays side by side"
        )]
        #![allow(
            clippy::enum_variant_names,
            reason = "variants are called as the wire calls them"
        )]
        #(#modules)*
    };
    Ok(Output {
        path: PathBuf::from(krate).join("src/generated/mod.rs"),
        text: rust(&format!("{krate}/api"), code)?,
    })
}

fn modules(api: &Api) -> TokenStream {
    let title = inner_doc(&format!("{}, version {}.", api.title, api.version));
    // Without operations of a client there are no calls.
    let calls = api.operations.iter().any(Operation::has_call).then(|| {
        quote!(
            pub(crate) mod calls;
        )
    });
    let described = api.by_name.then(|| {
        quote!(
            pub(crate) mod described;
        )
    });
    let api = api.operations.iter().any(Operation::has_method).then(|| {
        quote!(
            pub(crate) mod api;
        )
    });
    quote! {
        #title
        #api
        #described
        pub(crate) mod operations;
        #calls
        #[cfg(feature = "mock")]
        pub(crate) mod routes;
        pub(crate) mod wire;
    }
}

/// Formats code and puts the mark in front.
fn rust(from: &str, code: TokenStream) -> Result<String, syn::Error> {
    let mut file = syn::parse2::<syn::File>(code)?;
    let items = std::mem::take(&mut file.items);
    let mut text = prettyplease::unparse(&file);
    let mut before = None;
    for item in items {
        // Imports and modules stand together, everything else apart.
        let group = match &item {
            syn::Item::Use(item) => Some(block(&item.tree)),
            syn::Item::Mod(_) => Some("mod"),
            _ => None,
        };
        if !text.is_empty() && (group.is_none() || group != before) {
            text.push('\n');
        }
        before = group;
        let alone = syn::File {
            shebang: None,
            frontmatter: None,
            attrs: Vec::new(),
            items: vec![item],
        };
        text.push_str(&spaced(&prettyplease::unparse(&alone)));
    }
    // rustfmt would lay out some lines differently, and its versions differ.
    Ok(format!(
        "// {MARK}{from}; do not edit.\n#![cfg_attr(rustfmt, rustfmt_skip)]\n\n{text}"
    ))
}

/// Puts blank lines between the members of an item, as a person would.
fn spaced(text: &str) -> String {
    let mut out = String::new();
    let mut before = "";
    for line in text.lines() {
        let is_end = before == "    }" || before.starts_with("    vouchsafe_core::");
        let begins = line.starts_with("    ") && !line.starts_with("     ") && line != "    }";
        if is_end && begins {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
        before = line;
    }
    out
}

/// Returns the block of imports that one belongs to: std, other crates, our own.
fn block(tree: &syn::UseTree) -> &'static str {
    match tree {
        syn::UseTree::Path(path) if path.ident == "std" => "std",
        syn::UseTree::Path(path) if path.ident == "super" => "own",
        _ => "foreign",
    }
}

/// Creates an identifier, with or without `r#` in front.
fn ident(name: &str) -> Ident {
    match name.strip_prefix("r#") {
        Some(raw) => Ident::new_raw(raw, Span::call_site()),
        None => Ident::new(name, Span::call_site()),
    }
}

/// Creates a doc comment from a sentence and further paragraphs. Nothing in it is a link or a tag
/// to rustdoc.
fn doc(first: &str, more: &[&str]) -> TokenStream {
    let lines = doc_lines(first, more);
    quote!(#(#[doc = #lines])*)
}

/// Creates a module's doc comment.
fn inner_doc(first: &str) -> TokenStream {
    let lines = doc_lines(first, &[]);
    quote!(#(#![doc = #lines])*)
}

fn doc_lines(first: &str, more: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in std::iter::once(&first)
        .chain(more)
        .filter(|text| !text.is_empty())
    {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let mut line = String::new();
        for word in escape(paragraph).split_whitespace() {
            if line.len() + word.len() > 92 {
                lines.push(std::mem::take(&mut line));
            }
            line.push(' ');
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// Creates a doc comment from paragraphs without the empty ones.
fn prose(paragraphs: &[&str]) -> TokenStream {
    let mut all = paragraphs.iter().filter(|text| !text.trim().is_empty());
    let first = all.next().copied().unwrap_or_default();
    doc(first, &all.copied().collect::<Vec<_>>())
}

fn escape(text: &str) -> String {
    let text = text.replace('[', "\\[").replace(']', "\\]");
    text.replace('<', "\\<").replace('>', "\\>")
}

/// Ends a text with a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
