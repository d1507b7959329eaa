//! Bodies and answers.

use super::super::read::{self, is_json, is_json_answer};
use super::super::schema::example;
use super::super::source::Cursor;
use super::{Lint, example as examples, keys};

impl<'s> Lint<'_, 's> {
    pub(super) fn body(&mut self, body: &Cursor<'s>) {
        if self.reference(body, "requestBodies") {
            return;
        }
        self.keys(&keys::BODY, body);
        if !body.has("content") {
            self.fault(
                body,
                "a request body without content",
                "`content: {application/json: {schema: {$ref: \"#/components/schemas/<name>\"}}}`",
            );
        }
        self.content(body, true);
        let content = body.get("content");
        if let Some(form) = content.and_then(|content| content.get(read::FORM)) {
            self.form(&form);
        }
    }

    pub(super) fn responses(&mut self, operation: &Cursor<'s>, what: &str) {
        let responses = operation
            .get("responses")
            .map(|r| r.entries())
            .unwrap_or_default();
        let is_success = |status: &str| status.starts_with('2') || status.starts_with('3');
        if !responses.iter().any(|(status, _)| is_success(status)) {
            self.fault(
                &operation
                    .get("responses")
                    .unwrap_or_else(|| operation.clone()),
                format!("{what} has no successful response"),
                "`\"200\":` or another 2xx or 3xx under `responses`",
            );
        }
        for (status, response) in responses {
            let is_status = status.parse::<u16>().is_ok_and(|s| (100..600).contains(&s));
            if !is_status && status != "default" {
                self.fault(
                    &response,
                    format!("`{status}` is not a status"),
                    "three digits in quotes, such as `\"404\"`, or `default`",
                );
            }
            self.response(&response, &status);
        }
    }

    pub(super) fn response(&mut self, response: &Cursor<'s>, status: &str) {
        if self.reference(response, "responses") {
            return;
        }
        self.keys(&keys::RESPONSE, response);
        if !response.has("description") {
            self.fault(
                response,
                format!("answer {status} has no description"),
                "`description: <when it is given>`",
            );
        }
        for (_, header) in response
            .get("headers")
            .map(|h| h.entries())
            .unwrap_or_default()
        {
            self.header(&header);
        }
        self.content(response, false);
        for (media, content) in response
            .get("content")
            .map(|c| c.entries())
            .unwrap_or_default()
        {
            if !is_json_answer(&media, &content) {
                continue;
            }
            match example(&content) {
                Ok(None) => self.fault(
                    &content,
                    "a JSON answer without an example",
                    "`example:` beside `schema`, or in the schema that it refers to",
                ),
                Ok(Some(_)) => {}
                Err(mistake) => self.mistakes.push(mistake),
            }
        }
    }

    /// Checks the schema of a body that is an object with one entry.
    fn entry(&mut self, schema: &Cursor<'s>, is_body: bool) {
        self.keys(&keys::ENTRY, schema);
        let parts = ["propertyNames", "additionalProperties"].map(|key| schema.get(key));
        let is_one = |key| {
            schema
                .get(key)
                .is_some_and(|count| count.value().as_u64() == Some(1))
        };
        let has_value = parts[1]
            .as_ref()
            .is_some_and(|value| value.value().is_mapping());
        if !(is_body && has_value && is_one("minProperties") && is_one("maxProperties")) {
            self.fault(
                schema,
                "`propertyNames` of what is not one key and its value",
                "`minProperties: 1`, `maxProperties: 1` and `additionalProperties: <schema>` beside \
                 it, in the JSON body of a request",
            );
        }
        for part in parts.iter().flatten() {
            self.schema(part);
        }
        let key = parts[0].as_ref().and_then(|key| key.resolve().ok());
        if let Some(key) = key.filter(|key| key.texts("type") != ["string"]) {
            self.fault(&key, "a key that is not text", "`type: string`");
        }
    }

    pub(super) fn header(&mut self, header: &Cursor<'s>) {
        if self.reference(header, "headers") {
            return;
        }
        self.keys(&keys::HEADER, header);
        if let Some(schema) = header.get("schema") {
            self.schema(&schema);
        }
    }

    fn content(&mut self, place: &Cursor<'s>, is_request: bool) {
        for (media, content) in place
            .get("content")
            .map(|c| c.entries())
            .unwrap_or_default()
        {
            self.keys(&keys::MEDIA, &content);
            match content.get("schema") {
                Some(schema) => {
                    match schema.has("propertyNames") {
                        true => self.entry(&schema, is_request && is_json(&media)),
                        false => self.schema(&schema),
                    }
                    if let Some(example) = content.get("example")
                        && let Some(fault) = examples::fault(&schema, example.value())
                    {
                        self.fault(
                            &example,
                            format!("an example that does not fit its schema: {fault}"),
                            "what the server would send",
                        );
                    }
                }
                None if is_json(&media) => self.fault(
                    &content,
                    "JSON without a schema",
                    "`schema: {$ref: \"#/components/schemas/<name>\"}`, or `schema: {}` for any",
                ),
                None => {}
            }
            for (_, named) in content
                .get("examples")
                .map(|e| e.entries())
                .unwrap_or_default()
            {
                self.reference(&named, "examples");
            }
        }
    }
}
