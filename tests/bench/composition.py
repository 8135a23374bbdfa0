"""Composed availability of structures on standard input: a line of JSON each, a number each back.

`python -m tests.bench.composition < structures.jsonl`, with lines
`{"top": name, "gates": {name: {"op", "k", "args"}}, "basic": {part: chance to be down}}`;
the answer is the exact chance that the top is down, or the word `error`.
"""

import json
import sys

from agent.reporting.composition import Gate, Op, Structure, StructureError, chance_down


def answer(line: str) -> str:
    """One line of the answer for one line asked."""
    asked = json.loads(line)
    try:
        gates = {
            name: Gate(Op(gate["op"]), tuple(gate["args"]), gate["k"])
            for name, gate in asked["gates"].items()
        }
        structure = Structure(top=asked["top"], gates=gates, parts=asked["basic"])
        return repr(chance_down(structure))
    except StructureError:
        return "error"


if __name__ == "__main__":
    for each in sys.stdin:
        print(answer(each), flush=True)
