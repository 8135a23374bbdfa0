"""A fork server: imports the modules it is told, makes ready, then waits to be one process ahead.

A program of its own, started by path and without knowledge of what it preloads: modules and the
function to call are named by its starter. Every request is a datagram of JSON with one file
descriptor; the answer to it is a child process in fresh state. Not here: what the child does.
"""

import argparse
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence

REQUEST_BYTES_MAX = 160_000
TAG_BYTES = 128
"""A child writes its tag over this much space in the environment that the kernel shows."""


def main(argv: Sequence[str] | None = None) -> None:
    """Preload, say so, then serve until the other end of the socket is closed."""
    options = _options(argv)
    os.umask(0o077)
    sys.path[:0] = options.path
    missing = [name for name in options.preload if not _is_imported(name)]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=options.socket) as requests:
        # Said before the rest is done: who starts us need not wait, a request of his will.
        requests.send(json.dumps({"ready": os.getpid(), "missing": missing}).encode())
        for name in options.prime:
            _do(name)
        # Without it every child would copy the pages that the collector's counters live in.
        gc.collect()
        gc.freeze()
        _serve(requests, options.tag)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--tag", required=True, help="name of the variable that marks a child")
    parser.add_argument("--path", action="append", default=[])
    parser.add_argument("--preload", action="append", default=[])
    parser.add_argument("--prime", action="append", default=[], help="module:function to call")
    return parser.parse_args(argv)


def _is_imported(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _do(name: str) -> None:
    module, _, function = name.partition(":")
    try:
        getattr(importlib.import_module(module), function)()
    except (ImportError, AttributeError, KeyError, TypeError):
        # Only time is lost: each child does it for itself.
        traceback.print_exc()


def _serve(requests: socket.socket, tag: str) -> None:
    closed = select.poll()
    closed.register(requests, select.POLLHUP)
    while not closed.poll(0):
        # One child always waits ahead: forking after a request came costs the run its time.
        waiting, taken = os.pipe()
        if os.fork() == 0:
            os.close(waiting)
            _wait(requests, taken, tag)
        os.close(taken)
        os.read(waiting, 1)
        os.close(waiting)


def _wait(requests: socket.socket, taken: int, tag: str) -> None:
    request, descriptors, _, _ = socket.recv_fds(requests, REQUEST_BYTES_MAX, 1)
    os.close(taken)
    requests.close()
    if not request:
        os._exit(0)
    _become(json.loads(request), descriptors[0], tag)


def _become(request: dict[str, str], descriptor: int, tag: str) -> None:
    status = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _mark(tag, request["tag"])
        module, _, function = request["call"].partition(":")
        getattr(importlib.import_module(module), function)(descriptor, request["order"])
        status = 0
    finally:
        # A child must never return into the server's loop, whatever was raised.
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        os._exit(status)


def _mark(name: str, value: str) -> None:
    # A forked child shows its parent's environment in /proc, however it changes its own: only
    # bytes written where the kernel looks make it recognisable before it executes anything.
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    address = libc.getenv(name.encode())
    tag = value.encode()
    if address is None or len(tag) > TAG_BYTES:
        raise ValueError(f"no room for the tag {value!r}")
    ctypes.memmove(address, tag.ljust(TAG_BYTES, b"\0"), TAG_BYTES)
    os.environ[name] = value


if __name__ == "__main__":
    main()
