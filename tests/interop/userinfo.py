"""Drives the Python clients of Gafaelfawr and Repertoire against `vouchsafe serve`.

Reads one JSON object from standard input: `with_directory` and `without_directory`, each the
address of a server in that configuration of `seed.json` ({url, repertoire, management}), and
`tokens` by name. Prints a line for each check, and last one JSON object: the counts, and the
requests that the calls made which are compared with those of the Rust client.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import structlog
from rubin.gafaelfawr import (
    GafaelfawrClient,
    GafaelfawrGroup,
    GafaelfawrNotFoundError,
    GafaelfawrWebError,
    create_token,
)
from rubin.repertoire import DiscoveryClient, RepertoireWebError

Check = Callable[["World"], Awaitable[None]]
CHECKS: list[Check] = []


def check(function: Check) -> Check:
    """Registers a check; its name is its sentence."""
    CHECKS.append(function)
    return function


class Server:
    """One running emulator: where it is, and its management routes."""

    def __init__(self, place: dict[str, Any], http: httpx.AsyncClient) -> None:
        self.url = place["url"]
        self.repertoire = place["repertoire"]
        self._management = place["management"]
        self._http = http

    async def requests(self) -> list[dict[str, Any]]:
        answer = await self._http.get(f"{self._management}/journal")
        answer.raise_for_status()
        journal = answer.json()
        return journal.get("userinfo", journal)["requests"]

    async def operations(self) -> list[str]:
        return [entry["operation"] for entry in await self.requests()]

    async def fault(self, **rule: Any) -> None:
        answer = await self._http.post(f"{self._management}/faults", json=rule)
        answer.raise_for_status()

    async def clean(self) -> None:
        for what in ("faults", "journal"):
            answer = await self._http.delete(f"{self._management}/{what}")
            answer.raise_for_status()


class World:
    """What a check works with: fresh clients, and the servers."""

    def __init__(self, given: dict[str, Any], http: httpx.AsyncClient) -> None:
        self.tokens = given["tokens"]
        self.main = Server(given["with_directory"], http)
        self.bare = Server(given["without_directory"], http)
        self.seen: dict[str, list[list[str]]] = {}

    @asynccontextmanager
    async def client(self, server: Server | None = None, **options: Any):
        server = server or self.main
        async with httpx.AsyncClient() as http:
            discovery = DiscoveryClient(http, base_url=server.repertoire)
            yield GafaelfawrClient(http, discovery_client=discovery, **options)

    @asynccontextmanager
    async def discovery(self, server: Server | None = None, path: str = ""):
        server = server or self.main
        async with httpx.AsyncClient() as http:
            yield DiscoveryClient(http, base_url=server.repertoire + path)

    async def note(self, name: str) -> None:
        """Keeps what has been sent so far, for the comparison with the Rust client."""
        self.seen[name] = [
            [entry["method"], entry["path"]] for entry in await self.main.requests()
        ]


def same(got: Any, expected: Any) -> None:
    assert got == expected, f"expected {expected!r}, got {got!r}"


async def refused(call: Awaitable[Any], status: int | None, code: str | None = None) -> Exception:
    """Expects a call to fail with a status and the server's code for it."""
    try:
        result = await call
    except (GafaelfawrWebError, RepertoireWebError) as error:
        same(error.status, status)
        if code is not None:
            detail = json.loads(error.body or "{}")["detail"]
            item = detail[0] if isinstance(detail, list) else detail
            same(item["type"], code)
        return error
    raise AssertionError(f"expected status {status}, got {result!r}")


# User information.


@check
async def user_info_by_token(w: World) -> None:
    async with w.client() as client:
        info = await client.get_user_info(w.tokens["rosa"])
    same(
        info.model_dump(mode="json"),
        {
            "username": "rosa",
            "name": "Rosa Ángel",
            "email": "rosa@example.org",
            "uid": 2001,
            "gid": 2001,
            "groups": [{"name": "observers", "id": 3001}, {"name": "rosa", "id": 2001}],
            "quota": {
                "api": {"cutout": 100, "archive": 10},
                "disk": {"/home": 1_000_000_000},
                "notebook": {"cpu": 2.5, "memory": 5.75, "spawn": True},
                "tap": {"main": {"bytes_billed": None, "concurrent": 3}},
            },
        },
    )
    same(info.supplemental_groups, [3001, 2001])
    assert info.quota and info.quota.notebook
    same(info.quota.notebook.memory_bytes, int(5.75 * 1024**3))
    await w.note("user_info")


