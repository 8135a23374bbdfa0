"""The distribution's Chromium, for tests that look at pages."""

import pytest

from deploy.demo.programs import find


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium executable."""
    found = find("chromium") or find("chromium-browser")
    if found is None:
        pytest.skip("not installed: chromium")
    return found
