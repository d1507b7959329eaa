//! `api.rs`: the methods and request builders that users of a client call.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::super::model::{Api, Body, Operation, Param, Shape, Type};
use super::super::names;
use super::calls::{borrowed, owned};
use super::{example, ident, list, prose, sentence};

pub(super) fn api(krate: &str, api: &Api) -> TokenStream {
    let client = super::types::hand(&api.client);
    let mut flat = Vec::new();
    let mut groups: BTreeMap<&str, Vec<TokenStream>> = BTreeMap::new();
    let mut builders = Vec::new();
    for operation in api.operations.iter().filter(|o| o.has_method()) {
        let writer = Writer {
            krate,
            api,
            operation,
            client: &client,
        };
        let method = if operation.is_plain() {
            writer.plain()
        } else {
            builders.push(writer.builder());
            writer.start()
        };
        match &operation.group {
            Some(group) => groups.entry(group).or_default().push(method),
            None => flat.push(method),
        }
    }
    let handles: Vec<_> = groups
        .iter()
        .map(|(group, methods)| handle(&on(api, group), group, methods, &client))
        .collect();
    let accessors = groups.keys().map(|group| {
        let name = ident(&names::snake(group));
        let handle = handle_name(group);
        let doc = prose(&[&format!("Returns the operations on {}.", on(api, group))]);
        quote! {
            #doc
            #[must_use]
            pub fn #name(&self) -> #handle<'_> {
                #handle(self)
            }
        }
    });
    let own = (!groups.is_empty() || !flat.is_empty()).then(|| {
        quote! {
            impl #client {
                #(#accessors)*
                #(#flat)*
            }
        }
    });
    let all = quote!(#own #(#handles)* #(#builders)*).to_string();
    let secret = all.contains("Secret").then(|| {
        quote!(
            use vouchsafe_core::Secret;
        )
    });
    let header = all.contains("HeaderName").then(|| {
        quote!(
            use http::HeaderName;
        )
    });
    let pages = all.contains("page ::").then(|| {
        quote!(
            use vouchsafe_core::call::page;
        )
    });
    let wire = all.contains("wire ::").then(|| quote!(, wire));
    quote! {
        //! The methods of the client: one for each operation, and a request builder for each
        //! operation with optional values.
        #header
        #secret
        use vouchsafe_core::call::CallOptions;
        #pages
        use vouchsafe_core::service::Service;
        use super::{calls #wire};
        #own
        #(#handles)*
        #(#builders)*
    }
}

/// Writes what the operations of a group are on.
fn on(api: &Api, group: &str) -> String {
    let told = api.groups.get(group);
    told.cloned().unwrap_or_else(|| in_words(group))
}

fn handle(on: &str, group: &str, methods: &[TokenStream], client: &TokenStream) -> TokenStream {
    let handle = handle_name(group);
    let doc = prose(&[&format!("The operations on {on}.")]);
    quote! {
        #doc
        #[derive(Clone, Copy, Debug)]
        pub struct #handle<'c>(pub(crate) &'c #client);

        impl #handle<'_> { #(#methods)* }
    }
}

/// Returns the name of a group's type; a schema may have the name of the group itself.
fn handle_name(group: &str) -> Ident {
    format_ident!("{}Api", names::pascal(group))
}

/// Writes one operation.
pub(super) struct Writer<'a> {
    krate: &'a str,
    pub(super) api: &'a Api,
    pub(super) operation: &'a Operation,
    client: &'a TokenStream,
}

