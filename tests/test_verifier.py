"""Claims about the verifier: it knows what is in order, and finds whatever is not, alone."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import verifier
from agent.cli.audit import export
from agent.verifier import Broken, Checkpoint, Key, is_signed, open_checkpoint, split_notes, verify
from tests.runtime.audit.records import Log

RUN_S_MAX = 60
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39"
        "701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f36"
        "13d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7"
        "60984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)
"""RFC 8032, 7.1."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """Forty events under three checkpoints, none of them over the last ones."""
    made = Log(tmp_path_factory.mktemp("log"))
    for count in (7, 9, 21):
        made.add(count)
    made.add(3, is_signed=False)
    return made


@pytest.fixture(scope="module")
def bodies(log: Log) -> tuple[bytes, ...]:
    """The texts of its events."""
    return tuple(log.bodies())


@pytest.fixture(scope="module")
def opened(log: Log) -> list[Checkpoint]:
    """Its checkpoints, with their signatures checked."""
    return [open_checkpoint(note, [log.signer.key]) for note in log.notes]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_the_standard(public: str, message: str, signature: str) -> None:
    """The published signatures are good, and with one bit changed they are not."""
    key, text, signed = map(bytes.fromhex, (public, message, signature))

    assert is_signed(key, text, signed)
    assert not is_signed(key, text + b"\x00", signed)
    assert not is_signed(key, text, signed[:-1] + bytes([signed[-1] ^ 1]))
    assert not is_signed(key, text, bytes([signed[0] ^ 1]) + signed[1:])


@settings(max_examples=10, deadline=None)
@given(message=st.binary(max_size=200), seed=st.binary(min_size=32, max_size=32))
def test_signatures_of_another_implementation(message: bytes, seed: bytes) -> None:
    """What a well-known library signs is good here."""
    private = Ed25519PrivateKey.from_private_bytes(seed)

    assert is_signed(private.public_key().public_bytes_raw(), message, private.sign(message))


def test_a_signature_cannot_be_bent() -> None:
    """The same signature with its scalar made longer is another text, and refused."""
    key, _, signature = VECTORS[0]
    signed = bytes.fromhex(signature)
    bent = int.from_bytes(signed[32:], "little") + verifier.L

    assert not is_signed(bytes.fromhex(key), b"", signed[:32] + bent.to_bytes(32, "little"))


def test_what_is_in_order_is_said_to_be(
    bodies: tuple[bytes, ...], opened: list[Checkpoint]
) -> None:
    """All events, all checkpoints, and how far they reach."""
    found = verify(bodies, opened)

    assert (40, 0, 3, 37) == (found.size, found.first, found.checkpoints, found.newest)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_is_found(
    bodies: tuple[bytes, ...], opened: list[Checkpoint], data: st.DataObject
) -> None:
    """Wherever a bit of an event that was signed is flipped, the place is named."""
    number = data.draw(st.integers(0, 36))
    place = data.draw(st.integers(0, len(bodies[number]) - 1))
    changed = bytearray(bodies[number])
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Broken, match="event"):
        verify([*bodies[:number], bytes(changed), *bodies[number + 1 :]], opened)


@pytest.mark.parametrize("number", [0, 1, 17, 36])
def test_a_dropped_event_is_found(
    bodies: tuple[bytes, ...], opened: list[Checkpoint], number: int
) -> None:
    """And it is said which."""
    with pytest.raises(Broken, match=f"event {number} is missing"):
        verify([*bodies[:number], *bodies[number + 1 :]], opened)


def test_swapped_and_inserted_events_are_found(
    bodies: tuple[bytes, ...], opened: list[Checkpoint]
) -> None:
    """Order is part of what was signed."""
    with pytest.raises(Broken, match="event 4 is missing"):
        verify([*bodies[:4], bodies[5], bodies[4], *bodies[6:]], opened)
    with pytest.raises(Broken, match="event 6 is missing"):
        verify([*bodies[:6], bodies[5], *bodies[6:]], opened)


def test_a_tail_that_was_cut_off_is_found(
    bodies: tuple[bytes, ...], opened: list[Checkpoint]
) -> None:
    """As far as a checkpoint reaches; what came after the last one nobody vouched for."""
    assert 37 == verify(bodies[:37], opened).size
    with pytest.raises(Broken, match="events from number 36 on are missing"):
        verify(bodies[:36], opened)


def test_a_log_written_anew_is_found(log: Log, opened: list[Checkpoint], tmp_path: Path) -> None:
    """With another key its checkpoints are not known; with its own it is not what was signed."""
    other = Log(tmp_path)
    other.add(37)
    with pytest.raises(Broken, match="signed by none"):
        open_checkpoint(other.notes[0], [log.signer.key])
    with pytest.raises(Broken, match="another root"):
        verify(other.bodies(), opened)


def test_a_checkpoint_with_another_text_is_found(log: Log) -> None:
    """Not one letter of what was signed can be changed, nor the signature."""
    note = log.notes[0]
    for changed in (
        note.replace("\n7\n", "\n8\n"),
        note.replace("at 2026", "at 2027"),
        note.replace("\n\n", "\nmore\n\n"),
        note[:-10] + "AAAAAAAA==",
    ):
        with pytest.raises(Broken):
            open_checkpoint(changed, [log.signer.key])


def test_a_file_of_notes_is_read_note_by_note(log: Log) -> None:
    """However many, with lines of nothing between them."""
    assert log.notes == list(split_notes("\n".join(log.notes)))
    assert log.notes == list(split_notes("\n\n" + "\n\n".join(log.notes) + "\n\n"))
    assert [] == list(split_notes("\n"))


def test_a_key_is_what_it_says() -> None:
    """A key whose hash is not its own was mistyped, or changed."""
    content = base64.b64encode(b"\x01" + bytes(32)).decode()
    with pytest.raises(Broken, match="the key says hash"):
        Key.parse(f"log+00000000+{content}")
    with pytest.raises(Broken, match="not one of Ed25519"):
        Key.parse("log+00000000+AAAA")


def test_checkpoints_of_what_was_let_go_are_no_mistake(
    bodies: tuple[bytes, ...], opened: list[Checkpoint]
) -> None:
    """They are counted as too old; the others still hold."""
    tree = verifier.Growing()
    for body in bodies[:8]:
        tree.add(verifier.leaf_hash(body))
    found = verify(bodies[8:], opened, first=8, subtrees=[tree.root()])

    assert (40, 8, 2, 1) == (found.size, found.first, found.checkpoints, found.too_old)
    with pytest.raises(Broken, match="another root"):
        verify(bodies[8:], opened, first=8, subtrees=[bytes(32)])


def test_it_works_alone(log: Log, tmp_path: Path) -> None:
    """The exported file checks the export with nothing but Python, and its code says the result."""
    outside = tmp_path / "outside.txt"
    outside.write_text("\n".join(log.notes[:2]))
    folder = tmp_path / "export"
    export(None, data=log.folder, target=folder, with_names=True, as_json=True)

    good = alone(folder, "--checkpoints", outside, "--key", log.signer.verifier_key)
    assert (0, "40 events are in order") == (good.returncode, good.stdout[:22])
    events = (folder / "events.jsonl").read_bytes()
    (folder / "events.jsonl").write_bytes(events.replace(b"INC-12", b"INC-13"))
    bad = alone(folder)
    assert (1, "NOT IN ORDER: event 13") == (bad.returncode, bad.stderr[:22])
    (folder / "events.jsonl").unlink()
    assert 2 == alone(folder).returncode


def test_a_whole_export_written_anew_is_found_from_outside(log: Log, tmp_path: Path) -> None:
    """It fits together in itself; the checkpoints and the key kept outside say that it is false."""
    other = Log(tmp_path)
    other.add(40)
    folder, outside = tmp_path / "export", tmp_path / "outside.txt"
    outside.write_text("\n".join(log.notes))
    export(None, data=other.folder, target=folder, with_names=False, as_json=True)

    assert 0 == alone(folder).returncode
    assert 1 == alone(folder, "--checkpoints", outside).returncode
    assert 1 == alone(folder, "--key", log.signer.verifier_key).returncode


def test_no_checkpoint_at_all_is_said() -> None:
    """Events that fit together prove nothing about their end."""
    found = verify([], [])

    assert "nothing shows that the end was not cut off" in verifier.told(found)
    with pytest.raises(Broken, match="speaks of 5 events"):
        verify([], [Checkpoint("log", 5, bytes(32))])


def alone(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The exported verifier, without any package and without our folder."""
    return subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            str(folder / "verify_audit.py"),
            str(folder),
            *map(str, words),
        ],
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
        cwd=folder,
        env={},
    )
