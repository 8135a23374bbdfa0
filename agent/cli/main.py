"""The command line: which commands there are. What they do stands in a file of each its own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent import __version__
from agent.cli.main_approvals import app as approval_commands
from agent.cli.main_audit import app as audit_commands
from agent.cli.main_autonomy import app as autonomy_commands
from agent.cli.main_autonomy import breaker_app as breaker_commands
from agent.cli.main_calendar import app as calendar_commands
from agent.cli.main_incidents import app as incident_commands
from agent.cli.main_map import app as map_commands
from agent.cli.main_policy import policy_app, standard_app
from agent.cli.main_problems import app as problem_commands
from agent.cli.main_reports import app as report_commands
from agent.cli.main_rules import app as rule_commands
from agent.cli.main_slo import app as slo_commands
from agent.cli.options import (
    ASK,
    DO,
    URL_DEFAULT,
    Config,
    Data,
    Json,
    NotAfter,
    NotBefore,
    Retro,
    Reviews,
    Token,
    Url,
)
from agent.errors import AgentError, ConfigError
from agent.sim.shadow.assume import Assume

app = typer.Typer(
    name="watchkeeper",
    help="Takes the watch over a company's services: alerts to incidents to remediations "
    "under change policy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def serve(
    config: Config = None,
    listen: Annotated[
        str | None, typer.Option("--listen", help="HOST:PORT; default 127.0.0.1:8060.")
    ] = None,
    data: Data = None,
) -> None:
    """Take up the watch. Works without any configuration."""
    from agent.cli.serve import serve as run

    raise typer.Exit(run(config, listen=listen, data=data))


@app.command()
def check(config: Config = None, as_json: Json = False) -> None:
    """Check everything that operators write; all findings at once, with place and way out."""
    from agent.cli.check import check as run

    raise typer.Exit(run(config, as_json=as_json))


@app.command()
def test(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files; default: rules/tests.")
    ] = None,
    config: Config = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the results there too.")
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Name the rules that no scenario made hold.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Play scenarios against the rule set: what would it do?"""
    from agent.cli.test import test as run

    raise typer.Exit(run(config, files or [], as_json=as_json, junit=junit, with_coverage=coverage))


@app.command()
def replay(
    config: Config = None,
    data: Data = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="Another rules folder than the one in force.")
    ] = None,
    remediations: Annotated[
        Path | None, typer.Option("--remediations", help="Another folder of remediations.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="How far back, such as 90d, or from which moment (UTC) on."),
    ] = None,
    assume: Annotated[
        Assume, typer.Option("--assume", help="How a run ends that never was.")
    ] = Assume.NOTHING,
    fail_on_difference: Annotated[
        bool, typer.Option("--fail-on-difference", help="Exit with 1 where something differs.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Play the journal again, as it was or with other rules: what would have been done?"""
    from agent.cli.replay import Question
    from agent.cli.replay import replay as run

    question = Question(
        data=data,
        rules=rules,
        remediations=remediations,
        since=since,
        assume=assume,
        as_json=as_json,
        fails_on_difference=fail_on_difference,
    )
    raise typer.Exit(run(config, question))


@app.command()
def sim(
    seed: Annotated[int | None, typer.Option("--seed", help="One world, told in full.")] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="How many worlds.", min=1)] = 50,
    first: Annotated[int, typer.Option("--first", help="Seed of the first one.")] = 1,
    as_json: Json = False,
) -> None:
    """Play seeded worlds full of faults against the core, and check what must always hold."""
    from agent.cli.sim import sim as run

    raise typer.Exit(run(seed=seed, seeds=seeds, first=first, as_json=as_json))


@app.command()
def changes(
    identifier: Annotated[str | None, typer.Argument(help="CHG-7; default: the newest.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Print what its runs print.", rich_help_panel=DO)
    ] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Stop it, and its run.", rich_help_panel=DO)
    ] = False,
    request: Annotated[
        str | None,
        typer.Option("--request", metavar="NAME", help="Which one.", rich_help_panel=ASK),
    ] = None,
    entity: Annotated[
        str | None,
        typer.Option("--entity", metavar="REF", help="On what.", rich_help_panel=ASK),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter.", rich_help_panel=ASK),
    ] = None,
    type: Annotated[
        str | None,
        typer.Option("--type", help="standard, normal or emergency.", rich_help_panel=ASK),
    ] = None,
    incident: Annotated[
        str | None,
        typer.Option("--incident", metavar="INC-7", help="For what.", rich_help_panel=ASK),
    ] = None,
    not_before: NotBefore = None,
    not_after: NotAfter = None,
    retro: Retro = False,
    reviews: Reviews = False,
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Changes, or one of them: what ran or would run, where, why, and who said so."""
    from agent.cli import request as requests
    from agent.cli.approvals import owed
    from agent.cli.changes import changes as run
    from agent.cli.remote import Remote

    remote = Remote(url, token)
    if request is not None:
        code = requests.request(
            remote,
            request,
            entity=entity,
            parameters=values or [],
            type=type,
            incident=incident,
            note=note,
            as_json=as_json,
            not_before=not_before,
            not_after=not_after,
        )
    elif retro or reviews:
        code = owed(remote, retro=retro, reviews=reviews, as_json=as_json)
    elif (follow or cancel) and identifier is None:
        raise typer.BadParameter("say which change, such as CHG-7")
    elif cancel:
        code = requests.cancel(remote, str(identifier), note)
    elif follow:
        code = requests.follow(remote, str(identifier))
    else:
        code = run(remote, identifier, as_json=as_json)
    raise typer.Exit(code)


@app.command()
def approve(
    identifier: Annotated[str, typer.Argument(help="CHG-7")],
    binding: Annotated[
        str | None,
        typer.Option("--binding", help="What you saw; default: shown now, and asked about."),
    ] = None,
    reject: Annotated[bool, typer.Option("--reject", help="Refuse it instead.")] = False,
    note: Annotated[str, typer.Option("--note")] = "",
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Approve a change, or reject it: bound to exactly what you saw."""
    from agent.cli.changes import approve as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), identifier, binding=binding, reject=reject, note=note))


