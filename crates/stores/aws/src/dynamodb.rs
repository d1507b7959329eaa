//! Records as the items of one table.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType, Select, TableStatus,
};
use tokio::time::{Instant, sleep};
use vouchsafe_core::store::{
    Capabilities, Expect, Key, Leases, Loaded, Scope, Store, StoreLeases, Swapped, Version, unique,
};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes};

use crate::Aws;
use crate::aws::Failed;

/// A [`Store`] in a table of DynamoDB, shared by all machines of an account;
/// [`leases`](Self::leases) are next to the records.
///
/// Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct DynamoStore {
    aws: Aws,
    client: Client,
    table: String,
}

/// The maximum size of a record in bytes. An item may have 400 KB, names included.
const LARGEST: usize = 256 << 10;
/// What a key of the table may have in bytes, without our prefixes.
const LONGEST_NAMESPACE: usize = 2000;
const LONGEST_PROFILE: usize = 1000;
/// How long a table may take to be made.
const PATIENCE: Duration = Duration::from_secs(60);

/// The attributes of an item. The first two are its key.
const NAMESPACE: &str = "namespace";
const NAME: &str = "name";
const VERSION: &str = "version";
const VALUE: &str = "value";

type Item = HashMap<String, AttributeValue>;

impl DynamoStore {
    /// Keeps records in a table, which must exist: [`create_table`](Self::create_table) makes it.
    /// Does no I/O.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if this is neither a name nor an ARN of a table.
    pub fn new(aws: &Aws, table: impl Into<String>) -> Result<Self> {
        let table = table.into();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-:/".contains(&byte);
        if table.len() < 3 || !table.bytes().all(fits) {
            let what = "the name of a table has three or more letters, digits, `_`, `.` and `-`";
            return Err(Error::new(ErrorKind::Config, what));
        }
        Ok(Self {
            client: Client::new(aws.sdk()),
            aws: aws.clone(),
            table,
        })
    }

    /// Returns leases on the records, which are items of the same table.
    ///
    /// DynamoDB ends no lease by itself. These end by the time of AWS as the dates of its answers
    /// tell it, to within a second; this machine's clock does not matter as long as AWS accepts its
    /// signatures, which are refused five minutes off.
    #[must_use]
    pub fn leases(&self) -> StoreLeases {
        StoreLeases::with_clock(Arc::new(self.clone()), self.aws.clock())
    }

    /// Creates the table if it does not exist, billed by request, and waits until it can be used.
    ///
    /// # Errors
    ///
    /// Of kind [`Store`](ErrorKind::Store) if these credentials may not, or it takes more than a
    /// minute.
    pub async fn create_table(&self) -> Result<()> {
        let what = self.at("make");
        let attribute = |name: &str| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            attribute.attribute_type(ScalarAttributeType::S).build()
        };
        let key = |name: &str, kind| {
            let key = KeySchemaElement::builder().attribute_name(name);
            key.key_type(kind).build()
        };
        let incomplete = |cause| Error::new(ErrorKind::Store, "no table").with_source(cause);
        let mut call = self.client.create_table().table_name(&self.table);
        for (name, kind) in [(NAMESPACE, KeyType::Hash), (NAME, KeyType::Range)] {
            call = call
                .attribute_definitions(attribute(name).map_err(incomplete)?)
                .key_schema(key(name, kind).map_err(incomplete)?);
        }
        let call = call.billing_mode(BillingMode::PayPerRequest).send();
        if let Err(failed) = self.aws.call(self.aws.late(), &what, call).await
            && !failed
                .refusal
                .as_ref()
                .is_some_and(|refusal| refusal.is_resource_in_use_exception())
        {
            return Err(failed.into());
        }
        let begun = Instant::now();
        loop {
            let call = self.client.describe_table().table_name(&self.table).send();
            let described = self.aws.call(self.aws.late(), &what, call).await?;
            let status = described.table.and_then(|table| table.table_status);
            match status {
                Some(TableStatus::Active | TableStatus::Updating) => return Ok(()),
                _ if begun.elapsed() > PATIENCE => {
                    let told = format!("cannot {what}: it is not ready after {PATIENCE:?}");
                    return Err(Error::new(ErrorKind::Store, told).with_retryable(true));
                }
                _ => sleep(Duration::from_millis(500)).await,
            }
        }
    }

    /// Says what a call is about: `what` completes "cannot".
    fn at(&self, what: &str) -> String {
        format!("{what} the table {} of DynamoDB", self.table)
    }

    async fn read(&self, key: &Key) -> Result<Option<Loaded>> {
        let ([namespace, name], late) = (names(key)?, self.aws.late());
        let call = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(NAMESPACE, namespace)
            .key(NAME, name)
            .consistent_read(true)
            .send();
        match self
            .aws
            .call(late, &self.at("read a record of"), call)
            .await
        {
            Ok(read) => read.item.map(|item| self.loaded(item)).transpose(),
            Err(failed) => Err(with_hint(failed)),
        }
    }

    fn loaded(&self, mut item: Item) -> Result<Loaded> {
        let mut bytes = |name| match item.remove(name) {
            Some(AttributeValue::B(blob)) => Some(SecretBytes::from(blob.into_inner())),
            _ => None,
        };
        match (bytes(VERSION), bytes(VALUE)) {
            (Some(version), Some(value)) => Ok(Loaded {
                value,
                version: Version::new(version.expose()),
            }),
            _ => {
                let table = &self.table;
                let what = format!("the table {table} of DynamoDB has an item of another form");
                Err(Error::new(ErrorKind::Store, what))
            }
        }
    }
}

