"""Commands about what lies behind incidents: changes of others, problems, reviews."""

from typing import Annotated

import typer

from agent.cli.options import DO, URL_DEFAULT, Json, Token, Url

app = typer.Typer()


@app.command()
def reported(
    identifier: Annotated[str | None, typer.Argument(help="REP-7; default: the last ones.")] = None,
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Changes that others made, as their tools told us, or one of them."""
    from agent.cli.remote import Remote
    from agent.cli.reported import reported as run

    raise typer.Exit(run(Remote(url, token), identifier, as_json=as_json))


@app.command()
def problem(
    identifier: Annotated[str | None, typer.Argument(help="PRB-7; default: all.")] = None,
    move: Annotated[
        str | None,
        typer.Option("--move", metavar="STATE", help="Where it goes.", rich_help_panel=DO),
    ] = None,
    known_error: Annotated[
        str | None,
        typer.Option("--known-error", metavar="CAUSE", help="Why it happens.", rich_help_panel=DO),
    ] = None,
    workaround: Annotated[
        str,
        typer.Option("--workaround", help="What helps until it is mended.", rich_help_panel=DO),
    ] = "",
    remediation: Annotated[
        str | None,
        typer.Option("--remediation", metavar="NAME", help="Which helps.", rich_help_panel=DO),
    ] = None,
    fix: Annotated[
        str | None,
        typer.Option("--fix", metavar="CHANGE", help="CHG-7, or an address.", rich_help_panel=DO),
    ] = None,
    note: Annotated[
        str, typer.Option("--note", help="Why; to close it, what was learnt.", rich_help_panel=DO)
    ] = "",
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Problems by what they cost, or one of them; work on it with what stands below."""
    from agent.cli.problems import ProblemWork, problems
    from agent.cli.remote import Remote

    work = ProblemWork(
        move=move,
        known_error=known_error,
        workaround=workaround,
        remediation=remediation,
        fix=fix,
        note=note,
    )
    raise typer.Exit(problems(Remote(url, token), identifier, work, as_json=as_json))


@app.command()
def review(
    identifier: Annotated[str, typer.Argument(help="INC-7")],
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """The review of an incident, made from the journal: Markdown, or JSON for scripts."""
    from agent.cli import show
    from agent.cli.remote import Remote

    found = Remote(url, token).get(f"/api/v1/incidents/{identifier}/review")
    if as_json:
        raise typer.Exit(show.as_json(found["review"]))
    typer.echo(found["markdown"], nl=False)
