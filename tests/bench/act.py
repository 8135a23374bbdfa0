"""`make bench-act`: our own time from an alert to the start of Ansible, beside Ansible's own.

One alert at a time on an agent at rest, from just before its POST is sent to the moment at which
the process of `ansible-playbook` was there, as the agent's log stamps it. Beside it: how long
`ansible-playbook --version` takes, which does nothing but start. Tries alternate.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench import baselines
from tests.bench.cases.latency import Running, touch_by_watchkeeper
from tests.bench.contenders import watchkeeper_touching
from tests.bench.figures import percentile
from tests.bench.servers import Unavailable

LIMIT_MS = 150.0
TRIES = 40
WARM_UPS = 3
REST_S_MAX = 5.0


def main() -> int:
    """Print the figures; 1 where the limit is missed, 2 where nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.act", description=__doc__)
    parser.add_argument("--tries", type=int, default=TRIES)
    tries: int = parser.parse_args().tries
    baselines.CACHE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="act-", dir=baselines.CACHE))
    load = os.getloadavg()[0]
    try:
        ours, plain = _measure(folder, tries)
    except Unavailable as reason:
        print(f"bench-act: {reason}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    p50, p99 = percentile(0.5), percentile(0.99)
    met = p50(ours) < LIMIT_MS
    print(f"load average {load:.1f}, {len(ours)} tries")
    print(f"alert to ansible-playbook started: p50 {p50(ours):.0f} ms, p99 {p99(ours):.0f} ms")
    print(f"plain ansible-playbook --version:  p50 {p50(plain):.0f} ms, p99 {p99(plain):.0f} ms")
    print(f"ratio of the medians: {p50(ours) / p50(plain):.2f}")
    print(f"limit of {LIMIT_MS:.0f} ms at rest: {'met' if met else 'missed'}")
    return 0 if met else 1


def _measure(folder: Path, tries: int) -> tuple[list[float], list[float]]:
    ours: list[float] = []
    plain: list[float] = []
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "--version"]
    with ExitStack() as stack:
        contender = watchkeeper_touching()
        server = stack.enter_context(contender.start(folder))
        server.settle()
        running = Running(contender, server)
        for number in range(tries + WARM_UPS):
            server.forget_lines()
            stamped = touch_by_watchkeeper(running, number)["stamped_ms"]
            server.settle(within_s=REST_S_MAX)
            began = time.monotonic()
            subprocess.run(command, check=True, capture_output=True)
            took = 1000 * (time.monotonic() - began)
            if number >= WARM_UPS:
                ours.append(stamped)
                plain.append(took)
    return ours, plain


if __name__ == "__main__":
    sys.exit(main())
