"""Third-party browser code: by lock file, by digest, never committed, never trusted unseen."""

import json
import shutil
from pathlib import Path

import pytest

from agent.web.assets import (
    CHECKOUT,
    STATIC,
    WANTED,
    AssetError,
    install,
    integrity_of,
    is_current,
    load_assets,
)


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """A static folder with one of our own files and one installed one."""
    folder = tmp_path / "static"
    (folder / "vendor").mkdir(parents=True)
    (folder / "console.css").write_text("body {}")
    (folder / "vendor" / "idiomorph.js").write_text("1;")
    entry = {"integrity": integrity_of(folder / "vendor" / "idiomorph.js")}
    manifest = {"lock": "x", "files": {"idiomorph.js": entry}}
    (folder / "vendor" / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_our_own_files_change_their_address_with_their_content(static: Path) -> None:
    """A browser that keeps them for a year still gets the new one."""
    before = load_assets(static).get("console.css")
    (static / "console.css").write_text("body { color: red }")
    after = load_assets(static).get("console.css")
    assert before is not None
    assert after is not None
    assert before.href != after.href


def test_an_installed_file_carries_the_digest_of_the_manifest(static: Path) -> None:
    """The browser refuses it when it is not what was installed."""
    asset = load_assets(static).get("idiomorph.js")
    assert asset is not None
    assert asset.integrity == integrity_of(static / "vendor" / "idiomorph.js")


def test_a_changed_file_is_left_out_of_pages(static: Path) -> None:
    """Who changes an installed file makes it disappear, not run."""
    (static / "vendor" / "idiomorph.js").write_text("evil()")
    assert load_assets(static).get("idiomorph.js") is None


def test_pages_do_without_what_was_never_installed(static: Path) -> None:
    """No vendor folder, no vendor files, no error."""
    shutil.rmtree(static / "vendor")
    assert load_assets(static).get("idiomorph.js") is None


def test_without_a_lock_file_nothing_is_installed(tmp_path: Path) -> None:
    """The packages are those of the lock file, or none."""
    with pytest.raises(AssetError, match=r"package-lock\.json is missing"):
        install(tmp_path, tmp_path / "static")


def test_the_lock_file_names_packages_by_digest_and_no_address() -> None:
    """Every package has its integrity, and no registry stands in a committed file."""
    text = (CHECKOUT / "package-lock.json").read_text("utf-8")
    packages = json.loads(text)["packages"]
    assert all("integrity" in entry for name, entry in packages.items() if name)
    assert "resolved" not in text
    assert {f"node_modules/{wanted.package}" for wanted in WANTED} == set(packages) - {""}


def test_what_is_installed_here_comes_from_the_lock_file_with_its_licence() -> None:
    """Set-up put every wanted file there, and NOTICE tells whose they are."""
    if not (STATIC / "vendor").exists():
        pytest.skip("browser code is not installed: python -m agent.web.assets")
    assert is_current()
    notice = (STATIC / "vendor" / "NOTICE").read_text("utf-8")
    assert all(wanted.package in notice for wanted in WANTED)
