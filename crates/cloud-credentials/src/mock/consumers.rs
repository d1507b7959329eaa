//! The content of the services: log entries and the queries on them, channels of events, jobs, and
//! the directory.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::{Request, Response};

use super::directory::Directory;
use super::refusal::of_service;
use crate::generated::cloud_credentials::routes::Op;

/// The data of the services.
#[derive(Clone, Debug)]
pub(super) struct Consumers {
    /// Every entry that was written, in order.
    logs: Vec<Value>,
    queries: BTreeMap<String, Run>,
    jobs: BTreeMap<String, Run>,
    channels: BTreeMap<String, Channel>,
    pub(super) directory: Directory,
    /// How many queries and jobs there were.
    made: u64,
}

/// A query or a job.
#[derive(Clone, Debug, Default)]
struct Run {
    rows: Vec<Value>,
    /// How often it says that it is running before it is done.
    polls: u32,
    is_cancelled: bool,
}

#[derive(Clone, Debug)]
struct Channel {
    waiting: Vec<Value>,
    /// What was polled and not acknowledged.
    polled: Vec<Value>,
    filters: Value,
}

impl Default for Consumers {
    /// One entry, which is also an event in each channel, a query `q-1` and a job `j1`.
    fn default() -> Self {
        let logs = vec![json!({"n": 1})];
        let run = |rows: &[Value]| Run {
            rows: rows.to_vec(),
            ..Run::default()
        };
        Self {
            queries: BTreeMap::from([("q-1".to_owned(), run(&logs))]),
            jobs: BTreeMap::from([("j1".to_owned(), run(&logs))]),
            channels: BTreeMap::new(),
            directory: Directory::default(),
            made: 1,
            logs,
        }
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            waiting: vec![json!({"logType": "panw.traffic", "event": [{"n": 1}]})],
            polled: Vec::new(),
            filters: json!({"filters": []}),
        }
    }
}

/// Why a request is refused: status, code and message.
struct Refused(u16, &'static str, &'static str);

type Served = Result<Response, Refused>;

impl Consumers {
    /// Answers a request that may be answered.
    pub(super) fn answer(&mut self, op: Op, params: &[String], request: &Request) -> Response {
        let served = match op {
            Op::CreateLogQuery => self.create_query(request),
            Op::PollLogQuery => self.poll_query(params),
            Op::DeleteLogQuery => match self.queries.remove(&params[0]) {
                Some(_) => Ok(respond::json(200, &json!({"success": true}))),
                None => Err(NO_QUERY),
            },
            Op::WriteLogs => self.write(params, request),
            Op::PollEvents
            | Op::AcknowledgeEvents
            | Op::RefuseEvents
            | Op::FlushEvents
            | Op::GetEventFilters
            | Op::SetEventFilters => self.channel(op, &params[0], request),
            Op::ListQueryJobs => {
                let jobs = self.jobs.iter().map(|(id, run)| run.job(id));
                Ok(respond::json(200, &Value::Array(jobs.collect())))
            }
            Op::CreateQueryJob => self.create_job(request),
            Op::GetQueryJob | Op::CancelQueryJob | Op::GetQueryResults => {
                self.job(op, &params[0], request)
            }
            Op::GetDirectoryAttributes => Ok(self.directory.attributes()),
            Op::GetDirectoryDomains => Ok(self.directory.domains()),
            Op::CountDirectoryObjects => Ok(self.directory.count(&params[0], request)),
            Op::QueryDirectory => {
                let page = self.directory.query(&params[0], request);
                page.ok_or(Refused(400, "invalid_query", "the query cannot be read"))
            }
        };
        served.unwrap_or_else(|Refused(status, code, message)| of_service(status, code, message))
    }

    fn create_query(&mut self, request: &Request) -> Served {
        let body = read(request)?;
        if body["query"].as_str().is_none_or(str::is_empty) {
            return Err(Refused(400, "invalid_query", "the query cannot be read"));
        }
        let id = self.next_id("q-");
        let run = Run {
            rows: self.logs.clone(),
            polls: POLLS,
            is_cancelled: false,
        };
        self.queries.insert(id.clone(), run);
        let begun = json!({"queryId": id, "sequenceNo": 0, "queryStatus": "RUNNING"});
        Ok(respond::json(200, &begun))
    }

    fn poll_query(&mut self, params: &[String]) -> Served {
        let (id, page) = (&params[0], params[1].parse::<usize>());
        let run = self.queries.get_mut(id).ok_or(NO_QUERY)?;
        let page = page.map_err(|_| Refused(400, "invalid_page", "not a number"))?;
        if run.is_running() {
            let running = json!({"queryId": id, "sequenceNo": page, "queryStatus": "RUNNING"});
            return Ok(respond::json(200, &running));
        }
        let (rows, is_last) = run.page(page, ROWS);
        let first = page.saturating_mul(ROWS);
        let hits = rows.iter().zip(first..);
        let hits = hits.map(|(row, n)| json!({"_id": n.to_string(), "_source": row}));
        let hits: Vec<_> = hits.collect();
        let status = if is_last { "JOB_FINISHED" } else { "FINISHED" };
        let answer = json!({
            "queryId": id,
            "sequenceNo": page,
            "queryStatus": status,
            "result": {"esResult": {"size": hits.len(), "hits": {"hits": hits}}},
        });
        Ok(respond::json(200, &answer))
    }

