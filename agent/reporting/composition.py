"""How available a whole is, told exactly from its parts: shared parts count once.

A structure says when its top is down: gates over parts, parts shared between gates as they are on
a real map. The answer is exact, by an ordered decision diagram (Bryant 1986; Rauzy 1993 for fault
trees), not by the product of nines, which errs wherever a part stands behind two gates.

Not here: where chances come from (measured downtime), and how a service map becomes a structure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

NODES_MAX = 1_000_000
"""A diagram larger than this is refused: some structures have no small one."""

FALSE, TRUE = 0, 1


class Op(StrEnum):
    """When a gate is down, told from what it looks at."""

    OR = "or"
    """Any of them is down: a series of dependencies."""
    AND = "and"
    """All of them are: full redundancy."""
    AT_LEAST = "atleast"
    """At least k of them are: k-of-n redundancy."""
    NOT = "not"
    NAND = "nand"
    XOR = "xor"
    IFF = "iff"
    IMPLY = "imply"


@dataclass(frozen=True, slots=True)
class Gate:
    """A part of the structure that is down by what its arguments are: gates or parts, by name."""

    op: Op
    args: tuple[str, ...]
    k: int = 0
    """For `atleast` only."""


class StructureError(ValueError):
    """The structure is none: a circle, an unknown name, a chance outside 0..1, a wrong count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """When `top` is down, and the chance of each part to be down at a random moment."""

    top: str
    gates: Mapping[str, Gate]
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Weight:
    """What one part means for the top."""

    part: str
    importance: float
    """Birnbaum's: the chance that the top is down if the part is, less that if it is not."""
    is_single_point: bool
    """Whether its failure alone takes down the top while everything else is up."""


def chance_down(structure: Structure) -> float:
    """The exact chance that the top is down. Raises StructureError."""
    diagram = _Diagram(structure)
    return diagram.chance(diagram.top, structure.parts)


def weights(structure: Structure) -> tuple[Weight, ...]:
    """Every part that the top rests on, the most important first. Raises StructureError."""
    diagram = _Diagram(structure)
    nothing_down = dict.fromkeys(structure.parts, 0.0)
    found: list[Weight] = []
    for part in diagram.order:
        if_down = diagram.chance(diagram.top, {**structure.parts, part: 1.0})
        if_up = diagram.chance(diagram.top, {**structure.parts, part: 0.0})
        alone = diagram.chance(diagram.top, {**nothing_down, part: 1.0})
        found.append(Weight(part, if_down - if_up, alone == 1.0))
    return tuple(sorted(found, key=lambda weight: (-weight.importance, weight.part)))


