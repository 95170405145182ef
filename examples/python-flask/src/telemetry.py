"""Requests and exceptions to Application Insights, with the standard library alone.

A real app would call configure_azure_monitor() of azure-monitor-opentelemetry
here; this example has no more requirements than Flask, so it posts the same
envelopes itself. As in many apps, it is off unless TELEMETRY_MODE is "advanced"
and there is a connection string.
"""

import atexit
import json
import logging
import os
import queue
import socket
import threading
import time
import traceback
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timezone

from flask import g, request

MODE = "TELEMETRY_MODE"
CONNECTION_STRING = "APPLICATIONINSIGHTS_CONNECTION_STRING"

BATCH = 100  # envelopes sent at once
WAITING = 1000  # envelopes kept; more are dropped and counted
ATTEMPTS = 8

log = logging.getLogger("telemetry")


def setup(app):
    """Follows the app's requests, if the environment asks for it."""
    mode = os.environ.get(MODE, "basic")
    settings = parse(os.environ.get(CONNECTION_STRING, ""))
    if mode != "advanced" or "instrumentationkey" not in settings:
        log.info("telemetry is off: %s is %s, the connection string is %s", MODE, mode, "set" if settings else "not set")
        return
    exporter = Exporter(settings)
    app.before_request(begin)
    app.after_request(exporter.end)
    app.teardown_request(exporter.failed)


def parse(connection_string):
    pairs = (part.split("=", 1) for part in connection_string.split(";") if "=" in part)
    return {key.strip().lower(): value.strip() for key, value in pairs}


def begin():
    g.began, g.span = time.time(), uuid.uuid4().hex[:16]
    # traceparent is version-trace-parent-flags; the edge sends it on.
    parts = request.headers.get("traceparent", "").split("-")
    g.trace, g.parent = (parts[1], parts[2]) if len(parts) == 4 else (uuid.uuid4().hex, "")


class Exporter:
    """Sends envelopes from a thread of its own, which no request waits for."""

    def __init__(self, settings):
        self.key = settings["instrumentationkey"]
        self.url = settings.get("ingestionendpoint", "https://dc.services.visualstudio.com").rstrip("/") + "/v2.1/track"
        self.waiting, self.dropped = queue.Queue(WAITING), 0
        self.started, self.thread = threading.Lock(), None
        atexit.register(self.close)

    def end(self, response):
        route = request.url_rule.rule if request.url_rule else request.path
        data = {
            "ver": 2,
            "id": g.span,
            "name": f"{request.method} {route}",
            "url": request.url,
            "duration": duration(time.time() - g.began),
            "responseCode": str(response.status_code),
            "success": response.status_code < 400,
        }
        self.send("Request", "RequestData", data, parent=g.parent, at=g.began)
        return response

    def failed(self, exception):
        if exception is None:
            return
        details = {
            "typeName": type(exception).__name__,
            "message": str(exception) or type(exception).__name__,
            "hasFullStack": True,
            "stack": "".join(traceback.format_exception(exception)),
        }
        self.send("Exception", "ExceptionData", {"ver": 2, "exceptions": [details], "severityLevel": 3}, parent=g.span, at=time.time())

    def send(self, name, kind, data, parent, at):
        # A thread does not survive the fork of a worker, so each starts its own.
        with self.started:
            if self.thread is None:
                self.thread = threading.Thread(target=self.run, daemon=True)
                self.thread.start()
        try:
            self.waiting.put_nowait(
                {
                    "name": "Microsoft.ApplicationInsights." + name,
                    "time": datetime.fromtimestamp(at, timezone.utc).isoformat(),
                    "iKey": self.key,
                    "tags": {
                        "ai.cloud.role": os.environ.get("CONTAINER_APP_NAME", "python-flask"),
                        "ai.cloud.roleInstance": socket.gethostname(),
                        "ai.internal.sdkVersion": "py-example:1",
                        "ai.operation.id": g.trace,
                        "ai.operation.parentId": parent,
                        "ai.operation.name": f"{request.method} {request.path}",
                    },
                    "data": {"baseType": kind, "baseData": data},
                }
            )
        except queue.Full:
            self.dropped += 1

    def run(self):
        while True:
            batch = [self.waiting.get()]
            while len(batch) < BATCH and not self.waiting.empty():
                batch.append(self.waiting.get())
            if batch[-1] is not None:
                self.post(batch)
                continue
            if len(batch) > 1:
                self.post(batch[:-1])
            return

    def post(self, batch):
        body = json.dumps(batch).encode()
        headers = {"Content-Type": "application/json"}
        for attempt in range(ATTEMPTS):
            try:
                urllib.request.urlopen(urllib.request.Request(self.url, body, headers), timeout=10).close()
                return
            except urllib.error.HTTPError as error:
                if error.code not in (429, 500, 502, 503, 504):
                    log.warning("telemetry is refused: %s", error)
                    return
            except OSError as error:
                log.debug("telemetry does not get through: %s", error)
            time.sleep(min(2**attempt / 4, 10))
        log.warning("%d records of telemetry are lost: %s does not answer", len(batch), self.url)

    def close(self):
        if self.thread is None:
            return
        self.waiting.put(None)
        self.thread.join(timeout=5)
        if self.dropped:
            log.warning("%d records of telemetry were dropped", self.dropped)


def duration(seconds):
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    days, hours = divmod(hours, 24)
    return f"{days}.{hours:02d}:{minutes:02d}:{seconds:09.6f}"
