//! A script without `async`: makes users of wazo-auth from a list, and prints who is there. Runs
//! against the emulator: `cargo run -p vouchsafe --example script --features
//! blocking,mock,wazo-auth`.
#![allow(clippy::print_stdout, reason = "an example")]

use vouchsafe::blocking::{Wait as _, each};
use vouchsafe::wazo_auth::{NewUser, Result, UserOrder, mock};

const USERS: &str = "ada,Ada,Lovelace\ngrace,Grace,Hopper";

fn main() -> Result<()> {
    // In production: `Client::builder().host("wazo.example.com").credentials(..).build()?`.
    let server = mock::Server::new();
    let client = server.client_as("admin");

    for line in USERS.lines() {
        let [username, first, last] = line.split(',').collect::<Vec<_>>()[..] else {
            continue;
        };
        let user = NewUser::new()
            .username(username)
            .firstname(first)
            .lastname(last);
        match client.users().create(&user).wait() {
            Ok(user) => println!("made {}", user.uuid),
            Err(error) if error.is_conflict() => println!("{username} is there already"),
            Err(error) => return Err(error),
        }
    }

    // A list of any length, page by page.
    let mut users = client.users().list().order(UserOrder::Username).items();
    for user in each(async || users.next().await) {
        let user = user?;
        println!(
            "{:?} {:?} {:?}",
            user.username, user.firstname, user.lastname
        );
    }
    Ok(())
}
