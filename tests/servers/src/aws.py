"""moto as a server that behaves as AWS does where tests depend on it: one request after the other
decides about a record, and what was answered survives a kill."""

import io
import json
import logging
import sys
import threading
from pathlib import Path

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

WRITES = ("Create", "Put", "Update", "Delete")
SERVICES = {"DynamoDB_20120810": "dynamodb", "TrentService": "kms", "secretsmanager": "secretsmanager"}

moto = DomainDispatcherApplication(create_backend_app)
one = threading.Lock()


def post(target, body, content="application/x-amz-json-1.1"):
    scope = f"test/20260101/us-east-1/{SERVICES[target.split('.')[0]]}/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Target": target,
        "Content-Type": content,
    }
    answer = Client(moto).post("/", data=body, headers=headers)
    assert answer.status_code == 200, (target, answer.get_data())
    return json.loads(answer.get_data() or "null")


def furnish():
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in ("namespace", "name")]
    keys = [{"AttributeName": "namespace", "KeyType": "HASH"}, {"AttributeName": "name", "KeyType": "RANGE"}]
    table = {"TableName": "vouchsafe", "AttributeDefinitions": attributes, "KeySchema": keys, "BillingMode": "PAY_PER_REQUEST"}
    post("DynamoDB_20120810.CreateTable", json.dumps(table))
    key = post("TrentService.CreateKey", "{}")["KeyMetadata"]["KeyId"]
    post("TrentService.CreateAlias", json.dumps({"AliasName": "alias/vouchsafe", "TargetKeyId": key}))


def main(port, journal):
    furnish()
    if journal.exists():
        for line in journal.read_text().splitlines():
            post(*json.loads(line))
    # The next requests of a process that is killed are added line by line.
    record = journal.open("a", buffering=1)

    def serve(environ, start_response):
        request = Request(environ)
        body, target = request.get_data(), request.headers.get("X-Amz-Target", "")
        environ["wsgi.input"] = io.BytesIO(body)
        with one:
            response = Response.from_app(moto, environ)
            if response.status_code == 200 and target.split(".")[-1].startswith(WRITES):
                record.write(json.dumps([target, body.decode(), request.headers["Content-Type"]]) + "\n")
        return response(environ, start_response)

    run_simple("127.0.0.1", port, serve, threaded=True)


logging.getLogger("werkzeug").setLevel(logging.ERROR)
main(int(sys.argv[1]), Path(sys.argv[2]))
