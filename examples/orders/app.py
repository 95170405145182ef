"""Takes orders and logs each as a line of JSON; the standard library alone."""

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/health":
            return self.answer(200, {"status": "ok"})
        self.answer(200, {"revision": os.environ.get("CONTAINER_APP_REVISION", ""), "mode": os.environ.get("MODE", "")})

    def do_POST(self):
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print(json.dumps({"event": "order", "id": order["id"]}), flush=True)
        self.answer(201, {"id": order["id"]})

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False  # requests under way are finished


def main():
    server = Server(("0.0.0.0", int(os.environ.get("PORT", "8000"))), Handler)
    # Azure sends SIGTERM once no new request comes, and waits for the end.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(json.dumps({"event": "listening", "python": sys.version.split()[0]}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
