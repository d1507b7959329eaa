//! How a method reads an answer, and what it returns.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::super::model::{Reply, Type};
use super::api::Writer;
use super::calls::owned;
use super::ident;

impl Writer<'_> {
    /// Writes the result of sending the call. A refusal that means "absent" ends the method.
    fn sent(&self, call: TokenStream) -> TokenStream {
        let Some((status, code)) = &self.operation.absent else {
            return quote!(#call.await?);
        };
        let code = code
            .as_ref()
            .map(|code| quote!(&& error.code() == Some(#code)));
        let nothing = match self.operation.reply {
            Reply::Nothing => quote!(false),
            _ => quote!(None),
        };
        let status = Literal::u16_unsuffixed(*status);
        quote! {
            match #call.await {
                Err(error) if error.status().is_some_and(|status| status == #status) #code => {
                    return Ok(#nothing);
                }
                sent => sent?,
            }
        }
    }

    /// Returns the hand-written type that stands for a wire type, or for each in a list or map.
    pub(super) fn model(&self, of: &Type) -> Option<TokenStream> {
        let named = match of {
            Type::List(item) | Type::Map(item) => item,
            of => of,
        };
        let Type::Named(name) = named else {
            return None;
        };
        let model = self.api.definition(name)?.model.as_deref()?;
        Some(super::types::hand(model))
    }

    pub(super) fn output(&self) -> TokenStream {
        let of = match &self.operation.reply {
            Reply::Nothing if self.operation.absent.is_some() => return quote!(bool),
            Reply::Nothing => return quote!(()),
            Reply::Text => quote!(String),
            Reply::Other => quote!(vouchsafe_core::call::Answer),
            Reply::Json {
                part: Some((_, of)),
                ..
            } => owned(of),
            Reply::Json { ty, .. } => match (ty, self.model(ty)) {
                (_, None) => owned(ty),
                (Type::List(_), Some(model)) => quote!(Vec<#model>),
                (Type::Map(_), Some(model)) => {
                    quote!(std::collections::BTreeMap<String, #model>)
                }
                (_, Some(model)) => model,
            },
        };
        match self.operation.absent {
            Some(_) => quote!(Option<#of>),
            None => of,
        }
    }

    /// Writes how an answer is read.
    pub(super) fn read(&self, call: TokenStream) -> TokenStream {
        let send = self.sent(call);
        let value = match &self.operation.reply {
            Reply::Nothing if self.operation.absent.is_some() => {
                return quote! { #send; Ok(true) };
            }
            Reply::Nothing => return quote! { #send; Ok(()) },
            Reply::Text => quote!(answer.text()?.to_owned()),
            Reply::Other => quote!(answer),
            Reply::Json {
                ty,
                part: Some((field, _)),
                ..
            } => {
                let of = owned(ty);
                let field = ident(field);
                quote!(answer.json::<#of>()?.#field)
            }
            Reply::Json {
                may_be_empty: true, ..
            } => quote!(answer.json_or_default()?),
            Reply::Json { ty, .. } => {
                let of = owned(ty);
                match (ty, self.model(ty)) {
                    (_, None) => quote!(answer.json()?),
                    (Type::List(_), _) => quote! {
                        answer
                            .json::<#of>()?
                            .into_iter()
                            .map(|wire| answer.convert(wire))
                            .collect::<vouchsafe_core::Result<_>>()?
                    },
                    (Type::Map(_), _) => quote! {
                        answer
                            .json::<#of>()?
                            .into_iter()
                            .map(|(key, wire)| Ok((key, answer.convert(wire)?)))
                            .collect::<vouchsafe_core::Result<_>>()?
                    },
                    (_, Some(_)) => quote!(answer.convert(answer.json::<#of>()?)?),
                }
            }
        };
        let (value, check) = match &self.operation.check {
            Some(check) => {
                let check = super::types::hand(check);
                let of = self.output();
                let check = quote!(let value: #of = #value; #check(self, &value)?;);
                (quote!(value), Some(check))
            }
            None => (value, None),
        };
        let value = match self.operation.absent {
            Some(_) => quote!(Some(#value)),
            None => value,
        };
        quote! {
            let answer = #send;
            #check
            Ok(#value)
        }
    }
}
