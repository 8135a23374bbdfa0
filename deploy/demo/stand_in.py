"""A throw-away service with its keeper, for machines where no hosts can be made.

`stand_in.py KEEPER_PORT SERVICE_PORT`: the keeper is to the service what systemd is to a daemon.
GET says 200 while the service answers, else 503; POST /start, /stop and /restart do what they say.
The service is a process of its own that answers one line to whoever connects. Standard library
only, so that any Python can run it.
"""

import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

LOOPBACK = "127.0.0.1"
ANSWER_S_MAX = 1.0
START_S_MAX = 10.0
LOOK_AGAIN_S = 0.05
GREETING = b"at your service\n"

# It ends with its keeper, however that ends: then its standard input does.
SERVICE = """
import os, socket, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
    while True:
        listening.accept()[0].sendall(b"at your service\\n")
"""


class Service:
    """The process that is kept."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, if it does not run, and wait until it answers."""
        if self._process is None:
            command = [sys.executable, "-c", SERVICE, str(self._port)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE)
        deadline = time.monotonic() + START_S_MAX
        while not self.answers() and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_S)

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def answers(self) -> bool:
        """Whether it serves."""
        try:
            with socket.create_connection((LOOPBACK, self._port), ANSWER_S_MAX) as connection:
                connection.settimeout(ANSWER_S_MAX)
                return connection.recv(len(GREETING)) == GREETING
        except OSError:
            return False


class Keeper(BaseHTTPRequestHandler):
    """What one may ask of the keeper."""

    service = Service(int(sys.argv[2]) if len(sys.argv) > 2 else 0)

    def do_GET(self) -> None:
        """How it is."""
        self._answer()

    def do_POST(self) -> None:
        """Start, stop or restart it."""
        if self.path in ("/stop", "/restart"):
            self.service.stop()
        if self.path in ("/start", "/restart"):
            self.service.start()
        self._answer()

    def log_message(self, format: str, *arguments: object) -> None:
        """One line for each wish; looking is no event."""
        if self.command == "POST":
            print(self.path, flush=True)

    def _answer(self) -> None:
        is_up = self.service.answers()
        body = b"running\n" if is_up else b"stopped\n"
        asked_to_stop = self.command == "POST" and self.path == "/stop"
        self.send_response(200 if is_up or asked_to_stop else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Keep one service until this process ends."""
    Keeper.service.start()
    HTTPServer((LOOPBACK, int(sys.argv[1])), Keeper).serve_forever()


if __name__ == "__main__":
    main()
