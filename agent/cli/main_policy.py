"""The commands of `watchkeeper policy` and `watchkeeper standard`."""

from typing import Annotated

import typer

from agent.cli.options import URL_DEFAULT, Json, Token, Url

policy_app = typer.Typer(no_args_is_help=True, help="Why policy says yes, no, or not yet.")
standard_app = typer.Typer(no_args_is_help=True, help="Pre-authorised changes.")


@policy_app.command("explain")
def policy_explain(
    identifier: Annotated[str, typer.Argument(help="CHG-7")],
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Every check of a change with its answer, its risk, and what is in its way."""
    from agent.cli.policy import explain as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), identifier, as_json=as_json))


@policy_app.command("what-if")
def policy_what_if(
    remediation: Annotated[str, typer.Option("--remediation", help="Name of a remediation.")],
    entity: Annotated[str, typer.Option("--entity", help="Reference of the target.")],
    type: Annotated[
        str | None, typer.Option("--type", help="standard, normal or emergency.")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME=VALUE", help="May be repeated."),
    ] = None,
    incident: Annotated[str | None, typer.Option("--incident", help="INC-7")] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="A moment to come: 2026-12-24T18:00:00Z.")
    ] = None,
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """What the running agent would say to a request; nothing is asked for."""
    from agent.cli.policy import what_if as run
    from agent.cli.remote import Remote

    wanted = {
        "remediation": remediation,
        "entity": entity,
        "type": type,
        "incident": incident,
        "at": at,
    }
    raise typer.Exit(run(Remote(url, token), wanted, parameters or [], as_json=as_json))


@standard_app.command("list")
def standard_list(url: Url = URL_DEFAULT, token: Token = None, as_json: Json = False) -> None:
    """All templates: what they cover, until when, how often still, and what went wrong."""
    from agent.cli.policy import standard as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), as_json=as_json))


@standard_app.command("reinstate")
def standard_reinstate(
    name: Annotated[str, typer.Argument(help="Name of the template.")],
    note: Annotated[str, typer.Option("--note", help="Why it may be trusted again.")] = "",
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Put a withdrawn template into force again; its failures are forgotten."""
    from agent.cli.policy import reinstate as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), name, note=note))
