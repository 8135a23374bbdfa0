"""`python -m tests.bench.correlation FOLDER --out FILE`: what the agent makes of a stream.

With `--variants` the stream is drawn anew in several ways, and the scores of all are printed.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.bench.correlation.replay import replay
from tests.bench.correlation.stream import read_stream


def main() -> int:
    """Write the incidents, or print the table of scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="topology.json and alerts.jsonl")
    parser.add_argument("--out", type=Path, help="one incident a line")
    parser.add_argument("--variants", action="store_true", help="needs truth.json")
    parser.add_argument("--seeds", type=int, default=3, help="draws of each variant")
    parser.add_argument("--only", default="", help="variants with this in their name")
    options = parser.parse_args()
    if options.variants:
        from tests.bench.correlation.variants import table

        print(table(options.folder, options.seeds, options.only))
    if options.out:
        told = replay(read_stream(options.folder))
        options.out.write_text("".join(json.dumps(asdict(one)) + "\n" for one in told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
