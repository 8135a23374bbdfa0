"""Objectives as YAML on standard input, rules for Prometheus on standard output.

`python -m tests.bench.slo_rules [--period 28d] [--windows FILE]`: the very command that operators
use, for programs that compare rules with those of others.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from agent.cli.slo import STANDARD_INPUT, rules
from agent.errors import ConfigError


def main() -> int:
    """Print the rules; what is wrong goes to standard error."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--period", default="30d")
    parser.add_argument("--windows", type=Path)
    asked = parser.parse_args()
    try:
        return rules([STANDARD_INPUT], period=asked.period, windows=asked.windows)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