    fn write(&mut self, params: &[String], request: &Request) -> Served {
        let Value::Array(entries) = read(request)? else {
            return Err(Refused(400, "invalid_body", "the body is not a list"));
        };
        let uuids: Vec<_> = entries
            .iter()
            .filter_map(|entry| entry["uuid"].as_str())
            .collect();
        let answer = json!({"success": true, "uuids": uuids});
        let kind = format!("{}.{}", params[0], params[1]);
        for channel in self.channels.values_mut() {
            let group = json!({"logType": kind, "event": entries});
            channel.waiting.push(group);
        }
        self.logs.extend(entries);
        Ok(respond::json(200, &answer))
    }

    fn channel(&mut self, op: Op, id: &str, request: &Request) -> Served {
        let channel = self.channels.entry(id.to_owned()).or_default();
        match op {
            Op::PollEvents => {
                let body = match request.body.is_empty() {
                    true => Value::Null,
                    false => read(request)?,
                };
                let most = body["fetchCount"]
                    .as_u64()
                    .and_then(|n| usize::try_from(n).ok());
                // What was polled before and not acknowledged is returned again.
                channel.give_back();
                let most = most.unwrap_or(usize::MAX).min(channel.waiting.len());
                channel.polled = channel.waiting.drain(..most).collect();
                return Ok(respond::json(200, &Value::Array(channel.polled.clone())));
            }
            Op::AcknowledgeEvents => channel.polled.clear(),
            Op::RefuseEvents => channel.give_back(),
            Op::FlushEvents => {
                channel.waiting.clear();
                channel.polled.clear();
            }
            Op::SetEventFilters => channel.filters = read(request)?,
            _ => return Ok(respond::json(200, &channel.filters)),
        }
        Ok(respond::empty(200))
    }

    fn create_job(&mut self, request: &Request) -> Served {
        let body = read(request)?;
        if body["params"].is_null() {
            return Err(Refused(400, "invalid_params", "there are no parameters"));
        }
        let given = body["jobId"].as_str().map(str::to_owned);
        let id = given.unwrap_or_else(|| self.next_id("j"));
        let run = Run {
            rows: self.logs.clone(),
            polls: POLLS,
            is_cancelled: false,
        };
        let job = run.job(&id);
        self.jobs.insert(id, run);
        Ok(respond::json(201, &job))
    }

    fn job(&mut self, op: Op, id: &str, request: &Request) -> Served {
        let run = self.jobs.get_mut(id).ok_or(NO_JOB)?;
        if op == Op::GetQueryJob {
            return Ok(respond::json(200, &run.job(id)));
        }
        if op == Op::CancelQueryJob {
            run.is_cancelled |= run.polls > 0;
            return Ok(respond::empty(200));
        }
        let job = run.job(id);
        if run.is_cancelled || run.is_running() {
            return Ok(respond::json(200, &job));
        }
        let query = request.uri.query().unwrap_or_default();
        let value = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let found = pairs.find(|(other, _)| other == name);
            found.and_then(|(_, value)| value.parse::<usize>().ok())
        };
        let size = value("pageSize").unwrap_or(ROWS).max(1);
        let page = value("pageCursor").or(value("pageNumber")).unwrap_or(0);
        let (rows, is_last) = run.page(page, size);
        let next = (!is_last).then(|| (page + 1).to_string());
        let answer = json!({
            "jobId": id,
            "state": "DONE",
            "rowsInPage": rows.len(),
            "page": {"pageCursor": next, "result": {"data": rows}},
        });
        Ok(respond::json(200, &answer))
    }

    fn next_id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{}", self.made)
    }
}

impl Run {
    /// Returns whether it is still running, and lets it go on.
    fn is_running(&mut self) -> bool {
        let is_running = self.polls > 0;
        self.polls = self.polls.saturating_sub(1);
        is_running
    }

    /// Returns the rows of a page, and whether it is the last.
    fn page(&self, page: usize, size: usize) -> (&[Value], bool) {
        let first = page.saturating_mul(size).min(self.rows.len());
        let end = first.saturating_add(size).min(self.rows.len());
        (&self.rows[first..end], end == self.rows.len())
    }

    fn job(&self, id: &str) -> Value {
        let state = match (self.is_cancelled, self.polls) {
            (true, _) => "CANCELLED",
            (false, 0) => "DONE",
            (false, _) => "RUNNING",
        };
        json!({"jobId": id, "state": state})
    }
}

impl Channel {
    fn give_back(&mut self) {
        self.polled.append(&mut self.waiting);
        std::mem::swap(&mut self.polled, &mut self.waiting);
    }
}

fn read(request: &Request) -> Result<Value, Refused> {
    serde_json::from_slice(&request.body)
        .map_err(|_| Refused(400, "invalid_body", "the body is not JSON"))
}

const NO_QUERY: Refused = Refused(404, "not_found", "there is no such query");
const NO_JOB: Refused = Refused(404, "not_found", "there is no such job");

/// How often a new query or job says that it is running.
const POLLS: u32 = 2;

/// How many rows a page has, unless a request says so.
const ROWS: usize = 2;
