//! Lists that come in pages, described for the walker in core.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::super::model::{Operation, Page, PageField, PageStyle};
use super::calls::owned;
use super::{ident, prose};

/// Writes the method that starts a walk.
pub(super) fn items(page: &Page) -> TokenStream {
    let size = match page.style {
        PageStyle::Offset { .. } => " If the limit is set, it is the size of a page.",
        PageStyle::Token { .. } => "",
    };
    let doc = prose(&[
        "Returns the items of all pages, with the filters and the order of this request.",
        &format!("At most one page is held at a time.{size}"),
        "A list that changes while it is read gives no item twice, and an error of kind \
         `Conflict` without a status where items may have been missed.",
    ]);
    quote! {
        #doc
        pub fn items(self) -> page::Items<Self> {
            page::Items::new(self)
        }
    }
}

/// Describes a list for the walker.
pub(super) fn list(operation: &Operation, page: &Page, builder: &Ident) -> TokenStream {
    let item = owned(&page.item);
    let param = |name: &str| operation.params.iter().find(|param| param.name == name);
    let (style, at) = match &page.style {
        PageStyle::Offset {
            offset,
            limit,
            size,
        } => {
            let (Some(offset), Some(limit)) = (param(offset), param(limit)) else {
                return TokenStream::new();
            };
            let largest = match limit.limits.maximum.as_ref().and_then(|m| m.parse().ok()) {
                Some(number) => {
                    let number: u64 = number;
                    let number = Literal::u64_unsuffixed(number);
                    quote!(Some(#number))
                }
                None => quote!(None),
            };
            let size = Literal::u64_unsuffixed(*size);
            let (offset, limit) = (ident(&offset.rust), ident(&limit.rust));
            let style = quote! {
                let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
                page::Style::Offset {
                    first: number(self.params.#offset).unwrap_or(0),
                    size: number(self.params.#limit).unwrap_or(#size),
                    largest: #largest,
                }
            };
            let at = quote! {
                let mut request = self.clone();
                if let page::Position::Offset { offset, limit } = at {
                    request.params.#offset = i64::try_from(offset).ok();
                    request.params.#limit = i64::try_from(limit).ok();
                }
            };
            (style, at)
        }
        PageStyle::Token { param: name } => {
            let Some(token) = param(name) else {
                return TokenStream::new();
            };
            let token = ident(&token.rust);
            let at = quote! {
                let mut request = self.clone();
                if let page::Position::Token(Some(token)) = at {
                    request.params.#token = Some(token);
                }
            };
            (quote!(page::Style::Token), at)
        }
    };
    let items = ident(&page.items.rust);
    let total = page.total.as_ref().map(|field| {
        let name = ident(&field.rust);
        let read = quote!(u64::try_from(total).unwrap_or(0));
        match field.optional {
            true => quote!(let page = match answer.#name { Some(total) => page.total(#read), None => page };),
            false => quote!(let total = answer.#name; let page = page.total(#read);),
        }
    });
    let next = page.next.as_ref().map(|field| {
        let name = ident(&field.rust);
        match field.optional {
            true => quote!(let page = page.next(answer.#name);),
            false => quote!(let page = page.next(Some(answer.#name));),
        }
    });
    let part = |field: &PageField| {
        let name = ident(&field.rust);
        match field.optional {
            true => quote!(item.#name.as_ref().map(ToString::to_string).unwrap_or_default()),
            false => quote!(item.#name.to_string()),
        }
    };
    let key = match page.key.as_slice() {
        [field] => part(field),
        [_, ..] => {
            let parts = page.key.iter().map(part);
            quote!([#(#parts),*].join("\n"))
        }
        [] if matches!(page.style, PageStyle::Offset { .. }) => quote!(item.to_string()),
        [] => quote!({
            let _ = item;
            String::new()
        }),
    };
    let of_items = match page.items.optional {
        true => quote!(answer.#items.unwrap_or_default()),
        false => quote!(answer.#items),
    };
    quote! {
        impl page::List for #builder {
            type Item = #item;
            type Error = crate::Error;

            fn style(&self) -> page::Style {
                #style
            }

            async fn page(&self, at: page::Position) -> crate::Result<page::Page<#item>> {
                #at
                let answer = request.send().await?;
                let page = page::Page::new(#of_items);
                #total
                #next
                Ok(page)
            }

            fn key(item: &#item) -> String {
                #key
            }
        }
    }
}
