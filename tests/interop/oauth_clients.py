"""Logs in, refreshes and revokes with clients that know OAuth 2.0 and nothing of this service.

The other end names the client; see session.py.
"""

import os
import sys

import requests
from authlib.integrations.requests_client import OAuth2Session as Authlib
from oauthlib.oauth2 import InvalidGrantError, WebApplicationClient
from requests_oauthlib import OAuth2Session as RequestsOauthlib

from session import serve

# The emulator is plain HTTP on loopback.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

SCOPE = ["directory-sync-service:read"]


def same(found, wanted):
    if found != wanted:
        raise AssertionError(f"{found!r} in place of {wanted!r}")


def endpoints(given):
    answer = requests.get(given["url"] + "/.well-known/oauth-authorization-server", timeout=10)
    metadata = answer.json()
    same(metadata["issuer"], given["url"])
    return metadata


def visit(url):
    """What a browser does: the user agrees at once, and is sent back."""
    answer = requests.get(url, allow_redirects=False, timeout=10)
    same(answer.status_code in (302, 303), True)
    return answer.headers["Location"]


def call(given, token):
    """Returns the status with which the API answers a token."""
    answer = requests.get(
        given["url"] + "/directory-sync-service/v1/attributes",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    return answer.status_code


def authlib(**given):
    at = endpoints(given)
    client = Authlib(
        given["client_id"],
        given["client_secret"],
        scope=" ".join(SCOPE),
        redirect_uri=given["redirect_uri"],
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
    )
    verifier = "v" * 64
    url, state = client.create_authorization_url(at["authorization_endpoint"], code_verifier=verifier)
    first = client.fetch_token(
        at["token_endpoint"],
        authorization_response=visit(url),
        state=state,
        code_verifier=verifier,
    )
    same(call(given, first["access_token"]), 200)
    second = client.refresh_token(at["token_endpoint"], refresh_token=first["refresh_token"])
    same(second["access_token"] == first["access_token"], False)
    same(second["refresh_token"] == first["refresh_token"], False)
    same(call(given, second["access_token"]), 200)
    answer = client.revoke_token(
        at["revocation_endpoint"], token=second["refresh_token"], token_type_hint="refresh_token"
    )
    same(answer.status_code, 200)
    same(call(given, second["access_token"]), 401)
    try:
        client.refresh_token(at["token_endpoint"], refresh_token=second["refresh_token"])
    except Exception as error:
        same(getattr(error, "error", None), "invalid_grant")
    else:
        raise AssertionError("a revoked refresh token was taken")


def requests_oauthlib(**given):
    at = endpoints(given)
    known = WebApplicationClient(given["client_id"])
    verifier = known.create_code_verifier(64)
    challenge = known.create_code_challenge(verifier, "S256")
    client = RequestsOauthlib(client=known, scope=SCOPE, redirect_uri=given["redirect_uri"])
    url, _ = client.authorization_url(
        at["authorization_endpoint"], code_challenge=challenge, code_challenge_method="S256"
    )
    first = client.fetch_token(
        at["token_endpoint"],
        authorization_response=visit(url),
        client_secret=given["client_secret"],
        include_client_id=True,
        code_verifier=verifier,
    )
    same(call(given, first["access_token"]), 200)
    secret = {"client_id": given["client_id"], "client_secret": given["client_secret"]}
    second = client.refresh_token(at["token_endpoint"], **secret)
    same(second["refresh_token"] == first["refresh_token"], False)
    same(call(given, second["access_token"]), 200)
    url, headers, body = known.prepare_token_revocation_request(
        at["revocation_endpoint"], second["refresh_token"], "refresh_token", **secret
    )
    answer = requests.post(url, data=body, headers=headers, timeout=10)
    same(answer.status_code, 200)
    same(call(given, second["access_token"]), 401)
    try:
        client.refresh_token(at["token_endpoint"], **secret)
    except InvalidGrantError:
        pass
    else:
        raise AssertionError("a revoked refresh token was taken")


if __name__ == "__main__":
    serve(sys.modules[__name__])
