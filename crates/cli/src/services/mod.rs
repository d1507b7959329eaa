//! The services that the program knows: one folder each, named once in [`SERVICES`].

mod astakos;
mod cloud_credentials;
mod ticket;
mod userinfo;
mod wazo_auth;

use std::ffi::OsString;

use crate::service::Service;

/// Every service, in the order of the demo.
pub(crate) const SERVICES: &[&dyn Service] = &[
    &userinfo::Userinfo,
    &ticket::Ticket,
    &astakos::Astakos,
    &cloud_credentials::CloudCredentials,
    &wazo_auth::WazoAuth,
];

/// Finds the service that a command belongs to.
pub(crate) fn of_command(name: &str) -> Option<&'static dyn Service> {
    let mut all = SERVICES.iter().copied();
    all.find(|service| {
        service
            .commands()
            .iter()
            .any(|command| command.get_name() == name)
    })
}

/// Returns whether a text holds a token of any service.
pub(crate) fn holds_token(text: &str) -> bool {
    SERVICES.iter().any(|service| service.holds_token(text))
}

/// Removes the secrets in arguments from a message that may repeat them.
pub(crate) fn without_secrets(message: &str, arguments: &[OsString]) -> String {
    let mut message = message.to_owned();
    for argument in arguments {
        let argument = argument.to_string_lossy();
        for (secret, shown) in SERVICES
            .iter()
            .filter_map(|service| service.secret(&argument))
        {
            message = message.replace(&secret, &shown);
        }
    }
    message
}

/// Returns whether an argument holds a secret that [`without_secrets`] takes out.
pub(crate) fn holds_secret(argument: &OsString) -> bool {
    let argument = argument.to_string_lossy();
    let mut all = SERVICES.iter();
    all.any(|service| service.secret(&argument).is_some())
}

/// Finds a service and one of its parts by the name of the part.
pub(crate) fn find(name: &str) -> Result<(&'static dyn Service, &'static str), String> {
    let all = SERVICES
        .iter()
        .flat_map(|&service| service.parts().iter().map(move |&part| (service, part)));
    let found = all.clone().find(|(_, part)| *part == name);
    found.ok_or_else(|| {
        let names: Vec<_> = all.map(|(_, part)| part).collect();
        format!("no such service; there is: {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn files_that_all_services_share_name_no_service() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut names = vec!["gafaelfawr", "repertoire", "tvm", "tickets", "gt-"];
        for service in SERVICES {
            names.push(service.name());
            names.extend(service.parts());
        }
        let mut read = 0;
        for entry in fs::read_dir(source).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            read += 1;
            let text = fs::read_to_string(&path).unwrap();
            for (number, line) in (1..).zip(text.lines()) {
                let found = names.iter().find(|name| line.contains(**name));
                assert_eq!(found, None, "{}:{number}: {line}", path.display());
            }
        }
        assert!(read > 5, "the sources have moved");
    }

    #[test]
    fn every_service_has_its_own_names_and_commands() {
        let parts = SERVICES.iter().flat_map(|service| service.parts());
        let mut parts: Vec<_> = parts.collect();
        let commands = SERVICES.iter().flat_map(|service| service.commands());
        let mut commands: Vec<_> = commands
            .map(|command| command.get_name().to_owned())
            .collect();
        let lengths = (parts.len(), commands.len());
        parts.sort_unstable();
        parts.dedup();
        commands.sort_unstable();
        commands.dedup();
        assert_eq!((parts.len(), commands.len()), lengths);
    }
}
