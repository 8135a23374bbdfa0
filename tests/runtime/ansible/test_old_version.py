"""What holds with the newest Ansible holds with an old one: it is played there once more."""

import subprocess
from pathlib import Path

import pytest

VERSION = "2.17"
ROOT = Path(__file__).parents[3]
HERE = "tests/runtime/ansible"
PLAYED = (
    f"{HERE}/test_hostile_input.py::test_no_value_is_ever_evaluated",
    f"{HERE}/test_hostile_input.py::test_hosts_outside_the_inventory_are_not_played",
    f"{HERE}/test_preview.py",
    f"{HERE}/test_contents.py",
    f"{HERE}/test_ending.py::test_a_cancelled_run_is_over",
    f"{HERE}/test_ending.py::test_a_run_past_its_time_is_over",
    f"{HERE}/test_ending.py::test_a_run_does_not_outlive_the_agent",
    f"{HERE}/test_ending.py::test_a_run_whose_supervisor_was_killed_is_unknown_and_over",
    f"{HERE}/test_primed.py",
)
PLAYED_S_MAX = 240


def test_an_old_ansible_is_as_safe(old_python: Path) -> None:
    """Hostile values, previews, digests and ends, by the same tests, with ansible-core 2.17."""
    found = subprocess.run(
        [old_python, "-c", "import importlib.metadata as m; print(m.version('ansible-core'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    done = subprocess.run(
        [old_python, "-m", "pytest", "-q", *PLAYED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PLAYED_S_MAX,
    )

    assert found.startswith(f"{VERSION}.")
    assert 0 == done.returncode, done.stdout[-4000:]


@pytest.fixture(scope="module")
def old_python() -> Path:
    from tests.bench.servers import Unavailable
    from tests.servers.old_ansible import old_ansible

    try:
        return old_ansible(VERSION)
    except Unavailable as reason:
        pytest.skip(str(reason))