fn with_hint<E>(failed: Failed<E>) -> Error {
    failed.hint(&[(
        "ResourceNotFoundException",
        "create_table() makes the table",
    )])
}

/// Returns the key of an item. No part of it is empty.
fn names(key: &Key) -> Result<[AttributeValue; 2]> {
    for (part, of, limit) in [
        (key.namespace(), "namespace", LONGEST_NAMESPACE),
        (key.profile(), "profile", LONGEST_PROFILE),
    ] {
        if part.len() > limit {
            let what =
                format!("the {of} of a record may have {limit} bytes, and this one has more");
            return Err(Error::new(ErrorKind::Store, what));
        }
    }
    let kind = if key.is_lease() { LEASE } else { RECORD };
    let name = format!("{kind}{}", key.profile());
    Ok([namespace(key.namespace()), AttributeValue::S(name)])
}

const RECORD: &str = "record/";
const LEASE: &str = "lease/";

fn namespace(namespace: &str) -> AttributeValue {
    AttributeValue::S(format!("vouchsafe/{namespace}"))
}

fn bytes(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// What an item must be like for a write: the expression, and the version in it.
fn condition(expect: &Expect) -> (Option<&'static str>, Option<&Version>) {
    match expect {
        Expect::Absent => (Some("attribute_not_exists(#version)"), None),
        Expect::Version(version) => (Some("#version = :seen"), Some(version)),
        Expect::Any => (None, None),
    }
}

impl Store for DynamoStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(self.read(key))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            self.capabilities().require_room(key, value)?;
            let ([namespace, name], late) = (names(key)?, self.aws.late());
            let version = unique();
            let (condition, seen) = condition(expect);
            let call = self
                .client
                .put_item()
                .table_name(&self.table)
                .item(NAMESPACE, namespace)
                .item(NAME, name)
                .item(VERSION, bytes(&version))
                .item(VALUE, bytes(value.expose()))
                .set_condition_expression(condition.map(str::to_owned))
                .set_expression_attribute_names(
                    condition.map(|_| [("#version".to_owned(), VERSION.to_owned())].into()),
                )
                .set_expression_attribute_values(
                    seen.map(|seen| [(":seen".to_owned(), bytes(seen.as_bytes()))].into()),
                )
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                )
                .send();
            match self
                .aws
                .call(late, &self.at("write a record to"), call)
                .await
            {
                Ok(_) => Ok(Swapped::Done(Version::new(&version))),
                Err(Failed {
                    refusal: Some(PutItemError::ConditionalCheckFailedException(other)),
                    ..
                }) => {
                    let there = other.item.filter(|item| !item.is_empty());
                    let there = there.map(|item| self.loaded(item)).transpose()?;
                    Ok(Swapped::Conflict(there))
                }
                Err(failed) => Err(with_hint(failed)),
            }
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let ([namespace, name], late) = (names(key)?, self.aws.late());
            let (condition, seen) = match expect {
                // A missing record cannot be removed.
                Expect::Absent => return Ok(false),
                Expect::Any => ("attribute_exists(#version)", None),
                Expect::Version(version) => ("#version = :seen", Some(version)),
            };
            let call = self
                .client
                .delete_item()
                .table_name(&self.table)
                .key(NAMESPACE, namespace)
                .key(NAME, name)
                .condition_expression(condition)
                .expression_attribute_names("#version", VERSION)
                .set_expression_attribute_values(
                    seen.map(|seen| [(":seen".to_owned(), bytes(seen.as_bytes()))].into()),
                )
                .send();
            match self
                .aws
                .call(late, &self.at("remove a record of"), call)
                .await
            {
                Ok(_) => Ok(true),
                Err(Failed {
                    refusal: Some(DeleteItemError::ConditionalCheckFailedException(_)),
                    ..
                }) => Ok(false),
                Err(failed) => Err(with_hint(failed)),
            }
        })
    }

    fn list<'a>(&'a self, of: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        Box::pin(async move {
            let (mut profiles, late) = (Vec::new(), self.aws.late());
            let mut from = None;
            loop {
                let call = self
                    .client
                    .query()
                    .table_name(&self.table)
                    .key_condition_expression("#namespace = :of AND begins_with(#name, :record)")
                    .expression_attribute_names("#namespace", NAMESPACE)
                    .expression_attribute_names("#name", NAME)
                    .expression_attribute_values(":of", namespace(of))
                    .expression_attribute_values(":record", AttributeValue::S(RECORD.to_owned()))
                    .projection_expression("#name")
                    .select(Select::SpecificAttributes)
                    .consistent_read(true)
                    .set_exclusive_start_key(from)
                    .send();
                let page = self
                    .aws
                    .call(late, &self.at("list the records of"), call)
                    .await;
                let page = page.map_err(with_hint)?;
                let names = page.items.unwrap_or_default();
                profiles.extend(names.into_iter().filter_map(|mut item| {
                    let name = item.remove(NAME)?;
                    let name = name.as_s().ok()?.strip_prefix(RECORD)?;
                    Some(name.to_owned())
                }));
                from = page.last_evaluated_key.filter(|key| !key.is_empty());
                if from.is_none() {
                    break;
                }
            }
            profiles.sort();
            Ok(Some(profiles))
        })
    }

    fn own_leases(self: Arc<Self>) -> Option<Arc<dyn Leases>> {
        Some(Arc::new(self.leases()))
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Scope::Network);
        capabilities.max_bytes = Some(LARGEST);
        capabilities.limit = self.aws.limit();
        capabilities
    }
}

/// Without the SDK's client, which shows its settings, among them the id of the access key.
impl fmt::Debug for DynamoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoStore")
            .field("aws", &self.aws)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
