"""Makes many calls with astakosclient, its pool on, and prints the CPU seconds they took."""

from __future__ import print_function

import logging
import resource
import sys
import threading

from astakosclient import AstakosClient

AUTH_URL, USER, SERVICE, ALICE, CALL, COUNT, WIDTH = sys.argv[1:]
COUNT, WIDTH = int(COUNT), int(WIDTH)

logging.disable(logging.CRITICAL)
provisions = {(ALICE, "cyclades.vm"): 0}


def make():
    """Returns a call; a client must not be shared by threads, and the pool is of the process."""
    user = AstakosClient(USER, AUTH_URL, use_pool=True)
    service = AstakosClient(SERVICE, AUTH_URL, use_pool=True)
    return {
        "quotas": user.get_quotas,
        "authenticate": user.authenticate,
        "issue": lambda: service.issue_one_commission(ALICE, provisions, auto_accept=True),
    }[CALL]


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def repeat(call, count):
    for _ in range(count):
        call()


calls = [make() for _ in range(WIDTH)]
for call in calls:
    repeat(call, 20)
before = cpu()
threads = [threading.Thread(target=repeat, args=(call, COUNT // WIDTH)) for call in calls]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(cpu() - before)
