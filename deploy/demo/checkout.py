"""The smallest shop: its till works only while the shared redis answers.

Runs on a throw-away host behind nginx: `checkout.py PORT REDIS_PORT`. GET answers 200, or 503
with the cause. Standard library of the host's own Python only.
"""

import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOOPBACK = "127.0.0.1"
REDIS_ANSWER_S_MAX = 0.5
PORT, REDIS_PORT = int(sys.argv[1]), int(sys.argv[2])


def ping_redis() -> str:
    """What redis says to a PING, or the words of the failure."""
    try:
        with socket.create_connection((LOOPBACK, REDIS_PORT), REDIS_ANSWER_S_MAX) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).decode(errors="replace").strip()
    except OSError as error:
        return str(error)


class Till(BaseHTTPRequestHandler):
    """Answers whether one could pay now."""

    def do_GET(self) -> None:
        """200 while redis answers, else 503 and why."""
        said = ping_redis()
        is_open = said == "+PONG"
        body = ("open\n" if is_open else f"redis: {said}\n").encode()
        self.send_response(200 if is_open else 503)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer((LOOPBACK, PORT), Till).serve_forever()
