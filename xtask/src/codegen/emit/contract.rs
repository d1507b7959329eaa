//! `tests/contract/mod.rs`: every operation by its method, against the emulator of examples.

use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::quote;

use super::super::model::{Api, Operation};
use super::super::names;
use super::{Output, example, ident, rust};

/// Writes the contract suite of a crate, if the description says enough for every operation.
pub(crate) fn contract(krate: &str, apis: &[Api]) -> Option<Result<Output, syn::Error>> {
    let mut calls = Vec::new();
    let mut drives = Vec::new();
    for api in apis {
        if !(api.emulator && api.credential.is_none() && api.client == "crate::Client") {
            return None;
        }
        for operation in &api.operations {
            let name = ident(&names::snake(&operation.id));
            calls.push(drive(krate, api, operation, &name)?);
            let id = format!("{}.{}", api.id, operation.id);
            drives.push(quote!(#name(client).await.expect(#id);));
        }
    }
    let krate_name = ident(&example::crate_name(krate));
    let code = quote! {
        //! Calls every operation successfully by its method, against the emulator in process and
        //! over TCP and TLS.
        use std::collections::BTreeSet;
        use std::sync::Arc;

        use vouchsafe_core::mock::CertificateAuthority;
        use vouchsafe_core::transport::HttpTransport;
        use #krate_name::mock::Server;
        use #krate_name::{Client, Result};

        /// Returns the ids of the operations that were answered with success.
        pub(crate) async fn run() -> BTreeSet<String> {
            let server = Server::new();
            drive(&server.client().unwrap()).await;

            // A transport that verifies certificates, as users have.
            let authority = CertificateAuthority::new().unwrap();
            let any = "127.0.0.1:0".parse().unwrap();
            let serving = server.serve_tls(any, &authority).await.unwrap();
            let trusting = HttpTransport::builder().add_root_pem(authority.pem().as_bytes());
            let transport = trusting.unwrap().only_roots().build().unwrap();
            let url = format!("{}{}", serving.url(), server.base_path());
            let client = server.client_builder().base_url(url).transport(Arc::new(transport));
            drive(&client.build().unwrap()).await;

            let entries = server.journal().entries();
            let good = entries.iter().filter(|entry| {
                entry.status.is_some_and(|status| (200..300).contains(&status))
            });
            good.filter_map(|entry| entry.operation).map(str::to_owned).collect()
        }

        async fn drive(client: &Client) {
            #(#drives)*
        }

        #(#calls)*
    };
    let output = rust(&format!("{krate}/api"), code).map(|text| Output {
        path: PathBuf::from(krate).join("tests/contract/mod.rs"),
        text,
    });
    Some(output)
}

/// Returns the ids of operations that no suite could be written for.
pub(crate) fn without_example(krate: &str, api: &Api) -> Vec<String> {
    let name = ident("one");
    let is_missing = |one: &&Operation| drive(krate, api, one, &name).is_none();
    let missing = api.operations.iter().filter(is_missing);
    missing.map(|operation| operation.id.clone()).collect()
}

fn drive(
    krate: &str,
    api: &Api,
    operation: &Operation,
    name: &proc_macro2::Ident,
) -> Option<TokenStream> {
    if !operation.has_method() {
        return None;
    }
    let call: TokenStream = example::call(krate, api, operation)?.parse().ok()?;
    let is_answered = !matches!(operation.reply, super::super::model::Reply::Nothing);
    let value = match is_answered {
        true => quote!(let _ = ),
        false => quote!(),
    };
    let send = match operation.is_plain() {
        true => quote!(#value #call.await?;),
        false => quote!(#value #call.send().await?;),
    };
    let walk = operation.page.is_some().then(|| {
        quote! {
            let mut items = #call.items();
            while items.next().await?.is_some() {}
        }
    });
    Some(quote! {
        async fn #name(client: &Client) -> Result<()> {
            #send
            #walk
            Ok(())
        }
    })
}