impl Writer<'_> {
    fn required(&self) -> impl Iterator<Item = &Param> {
        self.operation.params.iter().filter(|param| param.required)
    }

    fn optional(&self) -> impl Iterator<Item = &Param> {
        self.operation.params.iter().filter(|param| !param.required)
    }

    fn body(&self) -> Option<(&Type, bool)> {
        match &self.operation.body {
            Some(Body::Json { ty, required } | Body::Form { ty, required }) => {
                Some((ty, *required))
            }
            _ => None,
        }
    }

    /// Writes a method that sends directly, since nothing is optional.
    fn plain(&self) -> TokenStream {
        let name = ident(&self.operation.method_name);
        let docs = self.docs(true);
        let aliases = self.aliases();
        let mut arguments = Vec::new();
        let mut passed = Vec::new();
        let credential = self.api.credential.as_deref().map(super::types::hand);
        if let Some(of) = &credential {
            arguments.push(quote!(credential: impl Into<#of>));
        }
        for param in self.required() {
            let rust = ident(&param.rust);
            let of = borrowed(&param.ty);
            if let Type::Shown(_) = param.ty {
                let (of, value) = kept(&param.ty, &rust);
                arguments.push(quote!(#rust: #of));
                passed.push(quote!(&#value));
                continue;
            }
            arguments.push(quote!(#rust: #of));
            passed.push(quote!(#rust));
        }
        if let Some((ty, _)) = self.body() {
            match self.model(ty).filter(|_| matches!(ty, Type::Named(_))) {
                Some(model) => {
                    arguments.push(quote!(body: &#model));
                    passed.push(quote!(&body.clone().into()));
                }
                None => {
                    let of = borrowed(ty);
                    arguments.push(quote!(body: #of));
                    passed.push(quote!(body));
                }
            }
        }
        let call = ident(&self.operation.rust);
        let given = match credential {
            Some(_) => quote!(&credential.into()),
            None => quote!(&()),
        };
        let output = self.output();
        let send = match self.operation.group {
            Some(_) => quote!(Service::call(self.0, call, #given, &CallOptions::new())),
            None => quote!(Service::call(self, call, #given, &CallOptions::new())),
        };
        let read = self.read(send);
        quote! {
            #docs
            #(#aliases)*
            pub async fn #name(&self, #(#arguments),*) -> crate::Result<#output> {
                let call = calls::#call(#(#passed),*)?;
                #read
            }
        }
    }

    /// Writes the method that starts a request builder.
    fn start(&self) -> TokenStream {
        let name = ident(&self.operation.method_name);
        let builder = self.builder_name();
        let docs = self.docs(false);
        let aliases = self.aliases();
        let mut arguments = Vec::new();
        let mut fields = Vec::new();
        if let Some(of) = self.api.credential.as_deref().map(super::types::hand) {
            arguments.push(quote!(credential: impl Into<#of>));
            fields.push(quote!(credential: credential.into()));
        }
        for param in self.required() {
            let rust = ident(&param.rust);
            let (of, value) = kept(&param.ty, &rust);
            arguments.push(quote!(#rust: #of));
            fields.push(match rust == value.to_string() {
                true => quote!(#rust),
                false => quote!(#rust: #value),
            });
        }
        match self.body() {
            Some((ty, true)) => {
                let (of, value) = kept(ty, &ident("body"));
                arguments.push(quote!(body: #of));
                fields.push(match value.to_string() == "body" {
                    true => quote!(body),
                    false => quote!(body: #value),
                });
            }
            Some((_, false)) => fields.push(quote!(body: None)),
            None => {}
        }
        if let Some(params) = self.params() {
            fields.push(quote!(params: calls::#params::default()));
        }
        let client = match self.operation.group {
            Some(_) => quote!(self.0.clone()),
            None => quote!(self.clone()),
        };
        quote! {
            #docs
            #(#aliases)*
            pub fn #name(&self, #(#arguments),*) -> #builder {
                #builder { client: #client, #(#fields,)* options: CallOptions::new() }
            }
        }
    }

    fn builder_name(&self) -> Ident {
        format_ident!("{}Request", names::pascal(&self.operation.rust))
    }

    fn params(&self) -> Option<Ident> {
        let name = names::pascal(&self.operation.rust);
        self.optional()
            .next()
            .map(|_| format_ident!("{name}Params"))
    }

    /// Writes a request builder.
    fn builder(&self) -> TokenStream {
        let builder = self.builder_name();
        let client = self.client;
        let credential = self.api.credential.as_deref().map(super::types::hand);
        let mut fields = Vec::new();
        let mut passed = Vec::new();
        if let Some(of) = &credential {
            fields.push(quote!(credential: #of));
        }
        for param in self.required() {
            let rust = ident(&param.rust);
            let of = owned(&param.ty);
            fields.push(quote!(#rust: #of));
            passed.push(match is_copied(&param.ty) {
                true => quote!(self.#rust),
                false => quote!(&self.#rust),
            });
        }
        let mut setters: Vec<TokenStream> =
            self.optional().map(|param| self.setter(param)).collect();
        if let Some(params) = self.params() {
            fields.push(quote!(params: calls::#params));
            passed.push(quote!(&self.params));
        }
        if let Some((ty, required)) = self.body() {
            let of = owned(ty);
            if required {
                fields.push(quote!(body: #of));
                passed.push(quote!(&self.body));
            } else {
                fields.push(quote!(body: Option<#of>));
                passed.push(quote!(self.body.as_ref()));
                let (of, value) = kept(ty, &ident("body"));
                setters.push(quote! {
                    /// Sets the body. Default: none.
                    pub fn body(mut self, body: #of) -> Self {
                        self.body = Some(#value);
                        self
                    }
                });
            }
        }
        setters.extend(self.operation.options.iter().map(option));
        let given = match credential {
            Some(_) => quote!(&self.credential),
            None => quote!(&()),
        };
        let call = ident(&self.operation.rust);
        let output = self.output();
        let read = self.read(quote!(
            Service::call(&self.client, call, #given, &self.options)
        ));
        let doc = prose(&[
            &format!("A request: {}", sentence(&lower(&self.operation.summary))),
            "Values that are not set are left to the server.",
        ]);
        let errors = self.errors();
        let visible = self.operation.check.is_some().then(|| quote!(pub(crate)));
        let items = self.operation.page.as_ref().map(list::items);
        let page = self.operation.page.as_ref();
        let list = page.map(|page| list::list(self.operation, page, &builder));
        quote! {
            #doc
            #[derive(Clone, Debug)]
            #[must_use = "nothing is sent before `send`"]
            pub struct #builder {
                #visible client: #client,
                #(#visible #fields,)*
                #visible options: CallOptions,
            }

            impl #builder {
                #(#setters)*
                vouchsafe_core::call_options!(options);

                /// Sends the request.
                ///
                #errors
                pub async fn send(&self) -> crate::Result<#output> {
                    let call = calls::#call(#(#passed),*)?;
                    #read
                }

                #items
            }

            #list
        }
    }

    fn setter(&self, param: &Param) -> TokenStream {
        let field = ident(&param.rust);
        let own = param.rust.trim_end_matches('_');
        let name = match own {
            "body" | "deadline" | "attempt_timeout" | "retry" | "request_id" | "options"
            | "send" | "items" => format!("{own}_"),
            _ if syn::parse_str::<syn::Ident>(own).is_err() => param.rust.clone(),
            _ => own.to_owned(),
        };
        let name = ident(&name);
        let text = match &param.description {
            Some(text) => sentence(text),
            None => format!("Sets `{}`.", param.name),
        };
        let doc = prose(&[&text, &self.limits(param)]);
        let value = ident("value");
        match &param.ty {
            Type::List(item) => {
                let (of, collect) = many(item);
                let list = quote!(values.into_iter()#collect.collect());
                let list = match param.sends_empty {
                    true => quote!(Some(#list)),
                    false => list,
                };
                quote! {
                    #doc
                    pub fn #name(mut self, values: #of) -> Self {
                        self.params.#field = #list;
                        self
                    }
                }
            }
            of => {
                let (of, kept) = self.given(of, &value);
                quote! {
                    #doc
                    pub fn #name(mut self, value: #of) -> Self {
                        self.params.#field = Some(#kept);
                        self
                    }
                }
            }
        }
    }

    /// Writes the type of a setter's argument, and how it is stored. Words are passed by value, ids
    /// are borrowed.
    fn given(&self, of: &Type, value: &Ident) -> (TokenStream, TokenStream) {
        let is_words = of.name().and_then(|name| self.api.definition(name));
        match is_words.map(|def| &def.shape) {
            Some(Shape::Words { .. }) => {
                let of = owned(of);
                (of, quote!(#value))
            }
            _ => kept(of, value),
        }
    }

    fn aliases(&self) -> Vec<TokenStream> {
        let name = &self.operation.method_name;
        let all = self.operation.aliases.iter().filter(|alias| *alias != name);
        all.map(|alias| quote!(#[doc(alias = #alias)])).collect()
    }

    fn docs(&self, sends: bool) -> TokenStream {
        let operation = self.operation;
        let mut paragraphs = vec![sentence(&operation.summary)];
        paragraphs.extend(operation.description.as_deref().map(sentence));
        paragraphs.push(operation.notes.join(" "));
        for param in self.required() {
            let own = param
                .description
                .as_deref()
                .map(sentence)
                .unwrap_or_default();
            let text = format!("{own} {}", self.limits(param));
            if !text.trim().is_empty() {
                paragraphs.push(format!("`{}`: {}", param.rust, text.trim()));
            }
        }
        if !operation.is_safe {
            paragraphs.push(
                "Sent again only if no byte of it was sent, since repeating it would do harm."
                    .to_owned(),
            );
        }
        let paragraphs: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
        let text = prose(&paragraphs);
        let errors = sends.then(|| {
            let errors = self.errors();
            quote!(#[doc = ""] #errors)
        });
        let example = example::of(self.krate, self.api, operation);
        let example = (!example.is_empty()).then(|| quote!(#[doc = ""] #(#[doc = #example])*));
        quote!(#text #errors #example)
    }

    /// Writes the limits of a parameter. Ids document their own.
    fn limits(&self, param: &Param) -> String {
        let def = param.ty.name().and_then(|name| self.api.definition(name));
        match def.map(|def| &def.shape) {
            Some(Shape::Id { .. }) if !matches!(param.ty, Type::List(_)) => String::new(),
            _ => param.limits.sentence(),
        }
    }

    /// Writes the section on errors: the meaning of refusals, from the description.
    fn errors(&self) -> TokenStream {
        let mut lines = vec![" # Errors".to_owned(), String::new()];
        for (kind, when) in self.operation.refusals() {
            lines.extend(bullet(&format!("Of kind `{kind}`: {when}")));
        }
        let rest = "Those of any call: a time limit, a broken connection, a refused credential.";
        lines.push(match lines.len() {
            2 => format!(" {rest}"),
            _ => format!(" - {rest}"),
        });
        quote!(#(#[doc = #lines])*)
    }
}

/// Writes a setter of a header that is among the options of a call.
fn option(param: &Param) -> TokenStream {
    let setter = ident(&param.rust);
    let header = param.name.to_ascii_lowercase();
    let text = match &param.description {
        Some(text) => sentence(text),
        None => format!("Sets the header `{}`.", param.name),
    };
    let doc = prose(&[&text]);
    let of = borrowed(&param.ty);
    let value = super::types::text_of(&param.ty, &quote!(value));
    quote! {
        #doc
        pub fn #setter(mut self, value: #of) -> Self {
            self.options = self.options.plain_header(HeaderName::from_static(#header), #value);
            self
        }
    }
}

/// Writes the type of an argument that is stored, and how.
pub(super) fn kept(of: &Type, name: &Ident) -> (TokenStream, TokenStream) {
    match of {
        Type::Text => (quote!(impl Into<String>), quote!(#name.into())),
        Type::Secret => (quote!(impl Into<Secret>), quote!(#name.into())),
        Type::Shown(path) => {
            let of = super::types::hand(path);
            (quote!(impl Into<#of>), quote!(#name.into()))
        }
        of if is_copied(of) => (owned(of), quote!(#name)),
        Type::List(item) => {
            let (of, collect) = many(item);
            (of, quote!(#name.into_iter()#collect.collect()))
        }
        of => {
            let of = owned(of);
            (quote!(&#of), quote!(#name.clone()))
        }
    }
}

/// Writes the type of an argument with several items, and how each is stored.
pub(super) fn many(item: &Type) -> (TokenStream, TokenStream) {
    match item {
        Type::Text => (
            quote!(impl IntoIterator<Item = impl Into<String>>),
            quote!(.map(Into::into)),
        ),
        item => {
            let of = owned(item);
            (quote!(impl IntoIterator<Item = #of>), quote!())
        }
    }
}

fn is_copied(of: &Type) -> bool {
    of.is_integer() || matches!(of, Type::Number | Type::Boolean)
}

fn in_words(name: &str) -> String {
    names::snake(name)
        .trim_start_matches("r#")
        .replace('_', " ")
}

/// Starts a summary in lower case, so that it can follow a colon.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string());
    // A name in capitals stays as it is.
    match letters.clone().next() {
        Some(second) if second.is_uppercase() => text.to_owned(),
        _ => first.unwrap_or_default() + letters.as_str(),
    }
}

/// Writes an item of a list, with the lines after the first under its text.
fn bullet(text: &str) -> Vec<String> {
    let lines = super::doc_lines(&sentence(text), &[]);
    let begin = |(index, line): (usize, &String)| match index {
        0 => format!(" -{line}"),
        _ => format!("  {line}"),
    };
    lines.iter().enumerate().map(begin).collect()
}
