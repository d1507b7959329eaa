"""Asks tvmtool as programs in other languages do, with what Python has by itself.

Reads one JSON object from standard input: `folder`, where the files `tvmtool.port` and
`tvmtool.authtoken` are, `user_ticket`, and `management`. Prints a line for each check, and last
one JSON object with the counts.
"""

from __future__ import annotations

import json
import sys
import traceback
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

Check = Callable[["Tool"], None]
CHECKS: list[Check] = []

SERVICE = "X-Ya-Service-Ticket"
USER = "X-Ya-User-Ticket"


def check(function: Check) -> Check:
    """Registers a check; its name is its sentence."""
    CHECKS.append(function)
    return function


class Answer:
    """What came back, whatever the status."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.text = body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def fetch(url: str, headers: dict[str, str], method: str = "GET", body: Any = None) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refusal:
        return Answer(refusal.code, refusal.headers, refusal.read())


class Tool:
    """tvmtool as its files say where it is."""

    def __init__(self, given: dict[str, Any]) -> None:
        folder = Path(given["folder"])
        self.url = f"http://localhost:{int((folder / 'tvmtool.port').read_text())}"
        self.token = (folder / "tvmtool.authtoken").read_text()
        self.user_ticket = given["user_ticket"]
        self._management = given["management"]

    def get(
        self, path: str, /, *, headers: dict[str, str] | None = None, **query: str
    ) -> Answer:
        """Asks with the right token, unless the headers hold another."""
        asked = self.url + path + ("?" + urlencode(query) if query else "")
        return fetch(asked, {"Authorization": self.token, **(headers or {})})

    def ticket(self, src: str, dst: str) -> str:
        answer = self.get("/tvm/tickets", src=src, dsts=dst)
        same(answer.status, 200)
        return answer.json[dst]["ticket"]

    def manage(self, method: str, what: str, body: Any = None) -> Any:
        kind = {"Content-Type": "application/json"}
        answer = fetch(f"{self._management}/{what}", kind, method, body)
        same(answer.status, 200)
        return answer.json


def same(got: Any, expected: Any) -> None:
    assert got == expected, f"expected {expected!r}, got {got!r}"


@check
def a_ping_needs_no_token(tool: Tool) -> None:
    answer = fetch(tool.url + "/tvm/ping", {})
    same((answer.status, answer.text), (200, "OK"))
    assert answer.headers["Server"], "no version"


@check
def nothing_else_is_answered_without_the_right_token(tool: Tool) -> None:
    paths = ["keys", "tickets?src=main&dsts=he", "checksrv", "checkusr", "private_api/__meta__"]
    paths = [f"/tvm/{path}" for path in paths]
    paths += ["/v2/tickets?self=main&dsts=he", "/v2/check?self=main", "/v2/roles?self=main"]
    for path in paths:
        for headers in ({}, {"Authorization": ""}, {"Authorization": tool.token[:-1] + "!"}):
            answer = fetch(tool.url + path, headers)
            same((path, answer.status), (path, 401))
            assert "3:serv:" not in answer.text


@check
def keys_come_with_the_time_they_are_from(tool: Tool) -> None:
    answer = tool.get("/tvm/keys")
    same(answer.status, 200)
    assert answer.text.startswith("1:"), answer.text[:10]
    assert int(answer.headers["X-Ya-Tvmtool-Data-Birthtime"]) > 1_600_000_000


@check
def meta_names_clients_destinations_and_environment(tool: Tool) -> None:
    meta = tool.get("/tvm/private_api/__meta__").json
    same(meta["bb_env"], "Test")
    tenants = {tenant["self"]["alias"]: tenant for tenant in meta["tenants"]}
    same(sorted(tenants), ["he", "main"])
    same(tenants["main"]["self"]["client_id"], 42)
    same(tenants["main"]["idm_slug"], "slug")
    dsts = {dst["alias"]: dst["client_id"] for dst in tenants["main"]["dsts"]}
    same(dsts, {"he": 100500, "me": 42, "myself": 42})


@check
def tickets_are_keyed_as_they_were_asked_for(tool: Tool) -> None:
    answer = tool.get("/tvm/tickets", src="main", dsts="he,me,100500")
    same(answer.status, 200)
    same({name: entry["tvm_id"] for name, entry in answer.json.items()},
         {"he": 100500, "me": 42, "100500": 100500})
    for entry in answer.json.values():
        assert entry["ticket"].startswith("3:serv:"), entry["ticket"][:7]
    assert answer.headers["X-Ya-Tvmtool-Data-Birthtime"]
    same(tool.get("/tvm/tickets", src="42", dsts="he").status, 200)
    second = tool.get("/v2/tickets", self="main", dsts="he,me")
    same((second.status, sorted(second.json)), (200, ["he", "me"]))


@check
def an_unknown_destination_is_named(tool: Tool) -> None:
    start = "can't find in config destination tvmid for src = "
    first = tool.get("/tvm/tickets", src="42", dsts="not_exists")
    same(first.status, 400)
    same(first.text, f"{start}42, dstparam = not_exists (strconv)")
    by_number = tool.get("/tvm/tickets", src="42", dsts="123")
    same(by_number.text, f"{start}42, dstparam = 123 (by number)")
    second = tool.get("/v2/tickets", self="main", dsts="not_exists")
    same(second.status, 400)
    assert second.json["error"].startswith(f"{start}main, dstparam = not_exists"), second.text


@check
def a_service_ticket_is_checked(tool: Tool) -> None:
    ticket = tool.ticket("he", "main")
    answer = tool.get("/tvm/checksrv", dst="main", headers={SERVICE: ticket})
    same(answer.status, 200)
    body = answer.json
    same((body["src"], body["dst"], body["issuer_uid"]), (100500, 42, None))
    assert body["debug_string"].startswith("ticket_type=serv;"), body["debug_string"]
    same(body["logging_string"], ticket[: ticket.rindex(":") + 1])
    same(tool.get("/tvm/checksrv", dst="42", headers={SERVICE: ticket}).status, 200)


@check
def a_wrong_service_ticket_is_refused(tool: Tool) -> None:
    other = tool.get("/tvm/checksrv", dst="main", headers={SERVICE: tool.ticket("main", "he")})
    same((other.status, other.json["error"]), (403, "Wrong ticket dst, expected 42, got 100500"))
    broken = tool.get("/tvm/checksrv", dst="main", headers={SERVICE: "3:serv:what"})
    same((broken.status, broken.json["error"]), (403, "invalid ticket format"))
    cut = tool.get("/tvm/checksrv", dst="main", headers={SERVICE: tool.ticket("he", "main")[:-4]})
    same(cut.status, 403)
    same(tool.get("/tvm/checksrv", dst="main").status, 400)


@check
def a_user_ticket_is_checked(tool: Tool) -> None:
    answer = tool.get("/tvm/checkusr", headers={USER: tool.user_ticket})
    same(answer.status, 200)
    body = answer.json
    same((body["default_uid"], body["uids"], body["env"]), (2001, [2001, 2002], 1))
    assert body["debug_string"].startswith("ticket_type=user;"), body["debug_string"]
    same(body["logging_string"], tool.user_ticket[: tool.user_ticket.rindex(":") + 1])


@check
def a_user_ticket_of_another_environment_is_refused(tool: Tool) -> None:
    answer = tool.get("/tvm/checkusr", override_env="Prod", headers={USER: tool.user_ticket})
    same(answer.status, 403)
    assert answer.json["error"], answer.text


@check
def both_tickets_are_checked_at_once(tool: Tool) -> None:
    headers = {SERVICE: tool.ticket("he", "main"), USER: tool.user_ticket}
    answer = tool.get("/v2/check", self="main", headers=headers)
    same(answer.status, 200)
    body = answer.json
    same(body["service"]["src"], 100500)
    # Numbers in the first version, text in the second.
    same((body["user"]["default_uid"], body["user"]["uids"]), ("2001", ["2001", "2002"]))
    same(body["service"]["roles"], {"/role/reader/": [{"shelf": "books"}]})
    without = tool.get("/v2/check", self="main", show_roles="no", headers=headers).json
    assert not without["service"].get("roles"), without


@check
def one_wrong_ticket_of_two_is_named(tool: Tool) -> None:
    headers = {SERVICE: tool.ticket("main", "he"), USER: tool.user_ticket}
    answer = tool.get("/v2/check", self="main", headers=headers)
    same((answer.status, answer.json["error"]), (403, "invalid service ticket"))
    same(answer.json["user"]["default_uid"], "2001")


@check
def a_role_that_is_required_must_be_there(tool: Tool) -> None:
    headers = {SERVICE: tool.ticket("he", "main")}
    for wanted, op, status in [
        ("/role/reader/", "", 200),
        ("/role/reader/,/role/writer/", "", 403),
        ("/role/reader/,/role/writer/", "or", 200),
        ("/role/writer/", "", 403),
    ]:
        query = {"self": "main", "required_service_roles": wanted, "service_roles_op": op}
        same((wanted, op, tool.get("/v2/check", headers=headers, **query).status),
             (wanted, op, status))


@check
def roles_that_are_known_are_not_sent_again(tool: Tool) -> None:
    first = tool.get("/v2/roles", self="main")
    same((first.status, first.json["revision"]), (200, "GYYTEMZU"))
    again = tool.get("/v2/roles", self="main", headers={"If-None-Match": '"GYYTEMZU"'})
    same((again.status, again.text), (304, ""))


@check
def an_old_ticket_is_refused_when_its_time_has_come(tool: Tool) -> None:
    ticket = tool.ticket("he", "main")
    tool.manage("POST", "clock", {"advance_ms": 13 * 60 * 60 * 1000})
    answer = tool.get("/tvm/checksrv", dst="main", headers={SERVICE: ticket})
    same((answer.status, answer.json["error"]), (403, "Expired ticket"))
    fresh = tool.get("/tvm/checksrv", dst="main", headers={SERVICE: tool.ticket("he", "main")})
    same(fresh.status, 200)


@check
def a_fault_comes_as_it_was_asked_for(tool: Tool) -> None:
    tool.manage("POST", "faults", {"operation": "tvmtool.getKeys", "times": 1, "status": 503})
    same([tool.get("/tvm/keys").status for _ in range(2)], [503, 200])


def main() -> int:
    tool = Tool(json.load(sys.stdin))
    passed = failed = 0
    for function in CHECKS:
        name = "tvmtool: " + function.__name__.replace("_", " ")
        try:
            tool.manage("DELETE", "faults")
            function(tool)
        except Exception:
            failed += 1
            print(f"FAILED {name}")
            print("    " + traceback.format_exc().replace("\n", "\n    ").rstrip())
        else:
            passed += 1
            print(f"ok     {name}")
    print(json.dumps({"passed": passed, "failed": failed}))
    return 0


sys.exit(main())