@check
async def a_bypass_is_an_empty_quota_and_not_none(w: World) -> None:
    async with w.client() as client:
        info = await client.get_user_info(w.tokens["chief"])
    assert info.quota is not None
    same(
        info.quota.model_dump(mode="json"),
        {"api": {}, "disk": {}, "notebook": None, "tap": {}},
    )


@check
async def a_group_may_forbid_notebooks(w: World) -> None:
    async with w.client() as client:
        info = await client.get_user_info(w.tokens["intern"])
    assert info.quota and info.quota.notebook
    same(info.quota.notebook.spawn, False)
    same((info.name, info.email), (None, None))


@check
async def user_info_by_name(w: World) -> None:
    async with w.client() as client:
        by_name = await client.get_user_info(w.tokens["reader"], "rosa")
        by_token = await client.get_user_info(w.tokens["rosa"])
    same(by_name, by_token)


@check
async def own_name_needs_no_scope(w: World) -> None:
    async with w.client() as client:
        info = await client.get_user_info(w.tokens["intern"], "intern-1")
    same(info.uid, 2003)
    await w.note("user_info_for")


@check
async def a_name_that_the_directory_does_not_know_has_only_the_name(w: World) -> None:
    async with w.client() as client:
        info = await client.get_user_info(w.tokens["reader"], "nobody")
    same((info.username, info.uid, info.groups), ("nobody", None, []))
    assert info.quota is not None


# Lists.


@check
async def groups_are_told_apart(w: World) -> None:
    async with w.client() as client:
        groups = await client.list_groups(w.tokens["reader"])
    same({g.name: g.id for g in groups.user}, {"observers": 3001, "interns": 3002})
    same([(g.name, g.id) for g in groups.system], [("staff", 3003)])
    await w.note("groups")


@check
async def users_are_sorted_and_without_quota(w: World) -> None:
    async with w.client() as client:
        users = await client.list_users(w.tokens["reader"])
    same([user.username for user in users], ["chief", "intern-1", "rosa"])
    same([user.quota for user in users], [None, None, None])
    await w.note("users")


@check
async def lists_are_not_cached(w: World) -> None:
    async with w.client() as client:
        for _ in range(2):
            await client.list_users(w.tokens["reader"])
            await client.list_groups(w.tokens["reader"])
    operations = await w.main.operations()
    same(operations.count("gafaelfawr.listUsers"), 2)
    same(operations.count("gafaelfawr.listGroups"), 2)


# Tokens.


@check
async def a_new_service_token_works(w: World) -> None:
    async with w.client() as client:
        token = await client.create_service_token(
            w.tokens["maker"],
            "bot-new",
            scopes=["admin:userinfo"],
            expires=datetime.now(tz=UTC) + timedelta(hours=1),
            name="New Bot",
            uid=4001,
            gid=4002,
            groups=[GafaelfawrGroup(name="bots", id=4003)],
        )
        await w.note("create_service_token")
        assert token.startswith("gt-") and len(token) == 48, "not a token"
        info = await client.get_user_info(token)
        users = await client.list_users(token)
    same(
        (info.username, info.name, info.uid, info.gid),
        ("bot-new", "New Bot", 4001, 4002),
    )
    same([(g.name, g.id) for g in info.groups], [("bots", 4003)])
    same(len(users), 3)


@check
async def a_service_token_needs_no_more_than_a_name(w: World) -> None:
    async with w.client() as client:
        token = await client.create_service_token(w.tokens["maker"], "bot-least", scopes=[])
        info = await client.get_user_info(token)
        same((info.username, info.uid, info.groups), ("bot-least", None, []))
        await refused(client.list_users(token), 403, "permission_denied")


@check
async def a_token_of_our_own_making_is_unknown(w: World) -> None:
    token = create_token()
    assert token.startswith("gt-") and len(token) == 48, "not a token"
    async with w.client() as client:
        await refused(client.get_user_info(token), 401, "invalid_token")


# The cache.


@check
async def an_answer_by_token_is_asked_for_once(w: World) -> None:
    async with w.client() as client:
        for _ in range(3):
            await client.get_user_info(w.tokens["rosa"])
    same(
        await w.main.operations(),
        ["repertoire.getDiscovery", "gafaelfawr.getOwnUserInfo"],
    )


@check
async def an_answer_by_name_is_asked_for_once(w: World) -> None:
    async with w.client() as client:
        for _ in range(3):
            await client.get_user_info(w.tokens["reader"], "rosa")
    same((await w.main.operations()).count("gafaelfawr.getUserInfo"), 1)


