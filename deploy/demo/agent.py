"""The agent under demonstration: the real `watchkeeper serve` on its embedded default.

Its rules are those of this folder, with the addresses of the day filled in.
"""

import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.demo.programs import READY_S_MAX, Program, answers

HERE = Path(__file__).parent
REMEDIATIONS = HERE.parent.parent / "remediations"
COMMAND = Path(sys.executable).parent / "watchkeeper"
TOKEN = re.compile(r"\bwk_[A-Za-z0-9_-]+")


class Agent:
    """A running agent, from `async with` to its end.

    `address` is the HOST:PORT it shall have; `more_rules` are files beside the common ones;
    `filled_in` replaces words of the rules; `settings` stand in its config.yaml as they are.
    """

    def __init__(
        self,
        folder: Path,
        *,
        address: str,
        settings: Mapping[str, object],
        filled_in: Mapping[str, str],
        more_rules: Sequence[Path] = (),
        remediations: Path = REMEDIATIONS,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._filled_in = filled_in
        self._more_rules = more_rules
        self._remediations = remediations
        self._running = AsyncExitStack()
        self.address = address
        self.url = f"http://{address}"
        self.log = folder / "watchkeeper.log"

    async def __aenter__(self) -> Self:
        """Start it; raises NotReadyError."""
        settings = self._write_settings()
        async with AsyncExitStack() as starting:
            program = await Program.start(COMMAND, "serve", "--config", settings, log=self.log)
            starting.push_async_callback(program.stop)
            await program.until_ready(lambda: answers(f"{self.url}/-/ready"), limit_s=READY_S_MAX)
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        await self._running.aclose()

    def first_token(self) -> str | None:
        """The token that it printed at its first start: it may do everything."""
        found = TOKEN.search(self.log.read_text(errors="replace"))
        return found.group() if found else None

    def _write_settings(self) -> Path:
        rules = self._folder / "rules"
        shutil.copytree(HERE / "rules", rules)
        for path in self._more_rules:
            shutil.copy(path, rules)
        for path in sorted(rules.rglob("*.yaml")):
            path.write_text(_filled_in(path.read_text(), self._filled_in))
        settings = {
            "listen": self.address,
            "data": str(self._folder / "data"),
            "rules": str(rules),
            "remediations": str(self._remediations),
            **self._settings,
        }
        path = self._folder / "config.yaml"
        path.write_text(json.dumps(settings, indent=1))
        return path


def _filled_in(text: str, words: Mapping[str, str]) -> str:
    for word, address in words.items():
        text = text.replace(word, address)
    return text
