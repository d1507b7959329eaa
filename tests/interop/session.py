"""Makes the calls that the other end names.

Each line of standard input is a JSON object with `call`, the name of a function, and its arguments; for
each a line is printed: `{"returns": ...}` or `{"raises": [class, text]}`.
"""

import json
import sys


def tell(value):
    print(value if isinstance(value, str) else json.dumps(value), flush=True)


def serve(calls):
    while line := sys.stdin.readline():
        given = json.loads(line)
        try:
            tell({"returns": getattr(calls, given.pop("call"))(**given)})
        except Exception as error:
            tell({"raises": [type(error).__name__, str(error)]})
