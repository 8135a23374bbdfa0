"""The commands of `watchkeeper rules`. What they do stands in a file of each its own."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Rules that others wrote, as rules of ours.")


@app.command("import-rulebook")
def rules_import_rulebook(
    file: Annotated[Path, typer.Argument(help="A rulebook of ansible-rulebook.")],
    author: Annotated[
        str, typer.Option("--author", help="Who answers for the rules; may not approve them.")
    ],
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="PLAYBOOK=REMEDIATION",
            help="Which remediation a playbook is here; may be repeated.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FOLDER", help="Write there; default: only print."),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take over what can be, though not all can.")
    ] = False,
) -> None:
    """Take over a rulebook: what means the same here, and the rest told with its place."""
    from agent.cli.import_rulebook import import_rulebook as run

    raise typer.Exit(run(file, author=author, maps=maps or [], output=output, takes_part=partial))
