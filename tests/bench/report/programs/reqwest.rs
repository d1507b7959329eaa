//! Asks who a token belongs to, by hand.

use serde::Deserialize;

#[derive(Deserialize)]
struct Info {
    username: String,
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    name: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = reqwest::Client::new();
    let request = client
        .get(std::env::var("URL")?)
        .bearer_auth(std::env::var("TOKEN")?);
    let info: Info = request.send().await?.error_for_status()?.json().await?;
    let groups: Vec<_> = info.groups.iter().map(|group| &group.name).collect();
    println!("{} is in {groups:?}", info.username);
    Ok(())
}