class _Diagram:
    """The reduced ordered decision diagram of a structure; nodes are numbers, 0 false, 1 true."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self.order: dict[str, int] = {}
        """The parts in the order in which they are decided: as a walk from the top meets them."""
        self._nodes: list[tuple[int, int, int]] = [(-1, 0, 0), (-1, 1, 1)]
        self._known: dict[tuple[int, int, int], int] = {}
        self._chosen: dict[tuple[int, int, int], int] = {}
        for part, chance in structure.parts.items():
            if not 0.0 <= chance <= 1.0:
                raise StructureError(f"{part}: a chance is from 0 to 1, not {chance}")
        self.top = self._build()

    def chance(self, node: int, chances: Mapping[str, float]) -> float:
        """The chance that a node is true."""
        names = list(self.order)
        known: list[float] = [0.0, 1.0]
        # A node is made after those below it, so one pass over the list meets them in order.
        for variable, high, low in self._nodes[2 : node + 1]:
            chance = chances[names[variable]]
            known.append(chance * known[high] + (1.0 - chance) * known[low])
        return known[node]

    def _build(self) -> int:
        """The node of every gate, those below first; no recursion, a map may be deep."""
        done: dict[str, int] = {}
        open_: dict[str, None] = {}
        waiting = [self._structure.top]
        while waiting:
            name = waiting[-1]
            gate = self._structure.gates.get(name)
            if name in done:
                waiting.pop()
            elif gate is None:
                done[name] = self._part(name)
            elif missing := [arg for arg in gate.args if arg not in done]:
                if name in open_ and any(arg in open_ for arg in missing):
                    raise StructureError(f"{name} rests on itself")
                open_[name] = None
                waiting.extend(reversed(missing))
            else:
                open_.pop(name, None)
                done[name] = self._gate(name, gate, [done[arg] for arg in gate.args])
        return done[self._structure.top]

    def _part(self, name: str) -> int:
        if name not in self._structure.parts:
            raise StructureError(f"{name} is neither a gate nor a part")
        return self._node(self.order.setdefault(name, len(self.order)), TRUE, FALSE)

    def _gate(self, name: str, gate: Gate, args: list[int]) -> int:
        if not args:
            raise StructureError(f"{name} looks at nothing")
        match gate.op:
            case Op.OR:
                return self._fold(args, lambda one, other: self._choose(one, TRUE, other))
            case Op.AND:
                return self._fold(args, lambda one, other: self._choose(one, other, FALSE))
            case Op.NAND:
                both = self._fold(args, lambda one, other: self._choose(one, other, FALSE))
                return self._not(both)
            case Op.XOR:
                return self._fold(args, lambda a, b: self._choose(a, self._not(b), b))
            case Op.AT_LEAST:
                if not 0 < gate.k <= len(args):
                    raise StructureError(f"{name}: at least {gate.k} of {len(args)}")
                return self._at_least(args, gate.k)
        wanted = 1 if gate.op is Op.NOT else 2
        if len(args) != wanted:
            raise StructureError(f"{name}: {gate.op} looks at {wanted}, not at {len(args)}")
        if gate.op is Op.NOT:
            return self._not(args[0])
        one, other = args
        if gate.op is Op.IFF:
            return self._choose(one, other, self._not(other))
        return self._choose(one, other, TRUE)

    def _at_least(self, args: list[int], k: int) -> int:
        """Row by row: `held[j]` is true where at least j of those seen so far are."""
        held = [TRUE, *[FALSE] * k]
        for arg in args:
            for count in range(k, 0, -1):
                held[count] = self._choose(arg, held[count - 1], held[count])
        return held[k]

    def _fold(self, args: list[int], join: Callable[[int, int], int]) -> int:
        result = args[-1]
        for arg in reversed(args[:-1]):
            result = join(arg, result)
        return result

    def _not(self, node: int) -> int:
        return self._choose(node, FALSE, TRUE)

    def _choose(self, test: int, then: int, otherwise: int) -> int:
        """If-then-else of three nodes, with an explicit stack: diagrams are deeper than Python."""
        answers: list[int] = []
        stack: list[tuple[int, ...]] = [(test, then, otherwise)]
        while stack:
            task = stack.pop()
            if len(task) == 4:
                variable, *key = task
                low, high = answers.pop(), answers.pop()
                made = high if high == low else self._node(variable, high, low)
                self._chosen[key[0], key[1], key[2]] = made
                answers.append(made)
                continue
            test, then, otherwise = task
            settled = self._settled(test, then, otherwise)
            if settled is not None:
                answers.append(settled)
                continue
            variable = min(self._nodes[node][0] for node in (test, then, otherwise) if node > TRUE)
            stack.append((variable, test, then, otherwise))
            stack.append(tuple(self._branch(node, variable, False) for node in task))
            stack.append(tuple(self._branch(node, variable, True) for node in task))
        return answers[0]

    def _settled(self, test: int, then: int, otherwise: int) -> int | None:
        if test == TRUE or then == otherwise:
            return then
        if test == FALSE:
            return otherwise
        if then == TRUE and otherwise == FALSE:
            return test
        return self._chosen.get((test, then, otherwise))

    def _branch(self, node: int, variable: int, is_high: bool) -> int:
        own, high, low = self._nodes[node]
        if node <= TRUE or own != variable:
            return node
        return high if is_high else low

    def _node(self, variable: int, high: int, low: int) -> int:
        key = (variable, high, low)
        known = self._known.get(key)
        if known is None:
            if len(self._nodes) >= NODES_MAX:
                raise StructureError(f"its decision diagram has more than {NODES_MAX} nodes")
            self._known[key] = known = len(self._nodes)
            self._nodes.append(key)
        return known