@check
async def a_stampede_is_one_request(w: World) -> None:
    async with w.client() as client:
        calls = [client.get_user_info(w.tokens["rosa"]) for _ in range(50)]
        await asyncio.gather(*calls)
    same((await w.main.operations()).count("gafaelfawr.getOwnUserInfo"), 1)


@check
async def a_cleared_cache_asks_again(w: World) -> None:
    async with w.client() as client:
        await client.get_user_info(w.tokens["rosa"])
        await client.clear_cache()
        await client.get_user_info(w.tokens["rosa"])
    same((await w.main.operations()).count("gafaelfawr.getOwnUserInfo"), 2)
    same((await w.main.operations()).count("repertoire.getDiscovery"), 1)


@check
async def a_refusal_is_not_cached(w: World) -> None:
    async with w.client() as client:
        for _ in range(2):
            await refused(client.get_user_info(create_token()), 401, "invalid_token")
    same((await w.main.operations()).count("gafaelfawr.getOwnUserInfo"), 2)


# Errors.


@check
async def lists_and_other_users_need_the_scope(w: World) -> None:
    async with w.client() as client:
        await refused(client.list_users(w.tokens["rosa"]), 403, "permission_denied")
        await refused(client.list_groups(w.tokens["rosa"]), 403, "permission_denied")
        await refused(
            client.get_user_info(w.tokens["rosa"], "chief"), 403, "permission_denied"
        )
        await refused(
            client.get_user_info(w.tokens["maker"], "chief"), 403, "permission_denied"
        )


@check
async def a_name_of_wrong_form_is_refused(w: World) -> None:
    async with w.client() as client:
        call = client.get_user_info(w.tokens["reader"], "Not.A.Name")
        await refused(call, 422, "string_pattern_mismatch")


@check
async def a_name_that_leaves_its_place_reaches_another_route(w: World) -> None:
    """The fault of the Python client that the server cannot see; ours refuses the name."""
    async with w.client() as client:
        info = await client.get_user_info(w.tokens["reader"], "../user-info")
    same(info.username, "bot-reader")


@check
async def a_token_is_made_for_bots_and_with_known_scopes_only(w: World) -> None:
    async with w.client() as client:
        maker = w.tokens["maker"]
        await refused(client.create_service_token(maker, "rosa", scopes=[]), 403)
        await refused(
            client.create_service_token(maker, "bot-x", scopes=["no:such"]),
            422,
            "invalid_scopes",
        )
        past = datetime(2001, 1, 1, tzinfo=UTC)
        await refused(
            client.create_service_token(maker, "bot-x", scopes=[], expires=past),
            422,
            "invalid_expires",
        )
        await refused(
            client.create_service_token(w.tokens["rosa"], "bot-x", scopes=[]),
            403,
            "permission_denied",
        )


@check
async def without_a_directory_nobody_is_found_by_name(w: World) -> None:
    async with w.client(w.bare) as client:
        for call in (
            client.get_user_info(w.tokens["reader"], "rosa"),
            client.list_users(w.tokens["reader"]),
            client.list_groups(w.tokens["reader"]),
        ):
            error = await refused(call, 404, "not_supported")
            assert isinstance(error, GafaelfawrNotFoundError), repr(error)
        same((await client.get_user_info(w.tokens["rosa"])).username, "rosa")


@check
async def a_failing_server_is_an_error_and_then_is_not(w: World) -> None:
    await w.main.fault(operation="gafaelfawr.getOwnUserInfo", times=1, status=500)
    async with w.client() as client:
        error = await refused(client.get_user_info(w.tokens["rosa"]), 500)
        assert not isinstance(error, GafaelfawrNotFoundError), repr(error)
        same((await client.get_user_info(w.tokens["rosa"])).username, "rosa")


@check
async def a_broken_connection_is_an_error_without_a_status(w: World) -> None:
    await w.main.fault(operation="gafaelfawr.listUsers", times=1, harm="reset_before_head")
    async with w.client() as client:
        await refused(client.list_users(w.tokens["reader"]), None)


@check
async def a_slow_server_meets_the_timeout(w: World) -> None:
    await w.main.fault(operation="gafaelfawr.listUsers", times=1, delay_ms=2000)
    async with w.client(timeout=timedelta(milliseconds=200)) as client:
        await refused(client.list_users(w.tokens["reader"]), None)


# Discovery.


@check
async def applications_and_datasets(w: World) -> None:
    async with w.discovery() as client:
        same(await client.applications(), ["archive", "gafaelfawr", "portal"])
        same(await client.datasets(), ["north", "south"])
    same(await w.main.operations(), ["repertoire.getDiscovery"])
    await w.note("applications")


