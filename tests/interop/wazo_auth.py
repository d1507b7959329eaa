"""Makes the calls it is told to make as the Python client of wazo-auth makes them, one by one.

That client is on no package index, so this is what the protocol text says of it, on `requests`:
sections 1, 2 and 9. Each line of standard input is a JSON object: `client` (options), `command`,
`method`, `args` and `kwargs`. For each a line is printed: `{"returns": ...}`, or
`{"raises": {"kind": ..., "status": ..., "reason": ...}}`. `{"methods": true}` asks for the names
of all methods.
"""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any
from urllib.parse import quote

import requests

# What token.new and token.check_scopes call themselves, whatever the client is called.
TOKEN_AGENT = "Wazo Python auth client"


class InvalidTokenException(BaseException):
    """The token that was checked is unknown."""


class MissingPermissionsTokenException(BaseException):
    """The token that was checked does not suffice."""


class Client:
    def __init__(
        self,
        host: str,
        port: int | None = 443,
        prefix: str | None = "/api/auth",
        version: str = "0.1",
        https: bool = True,
        verify_certificate: bool | str = True,
        timeout: float | None = 10,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        tenant: str | None = None,
        user_agent: str = "wazo_auth.py",
    ) -> None:
        if not host:
            raise ValueError("host")
        if prefix and not prefix.startswith("/"):
            prefix = f"/{prefix}"
        scheme = "https" if https else "http"
        place = f"{host}:{port}" if port else host
        self.base = f"{scheme}://{place}{prefix or ''}{f'/{version}' if version else ''}"
        self.verify = verify_certificate
        self.timeout = timeout
        self.username = username
        self.password = password
        self.token = token
        self.tenant_uuid = tenant
        self.user_agent = user_agent

    def url(self, *fragments: str) -> str:
        return "/".join([self.base, *(str(fragment) for fragment in fragments)])

    def send(
        self, verb: str, url: str, headers: dict[str, str | None], **request: Any
    ) -> requests.Response:
        with requests.Session() as session:
            session.headers.clear()
            session.headers.update(
                {
                    "Connection": "close",
                    "Accept-Encoding": "identity",
                    "User-Agent": self.user_agent,
                }
            )
            if self.token:
                session.headers["X-Auth-Token"] = self.token
            if self.tenant_uuid:
                session.headers["Wazo-Tenant"] = self.tenant_uuid
            session.trust_env = False
            return session.request(
                verb, url, headers=headers, timeout=self.timeout, verify=self.verify, **request
            )

    def is_server_reachable(self) -> bool:
        try:
            self.send("HEAD", self.base, {})
        except requests.RequestException:
            return False
        return True


