"""A real Redmine for tests."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.ticketing import Redmine, Ticketing, why_no_redmine

__all__ = ["Redmine", "redmine", "why_no_redmine"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redmine() -> AsyncIterator[Redmine]:
    """A Redmine of this test session; it boots once, in about ten seconds."""
    if reason := why_no_redmine():
        pytest.skip(reason)
    # not below pytest's own folder, which nobody else may enter
    folder = Path(tempfile.mkdtemp(prefix="redmine-"))
    try:
        async with Ticketing(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder)