@check
async def environment(w: World) -> None:
    async with w.discovery() as client:
        environment = await client.environment()
        same(await client.environment_name(), "interop.example.org")
    assert environment is not None
    same((environment.label, environment.title_long), ("interop", "Interop Environment"))


@check
async def configurations_of_datasets(w: World) -> None:
    butler = "https://elsewhere.example.org/butler/north.yaml"
    async with w.discovery() as client:
        same(await client.butler_config_for("north"), butler)
        same(await client.butler_config_for("south"), None)
        same(await client.butler_repositories(), {"north": butler})
        same(
            await client.obscore_config_for("north"),
            "https://elsewhere.example.org/obscore/north.yaml",
        )


@check
async def urls_of_services(w: World) -> None:
    cutout = "https://elsewhere.example.org/api/cutout"
    async with w.discovery() as client:
        same(await client.url_for_data("cutout", "north"), cutout)
        same(await client.url_for_data("cutout", "north", version="v2"), f"{cutout}/v2")
        same(await client.url_for_data("cutout", "north", version="v9"), None)
        same(await client.url_for_data("cutout", "south"), None)
        same(
            await client.url_for_internal("gafaelfawr", version="v1"),
            f"{w.main.url}/auth/api/v1",
        )
        same(await client.url_for_internal("none"), None)
        same(
            await client.url_for_ui("portal"), "https://elsewhere.example.org/portal"
        )


@check
async def versions_of_services(w: World) -> None:
    async with w.discovery() as client:
        same(await client.versions_for_data("cutout", "north"), ["v2"])
        same(await client.versions_for_data("query", "north"), [])
        same(await client.versions_for_data("cutout", "south"), None)
        same(await client.versions_for_internal("gafaelfawr"), ["v1"])


@check
async def influxdb_databases(w: World) -> None:
    async with w.discovery() as client:
        same(await client.influxdb_databases(), ["far_metrics", "near_metrics"])
        same(await client.influxdb_databases(local=True), ["near_metrics"])
        same(await client.influxdb_databases(local=False), ["far_metrics"])
        info = await client.influxdb_connection_info("far_metrics")
        same(await client.influxdb_connection_info("none"), None)
    assert info is not None
    same((info.database, info.local), ("metrics", False))


@check
async def influxdb_credentials(w: World) -> None:
    async with w.discovery() as client:
        info = await client.influxdb_credentials("near_metrics", w.tokens["rosa"])
        await w.note("influxdb_credentials")
        assert info is not None
        assert info.password is not None
        same(info.username, "near-reader")
        same(info.password.get_secret_value(), "near-secret")
        same(await client.influxdb_credentials("none", w.tokens["rosa"]), None)
        await refused(client.influxdb_credentials("near_metrics", create_token()), 401)


@check
async def the_reduced_copy_for_notebooks(w: World) -> None:
    async with w.discovery() as client:
        copy = await client.build_nublado_dict()
    same(sorted(copy), ["datasets", "influxdb_databases", "services"])
    same(sorted(copy["datasets"]["north"]), ["butler_config", "services"])


@check
async def a_wrong_base_url_is_an_error(w: World) -> None:
    async with w.discovery(path="/nowhere") as client:
        await refused(client.applications(), 404)


@check
async def an_old_document_goes_on_serving(w: World) -> None:
    async with httpx.AsyncClient() as http:
        client = DiscoveryClient(
            http, base_url=w.main.repertoire, cache_timeout=timedelta(0)
        )
        same(len(await client.applications()), 3)
        await w.main.fault(operation="repertoire.getDiscovery", times=1, status=503)
        same(len(await client.applications()), 3)


async def main() -> int:
    # The clients log on standard output, which is for our lines.
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    given = json.load(sys.stdin)
    passed = failed = 0
    async with httpx.AsyncClient() as http:
        world = World(given, http)
        for function in CHECKS:
            name = function.__name__.replace("_", " ")
            await world.main.clean()
            await world.bare.clean()
            try:
                await asyncio.wait_for(function(world), timeout=30)
            except Exception:
                failed += 1
                print(f"FAILED {name}")
                print("    " + traceback.format_exc().replace("\n", "\n    ").rstrip())
            else:
                passed += 1
                print(f"ok     {name}")
    print(json.dumps({"passed": passed, "failed": failed, "requests": world.seen}))
    return 0


sys.exit(asyncio.run(main()))
