//! Quotas of many users, one user at a time.

mod entries;

use bytes::Bytes;
use serde::Deserialize;
use vouchsafe_core::call::AnswerStream;

use self::entries::{Entries, Fault};
use crate::heeded::heeded_by;
use crate::{Error, Result, UserQuotas};

/// The quotas of users as they arrive; only one user's are held at a time.
///
/// Created by [`ServiceQuotasRequest::walk`](crate::ServiceQuotasRequest::walk). Dropping it
/// abandons the rest. If the server lists a user twice, so does this.
#[derive(Debug)]
pub struct QuotaWalk {
    answer: AnswerStream,
    /// The requested projects.
    projects: Option<Vec<String>>,
    entries: Entries,
    piece: Bytes,
    is_over: bool,
}

impl QuotaWalk {
    pub(crate) fn new(answer: AnswerStream, projects: Option<Vec<String>>) -> Self {
        Self {
            answer,
            projects,
            entries: Entries::new(),
            piece: Bytes::new(),
            is_over: false,
        }
    }

    /// Returns the next user's uuid and quotas, or `None` after the last.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidResponse`](crate::ErrorKind::InvalidResponse) if the answer has another
    /// form, or one user's quotas exceed 1 MiB;
    /// [`ErrorKind::Connection`](crate::ErrorKind::Connection) if the answer breaks off or stalls.
    /// Users that were returned before are correct nevertheless. Nothing follows an error.
    pub async fn next(&mut self) -> Result<Option<(String, UserQuotas)>> {
        if self.is_over {
            return Ok(None);
        }
        let next = self.advance().await;
        self.is_over = !matches!(next, Ok(Some(_)));
        next
    }

    async fn advance(&mut self) -> Result<Option<(String, UserQuotas)>> {
        loop {
            match self.entries.take(&mut self.piece) {
                Ok(true) => return self.read().map(Some),
                Ok(false) => {}
                Err(fault) => return Err(self.fault(fault)),
            }
            match self.answer.next().await? {
                Some(piece) => self.piece = piece,
                None => {
                    let end = self.entries.finish();
                    return end.map(|()| None).map_err(|fault| self.fault(fault));
                }
            }
        }
    }

    fn read(&mut self) -> Result<(String, UserQuotas)> {
        match serde_json::from_slice::<Entry>(self.entries.entry()) {
            Ok(Entry(user, quotas)) => {
                heeded_by(self.projects.as_deref(), &quotas)?;
                Ok((user, quotas))
            }
            Err(_) => Err(self
                .answer
                .decode_error("an entry of the answer is not a user's quotas")
                .into()),
        }
    }

    fn fault(&self, fault: Fault) -> Error {
        self.answer.decode_error(fault.to_string()).into()
    }
}

/// An object with one key.
struct Entry(String, UserQuotas);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Entry;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("quotas by a user's uuid")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Entry, A::Error> {
                let entry = map.next_entry()?;
                let (user, quotas) =
                    entry.ok_or_else(|| serde::de::Error::custom("nothing is there"))?;
                Ok(Entry(user, quotas))
            }
        }

        from.deserialize_map(Visitor)
    }
}
