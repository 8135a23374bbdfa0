"""Commands about how far rules may go by themselves, and where automation has stopped."""

from typing import Annotated

import typer

from agent.cli.options import URL_DEFAULT, Json, Token, Url

app = typer.Typer(no_args_is_help=True, help="How far rules may go by themselves.")
breaker_app = typer.Typer(no_args_is_help=True, help="Where automation has stopped by itself.")

Note = Annotated[str, typer.Option("--note", help="Why.")]
Rule = Annotated[str, typer.Argument(metavar="RULE", help="Name of a remediation rule.")]
To = Annotated[str, typer.Option("--to", metavar="MODE", help="observe, suggest, approve or auto.")]


@app.command("show")
def show(
    rule: Annotated[str | None, typer.Argument(help="One rule; default: all.")] = None,
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """How far rules go, what they have shown, and what is missing for more."""
    from agent.cli.autonomy import show as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), rule, as_json=as_json))


@app.command("promote")
def promote(
    rule: Rule,
    to: To,
    binding: Annotated[
        str | None, typer.Option("--binding", help="What was looked at; default: ask.")
    ] = None,
    note: Note = "",
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Sign that a rule may go a step further."""
    from agent.cli.autonomy import promote as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), rule, to=to, binding=binding, note=note))


@app.command("demote")
def demote(
    rule: Rule, to: To, note: Note = "", url: Url = URL_DEFAULT, token: Token = None
) -> None:
    """Let a rule go no further than this."""
    from agent.cli.autonomy import demote as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), rule, to=to, note=note))


@app.command("take")
def take(
    incident: Annotated[str, typer.Argument(help="INC-7.")],
    case: Annotated[str, typer.Argument(help="CASE-3, as the incident names the proposal.")],
    note: Note = "",
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Take up what a rule suggests: it becomes your request, under policy."""
    from agent.cli.autonomy import take as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), incident, case, note=note))


@app.command("stop")
def stop(
    note: Annotated[str, typer.Option("--note", help="Why; needed.")],
    cancel: Annotated[
        bool, typer.Option("--cancel", help="End what rules have under way, too.")
    ] = False,
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Stop all rules: from now on they only suggest."""
    from agent.cli.autonomy import stop as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), note=note, cancel=cancel))


@app.command("resume")
def resume(
    note: Annotated[str, typer.Option("--note", help="Why; needed.")],
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Let rules go as far as they may again."""
    from agent.cli.autonomy import resume as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), note=note))


@breaker_app.command("list")
def list_breakers(url: Url = URL_DEFAULT, token: Token = None, as_json: Json = False) -> None:
    """Where automation has stopped until a person resets it."""
    from agent.cli.autonomy import breakers as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), as_json=as_json))


@breaker_app.command("reset")
def reset_breaker(
    breaker: Annotated[str, typer.Argument(help="As the list names it.")],
    note: Note = "",
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Let automation try again there, with its attempts counted anew."""
    from agent.cli.autonomy import reset as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), breaker, note=note))
