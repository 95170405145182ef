"""A small web app for Azure Container Apps: Flask under Gunicorn.

It shows what the platform looks at: a health route for the probes, log lines on
stderr, one JSON object each, and a clean end on SIGTERM.
"""

import atexit
import json
import logging
import os
import platform
import sys
import time
from importlib.metadata import version

from flask import Flask, jsonify

import telemetry

LEVELS = ("debug", "info", "warning", "error", "critical")

# What the platform tells an app about itself; unset outside of it.
PLATFORM = (
    "CONTAINER_APP_NAME",
    "CONTAINER_APP_REVISION",
    "CONTAINER_APP_REPLICA_NAME",
    "CONTAINER_APP_HOSTNAME",
    "CONTAINER_APP_ENV_DNS_SUFFIX",
    "CONTAINER_APP_PORT",
)


class JSONFormatter(logging.Formatter):
    """Writes a record as one line of JSON, a traceback included."""

    converter = time.gmtime

    def format(self, record):
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure_logging():
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(
        level=os.environ.get("LOG_LEVEL", "DEBUG").upper(), handlers=[handler], force=True
    )


configure_logging()
log = logging.getLogger("app")
app = Flask(__name__)
telemetry.setup(app)


@app.get("/")
def index():
    log.info("hello")
    return jsonify(message="Hello from Flask on Azure Container Apps")


@app.get("/health")
def health():
    return jsonify(status="healthy")


@app.get("/info")
def info():
    return jsonify(
        python=platform.python_version(),
        flask=version("flask"),
        pid=os.getpid(),
        platform={name: os.environ.get(name) for name in PLATFORM},
    )


@app.get("/log-levels")
def log_levels():
    for level in LEVELS:
        log.log(getattr(logging, level.upper()), "this is a line at level %s", level)
    return jsonify(logged=LEVELS)


@app.get("/error")
def error():
    # Flask logs the traceback and answers 500.
    raise RuntimeError("this route always fails")


# Gunicorn ends its workers on SIGTERM once their requests are answered; this is
# the last that a worker says.
@atexit.register
def goodbye():
    log.info("worker %d is done", os.getpid())
