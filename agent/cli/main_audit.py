"""Commands for auditors: is the record whole, what does it show, is anything outside of it."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import URL_DEFAULT, Config, Data, Json, Token, Url

app = typer.Typer(help="For auditors: check the record, prove, export.", no_args_is_help=True)

Checkpoints = Annotated[
    list[Path] | None,
    typer.Option("--checkpoints", metavar="FILE", help="Kept outside; may be repeated."),
]
Key = Annotated[
    str | None,
    typer.Option("--key", metavar="NAME+HASH+KEY", help="As it was noted; default: the folder's."),
]
Size = Annotated[int | None, typer.Option("--size", help="Of which tree; default: today's.")]


@app.command()
def verify(
    config: Config = None,
    data: Data = None,
    checkpoints: Checkpoints = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Check the whole audit log against its checkpoints; show the first event that does not fit."""
    from agent.cli.audit import verify as run

    raise typer.Exit(
        run(config, data=data, checkpoints=checkpoints or [], key=key, as_json=as_json)
    )


@app.command()
def prove(
    number: Annotated[int | None, typer.Argument(help="Of an event, from 0.", min=0)] = None,
    older: Annotated[
        int | None, typer.Option("--from", help="Size of an older tree that this one goes on from.")
    ] = None,
    size: Size = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Print as JSON that an event is in the tree, or that an older tree is its beginning."""
    from agent.cli.audit import prove as run

    raise typer.Exit(run(config, data=data, number=number, older=older, size=size))


@app.command()
def export(
    target: Annotated[Path, typer.Argument(help="A new folder, or NAME.zip.")],
    with_names: Annotated[
        bool, typer.Option("--names/--without-names", help="Whom the commitments stand for.")
    ] = True,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write the log with everything that it takes to check it elsewhere, verifier included."""
    from agent.cli.audit import export as run

    raise typer.Exit(run(config, data=data, target=target, with_names=with_names, as_json=as_json))


@app.command()
def bundle(
    identifier: Annotated[str, typer.Argument(help="CHG-7")],
    output: Annotated[
        Path | None, typer.Option("--output", help="A new zip; default: CHG-7-evidence.zip.")
    ] = None,
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Everything about one change, with what proves it, in a zip."""
    from agent.cli.audit_bundle import bundle as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), identifier, output=output, as_json=as_json))


@app.command()
def population(
    period: Annotated[
        str, typer.Option("--period", help="2026-10, 2026-Q4, 2026-W41, 2026 or 30d.")
    ] = "30d",
    zone: Annotated[
        str, typer.Option("--zone", help="Whose calendar the period is of: Europe/Berlin.")
    ] = "UTC",
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets.")] = False,
) -> None:
    """Runs against changes, both ways, and changes against what was decided; 1 with findings."""
    from agent.cli.audit_population import population as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), period, zone, as_json=as_json, as_csv=as_csv))


@app.command()
def forget(
    name: Annotated[str, typer.Argument(help="Whose name is erased.")],
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Erase a person's name from the log, which stays in order."""
    from agent.cli.audit_forget import forget as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), name))
