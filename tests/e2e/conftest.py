"""The real process on a company's folder: nothing in it is faked but where a test says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.programs import missing
from tests.e2e.company import Company
from tests.e2e.desk import Desk, open_desk


@pytest.fixture(autouse=True)
def _can_be_played() -> None:
    """Everything here plays with processes as Linux has them."""
    if reason := missing(("setpriv",)):
        pytest.skip(reason)
    pytest.importorskip("ansible", reason="not installed: ansible-core")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company that has not written anything yet: call `found`."""
    return Company(folder=tmp_path)


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    """A ticketing tool beside it."""
    async with open_desk() as opened:
        yield opened
