"""`watchkeeper test`: scenarios played against the rule set, and what was not as expected."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from agent.cli import show
from agent.cli.junit import write_junit
from agent.config.load import load_config, load_settings
from agent.errors import PermanentError
from agent.sim.scenario import ScenarioResult, run_scenarios


def test(
    config: Path | None,
    files: Sequence[Path],
    *,
    as_json: bool,
    junit: Path | None = None,
    with_coverage: bool = False,
) -> int:
    """Play them and print how each went; 1 where something was not as expected."""
    settings = load_settings(config)
    if settings.rules is None:
        raise PermanentError(
            "there is no rule set to play against; name the config.yaml that has one with --config"
        )
    folder = settings.rules / "tests"
    chosen = list(files) or sorted(folder.rglob("*.yaml"))
    missing = [file for file in chosen if not file.is_file()]
    if missing:
        raise PermanentError(f"there is no scenario file {missing[0]}")
    if not chosen:
        raise PermanentError(f"there are no scenarios in {folder}; name a file, or write one there")
    results = run_scenarios(partial(load_config, settings), chosen)
    failed = [result for result in results if not result.has_passed]
    if junit is not None:
        write_junit(junit, results)
    if as_json:
        show.as_json([{**asdict(each), "has_passed": each.has_passed} for each in results])
    else:
        _tell(results, failed)
        if with_coverage:
            _tell_coverage(results)
    return 1 if failed else 0


def _tell(results: Sequence[ScenarioResult], failed: Sequence[ScenarioResult]) -> None:
    out = show.console()
    for result in results:
        word, style = ("ok", "green") if result.has_passed else ("FAILED", "bold red")
        line = show.text(f"{word:<7}", style)
        out.print(line.append_text(show.text(f"{result.name}: {result.about}")))
        if result.has_passed:
            continue
        for failure in result.failures:
            out.print(show.text(f"        {failure}"), soft_wrap=True)
        out.print("        What the rule set did:")
        for step in result.timeline:
            out.print(show.text(f"          {step}", "dim"), soft_wrap=True)
    out.print(f"{len(results)} scenarios, {len(failed)} failed")


def _tell_coverage(results: Sequence[ScenarioResult]) -> None:
    """Which rules no scenario made hold."""
    out = show.console()
    rules = dict.fromkeys(rule for result in results for rule in result.rules)
    held = {rule for result in results for rule in result.held}
    for rule in rules:
        if rule not in held:
            out.print(show.text(f"never held: {rule}"), soft_wrap=True)
    out.print(f"{sum(rule in held for rule in rules)} of {len(rules)} rules held at least once")
