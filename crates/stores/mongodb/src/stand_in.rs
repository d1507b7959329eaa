//! A stand-in for MongoDB, since no server can be installed where the tests run. It speaks the wire
//! protocol (`OP_MSG`) with the real driver, and knows the commands that the store sends, on one
//! collection in memory. It is **not** MongoDB: what it knows of a command was read in MongoDB's
//! documentation, and refuses what it does not know.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use mongodb::bson::{Bson, DateTime, Document, doc};
use vouchsafe_core::store::contract::Server;

/// Starts a stand-in, whose URL is in a file of the folder.
pub(crate) fn start(place: &Path) -> Option<Box<dyn Server>> {
    Some(Box::new(StandIn::new(place)))
}

/// Returns the URL of the stand-in that a test started with this folder.
pub(crate) fn url(place: &Path) -> String {
    std::fs::read_to_string(place.join(URL)).unwrap()
}

const URL: &str = "url";

pub(crate) struct StandIn {
    port: u16,
    held: Arc<Held>,
    running: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Held {
    documents: Mutex<BTreeMap<String, Document>>,
    /// What every command is answered with, except those of a handshake.
    fault: Mutex<Option<Document>>,
    run: Mutex<Run>,
    resumed: Condvar,
}

#[derive(Default)]
struct Run {
    is_killed: bool,
    is_paused: bool,
    connections: Vec<TcpStream>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StandIn {
    pub(crate) fn new(place: &Path) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::fs::write(place.join(URL), format!("mongodb://127.0.0.1:{port}")).unwrap();
        let mut server = Self {
            port,
            held: Arc::default(),
            running: None,
        };
        server.listen(listener);
        server
    }

    /// Answers every command with this from now on.
    pub(crate) fn fail(&self, answer: Document) {
        *lock(&self.held.fault) = Some(answer);
    }

    /// Puts a document there as another program would.
    pub(crate) fn plant(&self, document: Document) {
        let name = document.get_str("_id").unwrap().to_owned();
        lock(&self.held.documents).insert(name, document);
    }

    fn listen(&mut self, listener: TcpListener) {
        let held = Arc::clone(&self.held);
        self.running = Some(thread::spawn(move || {
            for stream in listener.incoming().map(Result::unwrap) {
                let mut run = lock(&held.run);
                if run.is_killed {
                    break;
                }
                run.connections.push(stream.try_clone().unwrap());
                drop(run);
                let held = Arc::clone(&held);
                thread::spawn(move || while answer(&stream, &held).is_some() {});
            }
        }));
    }
}

impl Server for StandIn {
    fn kill(&mut self) {
        let mut run = lock(&self.held.run);
        run.is_killed = true;
        run.is_paused = false;
        for stream in run.connections.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(run);
        self.held.resumed.notify_all();
        // Wakes the listener.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(running) = self.running.take() {
            running.join().unwrap();
        }
    }