class Command:
    """A group of methods."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def ask(
        self,
        verb: str,
        *fragments: str,
        tenant: str | None = None,
        headers: dict[str, str | None] | None = None,
        **request: Any,
    ) -> requests.Response:
        all_headers: dict[str, str | None] = {"Accept": "application/json", **(headers or {})}
        if tenant:
            all_headers["Wazo-Tenant"] = tenant
        return self.client.send(verb, self.client.url(*fragments), all_headers, **request)

    def get_body(self, *given: Any, expected: int = 200, **request: Any) -> Any:
        answer = self.ask(*given, **request)
        check(answer, expected)
        return answer.json()

    def do(self, *given: Any, expected: int = 204, **request: Any) -> None:
        check(self.ask(*given, **request), expected)


def check(answer: requests.Response, expected: int) -> None:
    """Raises for another status than the expected one, unless it is a success too."""
    if answer.status_code != expected:
        fail(answer)


def fail(answer: requests.Response) -> None:
    try:
        answer.reason = answer.json()["message"]
    except (ValueError, KeyError, TypeError):
        pass
    answer.raise_for_status()


def given(**values: Any) -> dict[str, Any]:
    """What is not nothing."""
    return {name: value for name, value in values.items() if value}


class Token(Command):
    def new(
        self,
        backend=None,
        expiration=None,
        session_type=None,
        user_agent=None,
        access_type=None,
        client_id=None,
        refresh_token=None,
        username=None,
        password=None,
        tenant_id=None,
        domain_name=None,
    ):
        body = given(
            backend=backend,
            expiration=expiration,
            access_type=access_type,
            client_id=client_id,
            refresh_token=refresh_token,
            tenant_id=tenant_id,
            domain_name=domain_name,
        )
        headers = {"User-Agent": user_agent or TOKEN_AGENT}
        if session_type:
            headers["Wazo-Session-Type"] = session_type
        username = username or self.client.username or ""
        password = password or self.client.password or ""
        auth = (username.encode(), password.encode())
        return self.get_body("POST", "token", headers=headers, json=body, auth=auth)["data"]

    def get(self, token, required_acl=None, tenant=None):
        params = given(scope=required_acl, tenant=tenant)
        return self.get_body("GET", "token", token, params=params)["data"]

    def is_valid(self, token, required_acl=None, tenant=None):
        answer = self._head(token, required_acl, tenant)
        if answer.status_code in (204, 403, 404):
            return answer.status_code == 204
        fail(answer)

    def check(self, token, required_acl=None, tenant=None):
        answer = self._head(token, required_acl, tenant)
        if answer.status_code == 204:
            return True
        if answer.status_code == 404:
            raise InvalidTokenException
        if answer.status_code == 403:
            raise MissingPermissionsTokenException
        fail(answer)

    def _head(self, token, required_acl, tenant):
        return self.ask("HEAD", "token", token, params=given(scope=required_acl, tenant=tenant))

    def check_scopes(self, token, scopes, tenant=None):
        body = {"scopes": scopes, **given(tenant_uuid=tenant)}
        headers = {"User-Agent": TOKEN_AGENT}
        return self.get_body("POST", "token", token, "scopes", "check", headers=headers, json=body)

    def revoke(self, token):
        self.ask("DELETE", "token", token)

    def list(self, user_uuid=None, **params):
        if user_uuid is None:
            raise TypeError("user_uuid cannot be None")
        tenant = params.get("tenant_uuid")
        return self.get_body("GET", "users", user_uuid, "tokens", tenant=tenant, params=params)

    def delete(self, user_uuid, client_id, tenant_uuid=None):
        self.do("DELETE", "users", user_uuid, "tokens", client_id, tenant=tenant_uuid)


class RefreshTokens(Command):
    def list(self, **params):
        return self.get_body("GET", "tokens", tenant=params.get("tenant_uuid"), params=params)


class Backends(Command):
    def list(self):
        return self.get_body("GET", "backends")["data"]


class Policies(Command):
    def new(self, name, tenant_uuid=None, **kwargs):
        body = {"name": name, **kwargs}
        return self.get_body("POST", "policies", tenant=tenant_uuid, json=body)

    def list(self, tenant_uuid=None, **params):
        return self.get_body("GET", "policies", tenant=tenant_uuid, params=params)

    def get(self, policy):
        return self.get_body("GET", "policies", policy)

    def edit(self, policy, name, **kwargs):
        return self.get_body("PUT", "policies", policy, json={"name": name, **kwargs})

    def delete(self, policy):
        self.do("DELETE", "policies", policy)

    def add_access(self, policy, access):
        self.do("PUT", "policies", policy, "acl", quote(access))

    def remove_access(self, policy, access):
        self.do("DELETE", "policies", policy, "acl", quote(access))


class Users(Command):
    def new(self, **kwargs):
        return self.get_body("POST", "users", tenant=kwargs.get("tenant_uuid"), json=kwargs)

    def list(self, **params):
        return self.get_body("GET", "users", tenant=params.get("tenant_uuid"), params=params)

    def get(self, uuid, tenant_uuid=None):
        return self.get_body("GET", "users", uuid, tenant=tenant_uuid)

    def edit(self, uuid, **kwargs):
        return self.get_body("PUT", "users", uuid, tenant=kwargs.get("tenant_uuid"), json=kwargs)

    def delete(self, uuid, tenant_uuid=None):
        self.do("DELETE", "users", uuid, tenant=tenant_uuid)

    def change_password(self, uuid, **kwargs):
        self.do("PUT", "users", uuid, "password", json=kwargs)

    def reset_password(self, **params):
        self.do("GET", "users", "password", "reset", params=params)

    def set_password(self, uuid, password, token=None):
        self.do(
            "POST",
            "users",
            "password",
            "reset",
            params={"user_uuid": uuid},
            json={"password": password},
            headers={"X-Auth-Token": token} if token else {},
        )

    def register(self, **kwargs):
        return self.get_body("POST", "users", "register", json=kwargs)

    def update_emails(self, uuid, emails):
        return self.get_body("PUT", "users", uuid, "emails", json={"emails": emails})

    def request_confirmation_email(self, uuid, email_uuid):
        self.do("GET", "users", uuid, "emails", email_uuid, "confirm")

    def add_policy(self, uuid, policy, tenant_uuid=None):
        self.do("PUT", "users", uuid, "policies", policy, tenant=tenant_uuid)

    def remove_policy(self, uuid, policy, tenant_uuid=None):
        self.do("DELETE", "users", uuid, "policies", policy, tenant=tenant_uuid)

    def get_policies(self, uuid, tenant_uuid=None, **params):
        return self.get_body("GET", "users", uuid, "policies", tenant=tenant_uuid, params=params)

    def get_groups(self, uuid, tenant_uuid=None, **params):
        return self.get_body("GET", "users", uuid, "groups", tenant=tenant_uuid, params=params)

    def get_sessions(self, uuid, tenant_uuid=None, **params):
        return self.get_body("GET", "users", uuid, "sessions", tenant=tenant_uuid, params=params)

    def remove_session(self, uuid, session_uuid):
        self.do("DELETE", "users", uuid, "sessions", session_uuid)


class Groups(Command):
    def new(self, **kwargs):
        return self.get_body("POST", "groups", tenant=kwargs.get("tenant_uuid"), json=kwargs)

    def list(self, **params):
        return self.get_body("GET", "groups", tenant=params.get("tenant_uuid"), params=params)

    def get(self, uuid):
        return self.get_body("GET", "groups", uuid)

    def edit(self, uuid, **kwargs):
        return self.get_body("PUT", "groups", uuid, json=kwargs)

    def delete(self, uuid):
        self.do("DELETE", "groups", uuid)

    def add_user(self, uuid, user_uuid):
        self.do("PUT", "groups", uuid, "users", user_uuid)

    def remove_user(self, uuid, user_uuid):
        self.do("DELETE", "groups", uuid, "users", user_uuid)

    def get_users(self, uuid, **params):
        return self.get_body("GET", "groups", uuid, "users", params=params)

    def add_policy(self, uuid, policy, tenant_uuid=None):
        self.do("PUT", "groups", uuid, "policies", policy, tenant=tenant_uuid)

    def remove_policy(self, uuid, policy, tenant_uuid=None):
        self.do("DELETE", "groups", uuid, "policies", policy, tenant=tenant_uuid)

    def get_policies(self, uuid, tenant_uuid=None, **params):
        return self.get_body("GET", "groups", uuid, "policies", tenant=tenant_uuid, params=params)


class Sessions(Command):
    def list(self, **params):
        return self.get_body("GET", "sessions", tenant=params.get("tenant_uuid"), params=params)

    def delete(self, uuid, tenant_uuid=None):
        self.do("DELETE", "sessions", uuid, tenant=tenant_uuid)


class Tenants(Command):
    def new(self, parent_uuid=None, **kwargs):
        return self.get_body("POST", "tenants", tenant=parent_uuid, json=kwargs)

    def list(self, tenant_uuid=None, **params):
        return self.get_body("GET", "tenants", tenant=tenant_uuid, params=params)

    def get(self, uuid):
        return self.get_body("GET", "tenants", uuid)

    def edit(self, uuid, **kwargs):
        return self.get_body("PUT", "tenants", uuid, json=kwargs)

    def delete(self, uuid, tenant_uuid=None):
        self.do("DELETE", "tenants", uuid, tenant=tenant_uuid)

    def get_domains(self, uuid):
        return self.get_body("GET", "tenants", uuid, "domains", headers={"Accept": None})

    def add_policy(self, uuid, policy):
        self.do("PUT", "tenants", uuid, "policies", policy)

    def remove_policy(self, uuid, policy):
        self.do("DELETE", "tenants", uuid, "policies", policy)


class Emails(Command):
    def confirm(self, uuid):
        self.do("PUT", "emails", uuid, "confirm")


class Admin(Command):
    def update_user_emails(self, uuid, emails):
        return self.get_body("PUT", "admin", "users", uuid, "emails", json={"emails": emails})


class External(Command):
    def create(self, auth_type, uuid, data):
        return self.get_body("POST", "users", uuid, "external", auth_type, json=data)

    def get(self, auth_type, uuid, tenant_uuid=None):
        return self.get_body("GET", "users", uuid, "external", auth_type, tenant=tenant_uuid)

    def update(self, auth_type, uuid, data):
        return self.get_body("PUT", "users", uuid, "external", auth_type, json=data)

    def delete(self, auth_type, uuid):
        self.do("DELETE", "users", uuid, "external", auth_type)

    def list_(self, uuid, **params):
        return self.get_body("GET", "users", uuid, "external", params=params)

    def list_connected_users(self, auth_type, **params):
        return self.get_body("GET", "external", auth_type, "users", params=params)

    def create_config(self, auth_type, data, tenant_uuid=None):
        path = ("external", auth_type, "config")
        return self.get_body("POST", *path, tenant=tenant_uuid, json=data, expected=201)

    def get_config(self, auth_type, tenant_uuid=None):
        return self.get_body("GET", "external", auth_type, "config", tenant=tenant_uuid)

    def update_config(self, auth_type, data, tenant_uuid=None):
        self.do("PUT", "external", auth_type, "config", tenant=tenant_uuid, json=data)

    def delete_config(self, auth_type, tenant_uuid=None):
        self.do("DELETE", "external", auth_type, "config", tenant=tenant_uuid)


class Idp(Command):
    def list(self):
        return self.get_body("GET", "idp")

    def add_user(self, idp_type, user_uuid):
        self.do("PUT", "idp", idp_type, "users", user_uuid)

    def remove_user(self, idp_type, user_uuid):
        self.do("DELETE", "idp", idp_type, "users", user_uuid)

    def add_users(self, idp_type, users):
        self.do("PUT", "idp", idp_type, "users", json={"users": users})


class LdapConfig(Command):
    def get(self, tenant_uuid=None):
        return self.get_body("GET", "backends", "ldap", tenant=tenant_uuid)

    def update(self, config, tenant_uuid=None):
        return self.get_body("PUT", "backends", "ldap", tenant=tenant_uuid, json=config)

    def delete(self, tenant_uuid=None):
        self.do("DELETE", "backends", "ldap", tenant=tenant_uuid)


class SamlConfig(Command):
    def create(self, tenant_uuid=None, **request):
        return self.get_body("POST", "backends", "saml", tenant=tenant_uuid, **request)

    def get(self, tenant_uuid=None):
        return self.get_body("GET", "backends", "saml", tenant=tenant_uuid)

    def update(self, tenant_uuid=None, **request):
        self.do("PUT", "backends", "saml", tenant=tenant_uuid, expected=200, **request)

    def delete(self, tenant_uuid=None):
        self.do("DELETE", "backends", "saml", tenant=tenant_uuid)

    def get_acs_template(self):
        return self.get_body("GET", "backends", "saml", "acs_url_template", headers={"Accept": None})

    def get_metadata(self, tenant_uuid=None):
        answer = self.ask("GET", "backends", "saml", "metadata", tenant=tenant_uuid)
        check(answer, 200)
        return answer.content


class Saml(Command):
    def sso(self, domain, redirect_url):
        body = {"redirect_url": redirect_url, "domain": domain}
        return self.get_body("POST", "saml", "sso", json=body)

    def acs(self, saml_response, relay_state):
        fields = {"RelayState": relay_state, "SAMLResponse": saml_response}
        answer = self.ask("POST", "saml", "acs", data=fields, allow_redirects=False)
        check(answer, 302)
        return answer.headers["Location"]

    def logout(self):
        return self.get_body("GET", "saml", "logout")["Location"]


class Config(Command):
    def get(self):
        return self.get_body("GET", "config")

    def patch(self, changes):
        return self.get_body("PATCH", "config", json=changes)


class Status(Command):
    def check(self):
        self.do("HEAD", "status", expected=200)


COMMANDS = {
    "admin": Admin,
    "backends": Backends,
    "config": Config,
    "emails": Emails,
    "external": External,
    "groups": Groups,
    "idp": Idp,
    "ldap_config": LdapConfig,
    "policies": Policies,
    "refresh_tokens": RefreshTokens,
    "saml": Saml,
    "saml_config": SamlConfig,
    "sessions": Sessions,
    "status": Status,
    "tenants": Tenants,
    "token": Token,
    "users": Users,
}


def methods() -> list[str]:
    return ["client.is_server_reachable"] + [
        f"{name}.{method}"
        for name, command in COMMANDS.items()
        for method, _ in inspect.getmembers(command, inspect.isfunction)
        if method not in dir(Command) and not method.startswith("_")
    ]


def file(value: Any) -> Any:
    """A file as `requests` wants it."""
    return (value["filename"], value["content"]) if isinstance(value, dict) else value


def perform(call: dict[str, Any]) -> Any:
    client = Client(**call["client"])
    command = COMMANDS[call["command"]](client) if call["command"] != "client" else client
    kwargs = call["kwargs"]
    if "files" in kwargs:
        kwargs["files"] = {name: file(value) for name, value in kwargs["files"].items()}
    returns = getattr(command, call["method"])(*call["args"], **kwargs)
    return returns.decode() if isinstance(returns, bytes) else returns


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    if "methods" in asked:
        return {"returns": methods()}
    try:
        return {"returns": perform(asked)}
    except requests.HTTPError as fault:
        status, reason = fault.response.status_code, fault.response.reason
        return {"raises": {"kind": "http", "status": status, "reason": reason}}
    except (Exception, InvalidTokenException, MissingPermissionsTokenException) as fault:
        return {"raises": {"kind": type(fault).__name__, "reason": str(fault)}}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
