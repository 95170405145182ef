"""Asks an address until its answer has a text: until.py URL TEXT [SECONDS].

One light process, so that it takes little of what it measures: on some machines
a loop of curl and grep takes a core. Every 20 ms, on a connection of its own.
Exits with 1 when the answer has no such text after SECONDS, by default 60.
"""

import http.client
import sys
import time
from urllib.parse import urlsplit

url, text = urlsplit(sys.argv[1]), sys.argv[2].encode()
deadline = time.monotonic() + float(sys.argv[3] if len(sys.argv) > 3 else 60)


def answer():
    connection = http.client.HTTPConnection(url.netloc, timeout=5)
    try:
        connection.request("GET", url.path or "/")
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):  # not there yet
        return b""
    finally:
        connection.close()


while text not in answer():
    if time.monotonic() > deadline:
        sys.exit(1)
    time.sleep(0.02)