    fn start(&mut self) {
        lock(&self.held.run).is_killed = false;
        self.listen(TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).unwrap());
    }

    fn pause(&mut self) {
        lock(&self.held.run).is_paused = true;
    }

    fn resume(&mut self) {
        lock(&self.held.run).is_paused = false;
        self.held.resumed.notify_all();
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads a command and answers it. `None` at the end of the connection.
fn answer(mut stream: &TcpStream, held: &Held) -> Option<()> {
    let mut header = [0; 16];
    stream.read_exact(&mut header).ok()?;
    let number = |at: usize| i32::from_le_bytes(header[at..at + 4].try_into().unwrap());
    assert_eq!(number(12), MESSAGE, "the driver speaks another protocol");
    let mut body = vec![0; usize::try_from(number(0)).unwrap() - header.len()];
    stream.read_exact(&mut body).ok()?;
    let command = parse(&body);
    let run = lock(&held.run);
    let run = held.resumed.wait_while(run, |run| run.is_paused).unwrap();
    if run.is_killed {
        return None;
    }
    drop(run);
    let mut payload = vec![0; 5];
    execute(held, &command).to_writer(&mut payload).unwrap();
    let length = i32::try_from(header.len() + payload.len()).unwrap();
    let mut message = Vec::new();
    for field in [length, 0, number(4), MESSAGE] {
        message.extend(field.to_le_bytes());
    }
    message.extend(payload);
    stream.write_all(&message).ok()
}

const MESSAGE: i32 = 2013;

/// Reads the sections of a message: one document, and lists of documents by name.
fn parse(body: &[u8]) -> Document {
    assert_eq!(body[..4], [0; 4], "flags that this does not know");
    let mut command = Document::new();
    let mut rest = &body[4..];
    while let Some((&kind, mut section)) = rest.split_first() {
        let length = i32::from_le_bytes(section[..4].try_into().unwrap());
        let length = usize::try_from(length).unwrap();
        rest = &section[length..];
        section = &section[..length];
        if kind == 0 {
            command.extend(Document::from_reader(section).unwrap());
            continue;
        }
        let end = section[4..].iter().position(|&byte| byte == 0).unwrap() + 4;
        let name = String::from_utf8(section[4..end].to_vec()).unwrap();
        section = &section[end + 1..];
        let mut documents = Vec::new();
        while !section.is_empty() {
            documents.push(Bson::from(Document::from_reader(&mut section).unwrap()));
        }
        command.insert(name, documents);
    }
    command
}

fn refused(code: i32, message: &str) -> Document {
    doc! { "ok": 0, "code": code, "codeName": "Refused", "errmsg": message }
}

fn execute(held: &Held, command: &Document) -> Document {
    let (name, _) = command.iter().next().unwrap();
    match name.as_str() {
        // As a server that is alone, of version 4.4.
        "hello" | "isMaster" | "ismaster" => doc! {
            "ok": 1, "isWritablePrimary": true, "ismaster": true, "helloOk": true,
            "maxBsonObjectSize": 16 << 20, "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000, "minWireVersion": 0, "maxWireVersion": 9,
        },
        "saslStart" => refused(18, "Authentication failed."),
        "endSessions" => doc! { "ok": 1 },
        _ => {
            if let Some(fault) = &*lock(&held.fault) {
                return fault.clone();
            }
            let concern = match name.as_str() {
                "find" => command.get("readConcern") == Some(&doc! { "level": "majority" }.into()),
                _ => command.get_document("writeConcern").is_ok_and(|concern| {
                    concern.get("w") == Some(&"majority".into())
                        && concern.get("j") == Some(&true.into())
                }),
            };
            if !concern || command.get(name) != Some(&"vouchsafe_records".into()) {
                return refused(72, "the concern or the collection is not the store's");
            }
            change(&mut lock(&held.documents), name, command)
        }
    }
}

type Documents = BTreeMap<String, Document>;

fn change(documents: &mut Documents, name: &str, command: &Document) -> Document {
    let now = DateTime::now();
    let only = |list: &str| {
        let list = command.get_array(list).unwrap();
        assert_eq!(list.len(), 1, "the store writes one document at a time");
        list[0].as_document().unwrap()
    };
    match name {
        "find" => {
            let found = find(documents, command.get_document("filter").unwrap(), now);
            let found: Vec<_> = found.iter().map(|name| documents[name].clone()).collect();
            doc! { "ok": 1, "cursor": { "id": 0_i64, "ns": "d.c", "firstBatch": found } }
        }
        "insert" => {
            let document = only("documents");
            match insert(documents, document) {
                true => doc! { "ok": 1, "n": 1 },
                false => doc! { "ok": 1, "n": 0, "writeErrors": [{
                    "index": 0, "code": 11000, "errmsg": "E11000 duplicate key error",
                }] },
            }
        }
        "delete" => {
            let delete = only("deletes");
            let found = find(documents, delete.get_document("q").unwrap(), now);
            let removed = found.first().and_then(|name| documents.remove(name));
            doc! { "ok": 1, "n": i32::from(removed.is_some()) }
        }
        "update" => {
            let update = only("updates");
            let is_upsert = update.get("upsert") == Some(&true.into());
            let query = update.get_document("q").unwrap();
            match modify(documents, query, update.get("u").unwrap(), is_upsert, now) {
                Ok(Some(Modified { is_new: false, .. })) => {
                    doc! { "ok": 1, "n": 1, "nModified": 1 }
                }
                Ok(Some(Modified { document, .. })) => doc! {
                    "ok": 1, "n": 1, "nModified": 0,
                    "upserted": [{ "index": 0, "_id": document.get("_id").unwrap() }],
                },
                Ok(None) => doc! { "ok": 1, "n": 0, "nModified": 0 },
                Err(refusal) => refusal,
            }
        }
        "findAndModify" => {
            let is_upsert = command.get("upsert") == Some(&true.into());
            assert_eq!(command.get("new"), Some(&true.into()));
            let query = command.get_document("query").unwrap();
            let update = command.get("update").unwrap();
            match modify(documents, query, update, is_upsert, now) {
                Ok(modified) => {
                    let document = modified.map(|modified| {
                        let fields = command.get_document("fields").unwrap();
                        project(&modified.document, fields, now)
                    });
                    doc! { "ok": 1, "value": document }
                }
                Err(refusal) => refusal,
            }
        }
        _ => refused(59, &format!("no such command: '{name}'")),
    }
}

fn insert(documents: &mut Documents, document: &Document) -> bool {
    let name = document.get_str("_id").unwrap();
    let is_new = !documents.contains_key(name);
    if is_new {
        documents.insert(name.to_owned(), document.clone());
    }
    is_new
}

/// Returns the names of the documents that a query is for.
fn find(documents: &Documents, query: &Document, now: DateTime) -> Vec<String> {
    let is_met = |document: &Document| {
        query
            .iter()
            .all(|(field, wanted)| match (field.as_str(), wanted) {
                ("$expr", wanted) => is_true(&eval(wanted, document, now)),
                (_, Bson::Document(range)) => range.iter().all(|(order, limit)| {
                    let (name, limit) = (document.get_str(field).unwrap(), limit.as_str().unwrap());
                    match order.as_str() {
                        "$gte" => name >= limit,
                        "$lt" => name < limit,
                        _ => unreachable!("{order}"),
                    }
                }),
                (_, wanted) => document.get(field) == Some(wanted),
            })
    };
    let found = documents.iter().filter(|(_, document)| is_met(document));
    found.map(|(name, _)| name.clone()).collect()
}

struct Modified {
    document: Document,
    is_new: bool,
}

fn modify(
    documents: &mut Documents,
    query: &Document,
    update: &Bson,
    is_upsert: bool,
    now: DateTime,
) -> Result<Option<Modified>, Document> {
    // As the server does.
    if is_upsert && query.contains_key("$expr") {
        return Err(refused(
            224,
            "$expr is not allowed in the query predicate for an upsert",
        ));
    }
    let found = find(documents, query, now).into_iter().next();
    let mut document = match &found {
        Some(name) => documents[name].clone(),
        None if is_upsert => query.clone(),
        None => return Ok(None),
    };
    match update {
        Bson::Document(change) => document.extend(change.get_document("$set").unwrap().clone()),
        Bson::Array(stages) => {
            for stage in stages {
                let (kind, how) = stage.as_document().unwrap().iter().next().unwrap();
                let made = eval(how, &document, now);
                let made = made.as_document().unwrap().clone();
                match kind.as_str() {
                    "$set" => document.extend(made),
                    "$replaceWith" => document = made,
                    _ => unreachable!("{kind}"),
                }
            }
        }
        _ => unreachable!("{update}"),
    }
    let is_new = found.is_none();
    if is_new && !insert(documents, &document) {
        return Err(refused(11000, "E11000 duplicate key error"));
    }
    documents.insert(
        document.get_str("_id").unwrap().to_owned(),
        document.clone(),
    );
    Ok(Some(Modified { document, is_new }))
}

fn project(document: &Document, fields: &Document, now: DateTime) -> Document {
    let field = |(name, how): (&String, &Bson)| match how {
        Bson::Int32(1) => Some((name.clone(), document.get(name)?.clone())),
        how => Some((name.clone(), eval(how, document, now))),
    };
    fields.iter().filter_map(field).collect()
}

/// Computes an expression of an aggregation.
fn eval(expression: &Bson, document: &Document, now: DateTime) -> Bson {
    let value = |expression| eval(expression, document, now);
    match expression {
        Bson::String(text) => match text.strip_prefix('$') {
            Some("$NOW") => now.into(),
            Some("$ROOT") => document.clone().into(),
            Some(field) => document.get(field).cloned().unwrap_or(Bson::Null),
            None => expression.clone(),
        },
        Bson::Document(made) => {
            let operator = made.iter().next().filter(|(name, _)| name.starts_with('$'));
            let Some((operator, arguments)) = operator else {
                let fields = made.iter().map(|(name, how)| (name.clone(), value(how)));
                return Bson::Document(fields.collect());
            };
            let arguments: Vec<_> = arguments.as_array().unwrap().iter().map(value).collect();
            match (operator.as_str(), &arguments[..]) {
                ("$cond", [is_so, yes, no]) => if is_true(is_so) { yes } else { no }.clone(),
                ("$ifNull", [given, default]) => match given {
                    Bson::Null => default.clone(),
                    given => given.clone(),
                },
                ("$eq", [one, other]) => (one == other).into(),
                ("$toLong", [Bson::DateTime(time)]) => time.timestamp_millis().into(),
                ("$lte", [one, other]) => (number(one) <= number(other)).into(),
                ("$gt", [one, other]) => (number(one) > number(other)).into(),
                ("$subtract", [one, other]) => (number(one) - number(other)).into(),
                ("$add", [Bson::DateTime(time), more]) => {
                    DateTime::from_millis(time.timestamp_millis() + number(more)).into()
                }
                ("$add", [one, other]) => (number(one) + number(other)).into(),
                _ => unreachable!("{operator} {arguments:?}"),
            }
        }
        literal => literal.clone(),
    }
}

fn number(value: &Bson) -> i64 {
    match value {
        Bson::Int64(number) => *number,
        Bson::DateTime(time) => time.timestamp_millis(),
        _ => unreachable!("{value}"),
    }
}

fn is_true(value: &Bson) -> bool {
    *value == Bson::Boolean(true)
}
