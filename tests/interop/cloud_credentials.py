"""Drives the real `pancloud`, whichever version is installed beside this Python.

`member`: one process of a fleet. Reads its orders, says that it is ready, and makes its calls at once
with the others.

`session`: makes the calls of `Session`; see session.py.
"""

import contextlib
import fcntl
import json
import os
import sys
import threading
import time
from urllib.parse import urlsplit

from pancloud import Credentials, HTTPClient

from session import serve, tell


def place(url):
    """pancloud wants the port apart from the rest."""
    parts = urlsplit(url)
    return {"url": f"{parts.scheme}://{parts.hostname}", "port": parts.port}


def credentials(issuer, file, **more):
    where = place(issuer)
    return Credentials(
        token_url=where["url"],
        port=where["port"],
        storage_params={"dbfile": file},
        trust_env=False,
        **more,
    )


def member():
    orders = json.loads(sys.stdin.readline())
    file = os.path.join(orders["site"]["folder"], "credentials.json")
    issuer = orders["issuer"]
    count = orders["tasks"] if orders["objects"] == "own" else 1
    objects = [credentials(issuer, file) for _ in range(count)]
    results = [None] * orders["tasks"]
    begin = threading.Barrier(orders["tasks"] + 1)

    def call(number):
        begin.wait()
        try:
            known = objects[number % count]
            client = HTTPClient(credentials=known, trust_env=False, **place(issuer))
            path = "/directory-sync-service/v1/attributes"
            answer = client.request(method="GET", path=path, timeout=60)
            results[number] = str(answer.status_code)
        except Exception as error:
            results[number] = f"{type(error).__name__}: {error}"[:60]

    threads = [threading.Thread(target=call, args=(n,)) for n in range(orders["tasks"])]
    for thread in threads:
        thread.start()
    tell("ready")
    sys.stdin.readline()
    begin.wait()
    for thread in threads:
        thread.join()
    failed = {}
    for result in results:
        if result != "200":
            failed[result] = failed.get(result, 0) + 1
    tell({"served": results.count("200"), "failed": failed})


@contextlib.contextmanager
def lock(file):
    """The lock of the other side, which pancloud does not know."""
    with open(f"{file}.lock", "ab") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


class Session:
    """Credentials by the names that the other side gives them; they live until the end."""

    def __init__(self):
        self.objects = {}
        self.written = {}

    def open(self, name, issuer, file, **more):
        self.objects[name] = credentials(issuer, file, **more)

    def values(self, name):
        return self.objects[name].get_credentials()._asdict()

    def set(self, name, values):
        for key, value in values.items():
            setattr(self.objects[name], key, value)

    def write(self, name):
        return self.objects[name].write_credentials()

    def refresh(self, name):
        return self.objects[name].refresh()

    def remove(self, name, profile):
        return self.objects[name].remove_profile(profile)

    def url(self, name, **more):
        return self.objects[name].get_authorization_url(**more)

    def exchange(self, name, **more):
        return self.objects[name].fetch_tokens(**more)

    def revoke(self, name, what):
        return getattr(self.objects[name], f"revoke_{what}")()

    def store(self, name, profile, access_token, rounds):
        """Writes one profile again and again, and reads it back."""
        lost, failed = 0, {}
        known = self.objects[name]
        for number in range(rounds):
            try:
                value = f"{access_token}-{number}"
                known.access_token = value
                known.write_credentials()
                if known.storage.fetch_credential("access_token", profile) != value:
                    lost += 1
            except Exception as error:
                what = type(error).__name__
                failed[what] = failed.get(what, 0) + 1
                # Gives others the time to repair the file.
                time.sleep(0.02)
        return {"lost": lost, "failed": failed}

    def watch(self, name, file, locked):
        """Notes when the file is written. If `locked`, it is only used under the lock of the other side."""
        storage = self.objects[name].storage
        written = self.written[name] = []

        def watched(method, notes):
            def call(*args, **kwargs):
                with lock(file) if locked else contextlib.nullcontext():
                    begun = time.time_ns()
                    result = method(*args, **kwargs)
                    if notes:
                        written.append([begun, time.time_ns()])
                    return result

            return call

        storage.fetch_credential = watched(storage.fetch_credential, False)
        storage.write_credentials = watched(storage.write_credentials, True)

    def attempt(self, name, login=None):
        """Refreshes, or writes another login. Returns when it wrote, what failed, and its refresh token."""
        known, written = self.objects[name], self.written[name]
        written.clear()
        failed = None
        try:
            if login is None:
                known.refresh()
            else:
                self.set(name, login)
                known.write_credentials()
        except Exception as error:
            failed = type(error).__name__
            # Gives others the time to repair the file.
            time.sleep(0.02)
        # That in memory: the property would read the file.
        return {"written": written, "failed": failed, "refresh_token": known.refresh_token_}


if __name__ == "__main__":
    {"member": member, "session": lambda: serve(Session())}[sys.argv[1]]()