@app.command()
def silence(
    matchers: Annotated[
        list[str] | None, typer.Argument(help="Such as alertname=HighLoad or 'host=~web.*'.")
    ] = None,
    duration: Annotated[str, typer.Option("--for", help="Such as 30m, 2h.")] = "1h",
    comment: Annotated[str, typer.Option("--comment", help="Why.")] = "",
    expire: Annotated[str | None, typer.Option("--expire", help="Id of one to end now.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """List silences; with matchers: show what would be muted, then add one."""
    from agent.cli.remote import Remote
    from agent.cli.silence import silence as run

    raise typer.Exit(
        run(
            Remote(url, token),
            matchers or [],
            duration=duration,
            comment=comment,
            expire=expire,
            is_sure=yes,
            as_json=as_json,
        )
    )


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="The person or tool it stands for.")],
    roles: Annotated[list[str], typer.Option("--role", help="Such as operator; may be repeated.")],
    person: Annotated[
        str | None, typer.Option("--person", help="Whose it is, where NAME is not that.")
    ] = None,
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", help="Approve this part only: system:shop.")
    ] = None,
    service: Annotated[bool, typer.Option("--service", help="A tool's: never approves.")] = False,
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Make an API token; it is shown once and kept as a hash."""
    from agent.cli.remote import Remote
    from agent.cli.token import make_token as run

    whose = {"person": person, "scopes": scopes or [], "is_service": service}
    raise typer.Exit(run(Remote(url, token), name, roles, **whose))


app.add_typer(approval_commands)
app.add_typer(audit_commands, name="audit")
app.add_typer(autonomy_commands, name="autonomy")
app.add_typer(breaker_commands, name="breaker")
app.add_typer(incident_commands)
app.add_typer(map_commands, name="map")
app.add_typer(calendar_commands, name="calendar")
app.add_typer(policy_app, name="policy")
app.add_typer(problem_commands)
app.add_typer(report_commands)
app.add_typer(rule_commands, name="rules")
app.add_typer(slo_commands, name="slo")
app.add_typer(standard_app, name="standard")


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> None:
    """Run a command; an error that somebody can mend is told in words, without a traceback."""
    try:
        app()
    except ConfigError as error:
        count = len(error.findings)
        print(error, file=sys.stderr)
        print(f"{count} finding{'s' if count != 1 else ''}; nothing was started.", file=sys.stderr)
        sys.exit(2)
    except AgentError as error:
        print(f"watchkeeper: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
