//! Sessions: one for each token.

use clap::Subcommand;
use vouchsafe::wazo_auth::{Client, Session, SessionUuid, UserUuid};

use super::list::{ListArgs, OfUserArgs, found};
use super::{done, lookup};
use crate::failure::Failure;
use crate::output::Answer;
use crate::progress::counted;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists sessions: of all users, or of one
    List(OfUserArgs),
    /// Ends sessions and their tokens; unknown ones are not an error
    Delete {
        /// The uuids
        #[arg(required_unless_present = "user")]
        sessions: Vec<SessionUuid>,
        /// Ends all sessions of this user instead, by uuid or name
        #[arg(long, value_name = "USER", conflicts_with = "sessions")]
        user: Option<String>,
    },
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::List(OfUserArgs { user, list }) => match user {
            None => {
                let found = found!(client.sessions().list(), &list, "sessions");
                Ok(found.answer(HEADER, row))
            }
            Some(user) => {
                let user = lookup::user(client, &user).await?;
                of_user(client, &user, &list).await
            }
        },
        Command::Delete {
            sessions,
            user: None,
        } => {
            for session in counted("sessions", &sessions) {
                client.sessions().delete(session).await?;
            }
            Ok(done("ended"))
        }
        Command::Delete {
            user: Some(user), ..
        } => {
            let user = lookup::user(client, &user).await?;
            let request = client.users().get_sessions(&user).recurse(true);
            let all = request.items().collect().await?;
            for session in counted("sessions", &all) {
                client.users().remove_session(&user, &session.uuid).await?;
            }
            Ok(done("ended"))
        }
    }
}

pub(super) async fn of_user(
    client: &Client,
    user: &UserUuid,
    list: &ListArgs,
) -> Result<Answer, Failure> {
    let found = found!(client.users().get_sessions(user), list, "sessions");
    Ok(found.answer(HEADER, row))
}

const HEADER: &[&str] = &["uuid", "user", "tenant", "mobile"];

fn row(session: &Session) -> Vec<String> {
    let user = session.user_uuid.as_ref();
    vec![
        session.uuid.to_string(),
        user.map(ToString::to_string).unwrap_or_default(),
        session.tenant_uuid.to_string(),
        session.mobile.to_string(),
    ]
}
