"""Claims about the tree: it is that of RFC 6962, and its proofs convince who knows only those."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import verifier
from agent.runtime.audit.merkle import (
    EMPTY_ROOT,
    Hash,
    consistency,
    full_subtrees,
    grown,
    inclusion,
    leaf_hash,
    root,
)

LEAVES = tuple(
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The reference trees of Certificate Transparency, by their number of leaves."""


class Nodes:
    """A tree in memory."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._nodes: dict[tuple[int, int], Hash] = {}
        for number, leaf in enumerate(leaves):
            for level, position, digest in grown(number, leaf_hash(leaf), self.read):
                self._nodes[level, position] = digest

    def read(self, level: int, position: int) -> Hash:
        return self._nodes[level, position]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference(size: int) -> None:
    """Whoever else builds the tree of RFC 6962 over these leaves gets the same heads."""
    nodes = Nodes(list(LEAVES))

    assert ROOTS[size] == root(size, nodes.read).hex()
    assert EMPTY_ROOT.hex() == ROOTS[0]


def test_the_path_of_the_reference() -> None:
    """The audit path of leaf 5 in the tree of 8, as the reference prints it."""
    path = inclusion(5, 8, Nodes(list(LEAVES)).read)

    assert [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ] == [each.hex() for each in path]


@given(size=st.integers(1, 300), data=st.data())
def test_every_event_can_be_proved_and_no_other(size: int, data: st.DataObject) -> None:
    """The path leads from the leaf to the root, and from any other leaf elsewhere."""
    nodes = Nodes([b"%d" % number for number in range(size)])
    index = data.draw(st.integers(0, size - 1))
    path = inclusion(index, size, nodes.read)
    head = root(size, nodes.read)

    assert head == verifier.root_by_inclusion(leaf_hash(b"%d" % index), index, size, path)
    assert head != verifier.root_by_inclusion(leaf_hash(b"else"), index, size, path)


@given(size=st.integers(1, 300), data=st.data())
def test_every_beginning_can_be_proved_and_no_other(size: int, data: st.DataObject) -> None:
    """An older head convinces as the beginning of this one; a changed one does not."""
    nodes = Nodes([b"%d" % number for number in range(size)])
    older = data.draw(st.integers(1, size))
    path = consistency(older, size, nodes.read)
    old_root, head = root(older, nodes.read), root(size, nodes.read)

    verifier.check_consistency(older, old_root, size, head, path)
    with pytest.raises(verifier.Broken):
        verifier.check_consistency(older, leaf_hash(old_root), size, head, path)


@given(first=st.integers(0, 200), more=st.integers(0, 60))
def test_a_tree_goes_on_from_its_full_subtrees(first: int, more: int) -> None:
    """What stands for events that are gone is enough to work out every later head."""
    nodes = Nodes([b"%d" % number for number in range(first + more)])
    tree = verifier.Growing(first, full_subtrees(first, nodes.read))
    for number in range(first, first + more):
        tree.add(leaf_hash(b"%d" % number))

    assert root(first + more, nodes.read) == tree.root()
