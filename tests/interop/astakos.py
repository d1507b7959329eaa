# -*- coding: utf-8 -*-
"""Makes the calls it is told to make with the real astakosclient, one by one.

Runs under Python 2.7. Each line of standard input is a JSON object: `auth_url`, `token`,
`method`, `args`, `kwargs`, and `property` for an attribute. A map whose keys are tuples is a list
of objects with `key` and `value`. For each a line is printed: `{"returns": ...}`, or
`{"raises": {"class": ..., "status": ...}}`. `{"cookie": ...}` asks for the token in a cookie,
`{"endpoints": ...}` for a part of a catalog.
"""

from __future__ import print_function

import json
import sys

import astakosclient
from astakosclient import errors


class Jar(object):
    """A request as get_token_from_cookie reads it."""

    def __init__(self, cookies):
        self.COOKIE = cookies


def argument(value):
    is_map = isinstance(value, list) and value and isinstance(value[0], dict) and "key" in value[0]
    if is_map:
        return dict((tuple(entry["key"]), entry["value"]) for entry in value)
    return value


def perform(call):
    if "cookie" in call:
        cookie = call["cookie"]
        return astakosclient.get_token_from_cookie(Jar(cookie["cookies"]), cookie["cookie_name"])
    if "endpoints" in call:
        filters = call["endpoints"]["filters"]
        return astakosclient.parse_endpoints(
            call["endpoints"]["catalog"],
            ep_name=filters.get("name"),
            ep_type=filters.get("type"),
            ep_region=filters.get("region"),
            ep_version_id=filters.get("version_id"),
        )
    client = astakosclient.AstakosClient(str(call["token"]), str(call["auth_url"]))
    if call.get("property"):
        return getattr(client, call["method"])
    args = [argument(value) for value in call["args"]]
    kwargs = dict((str(name), argument(value)) for name, value in call["kwargs"].items())
    return getattr(client, call["method"])(*args, **kwargs)


def main():
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        try:
            answer = {"returns": perform(json.loads(line))}
        except errors.AstakosClientException as fault:
            answer = {"raises": {"class": type(fault).__name__, "status": fault.status}}
        print(json.dumps(answer))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
