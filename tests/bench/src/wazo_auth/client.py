"""Reads or checks a token many times as the older client does, which is on no index: a session, a
connection and a bundle of certificates for each call. Prints the CPU seconds they took."""

import resource
import sys
import tempfile

import certifi
import requests

BASE, CA, TOKEN, BUNDLE, CALL, COUNT = sys.argv[1:]
URL = f"{BASE}/0.1/token/{TOKEN}"

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "bench",
}


def session(bundle):
    made = requests.Session()
    made.trust_env = False
    made.verify = bundle
    made.headers.update(HEADERS)
    return made


def get(bundle):
    answer = session(bundle).get(URL, params={}, timeout=10)
    answer.raise_for_status()
    assert len(answer.json()["data"]["acl"]) == 30


def is_valid(bundle):
    answer = session(bundle).head(URL, params={}, timeout=10)
    assert answer.status_code == 204


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    call = {"get": get, "is_valid": is_valid}[CALL]
    with tempfile.NamedTemporaryFile(suffix=".pem") as usual:
        for part in (certifi.where(), CA):
            with open(part, "rb") as certificates:
                usual.write(certificates.read() + b"\n")
        usual.flush()
        bundle = CA if BUNDLE == "one" else usual.name
        for _ in range(5):
            call(bundle)
        before = cpu()
        for _ in range(int(COUNT)):
            call(bundle)
        print(cpu() - before)


main()
