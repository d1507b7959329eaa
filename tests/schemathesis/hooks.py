"""Has requests that are made from a description name what exists, three times out of four.

Chance alone never hits an id, and what stands behind it would never be reached. `VOUCHSAFE_KNOWN` is
a JSON object: for the name of a parameter or member, the values that exist.
"""

import json
import os
from zlib import crc32

import schemathesis

KNOWN = {name.lower(): values for name, values in json.loads(os.environ["VOUCHSAFE_KNOWN"]).items()}


def known(name, value):
    """Returns what to send instead of a value; the same for the same value, so that runs can be repeated."""
    values = KNOWN.get(name.lower())
    if not values or not isinstance(value, str):
        return value
    chance = crc32(f"{name} {value}".encode("utf-8", "surrogatepass"))
    return value if chance % 4 == 0 else values[chance // 4 % len(values)]


def steer(values):
    if isinstance(values, list):
        return [steer(value) for value in values]
    if not hasattr(values, "items"):
        return values
    for name, value in list(values.items()):
        values[name] = known(name, value) if isinstance(value, str) else steer(value)
    return values


def of_request(context, values):
    return steer(values)


for part in ("path_parameters", "query", "headers", "body"):
    schemathesis.hook(f"map_{part}")(of_request)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Credentials are not made from a description: what is known as `security SCHEME` is a header.

    Headers of the command line win over those of a case, so the server puts it in their place.
    """
    for schemes in case.operation.definition.raw.get("security") or []:
        for scheme in schemes:
            header = known(f"security {scheme}", json.dumps(case.body, default=str))
            if header in KNOWN.get(f"security {scheme}".lower(), []):
                case.headers["X-Credential"] = header
