"""Which remediation is proposed, for what, with which values, and when not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.core.changes.targets import host_of
from agent.model.autonomy import Mode
from agent.model.change import ChangeType
from agent.model.effect import PrepareRun
from agent.model.entry import CauseConfirmed, IncidentResolved
from agent.model.remediation import Host, Parameter, ParameterType
from agent.model.rule import ParameterSource, RemediationRule, TargetOf
from tests.core.play import CONFIG, RESTART, RULE, SHOP, Play, entity, minutes, ref, service_map

HOST = Host(name="h1", address="127.0.0.1")


def with_rule(**changes: object) -> Play:
    """A play in which the one rule is a little different."""
    rule = replace(RULE, **changes)  # type: ignore[arg-type]
    return Play(config=replace(CONFIG, remediation_rules=(rule,)))


def with_parameter(source: ParameterSource, **changes: object) -> Play:
    """A play in which the remediation has one parameter `it`."""
    parameter = Parameter(name="it", **{"type": ParameterType.STRING, **changes})  # type: ignore[arg-type]
    remediation = replace(RESTART, parameters=(parameter,))
    rule = replace(RULE, parameters={"it": source})
    return Play(
        config=replace(
            CONFIG, remediations={"restart-service": remediation}, remediation_rules=(rule,)
        )
    )


def proposed(play: Play) -> list[str]:
    """On which entities changes were made."""
    return [change.entity for change in play.state.changes.values()]


def test_a_rule_proposes_what_it_says_for_the_alert_it_matches() -> None:
    """With the values of that alert, in the name of the rule and its author."""
    play = Play()
    play.fire("ServiceDown", service="web1", host="app1")
    change = play.change()
    assert (change.requested_by, change.rule_author) == ("rule:restart-what-is-down", "ann")
    assert (change.parameters, change.type) == ({"service": "web1"}, ChangeType.STANDARD)
    assert play.incident().changes == ("CHG-1",)
    assert play.said("INC-1", "rule_matched") == [
        "CHG-1: Restart a service (web1), as rule restart-what-is-down matches ServiceDown"
    ]


def test_what_no_rule_matches_is_left_alone() -> None:
    """Nothing runs that no rule says."""
    play = Play()
    play.fire("ServiceSlow", service="web1", host="app1")
    assert proposed(play) == []


def test_without_any_rule_nothing_is_asked() -> None:
    """The default of an empty rule set."""
    play = Play(config=replace(CONFIG, remediation_rules=()))
    play.fire("ServiceDown", service="web1", host="app1")
    assert proposed(play) == []


def test_a_rule_may_override_the_kind_of_change() -> None:
    """What is standard elsewhere needs a person's word here."""
    play = with_rule(change=ChangeType.NORMAL)
    play.fire("ServiceDown", service="web1", host="app1")
    assert (play.change().type, play.change().state) == (ChangeType.NORMAL, "awaiting_approval")


def test_a_rule_waits_until_the_cause_has_shown_itself() -> None:
    """Asked again after the settle time, if the alert still fires."""
    play = with_rule(settle=timedelta(seconds=30))
    play.fire("ServiceDown", service="web1", host="app1")
    assert proposed(play) == []
    play.wait(29)
    assert proposed(play) == []
    play.wait(1)
    assert proposed(play) == [ref("web1")]


def test_what_clears_while_a_rule_waits_needs_nothing() -> None:
    """Nor does what somebody resolved or silenced meanwhile."""
    cleared = with_rule(settle=timedelta(seconds=30))
    cleared.resolve(cleared.fire("ServiceDown", service="web1", host="app1"))
    resolved = with_rule(settle=timedelta(seconds=30))
    resolved.fire("ServiceDown", service="web1", host="app1")
    resolved.feed(IncidentResolved(incident="INC-1", by="ann"))
    silenced = with_rule(settle=timedelta(seconds=30))
    silenced.fire("ServiceDown", service="web1", host="app1")
    silenced.silence("S1", minutes(60), service="web1")
    for play in (cleared, resolved, silenced):
        play.wait(60)
        assert proposed(play) == []


def test_only_the_rule_that_waited_is_asked_again() -> None:
    """Another rule that acted at once does not act twice."""
    slow = replace(RULE, name="slow", settle=timedelta(seconds=30), remediation="other")
    other = replace(RESTART, name="other")
    play = Play(
        config=replace(
            CONFIG,
            remediation_rules=(RULE, slow),
            remediations={"restart-service": RESTART, "other": other},
        )
    )
    play.fire("ServiceDown", service="web1", host="app1")
    play.wait(60)
    assert [c.remediation for c in play.state.changes.values()] == ["restart-service", "other"]


def test_a_symptom_is_not_acted_on_until_it_turns_out_to_be_the_cause() -> None:
    """The rule is asked again when a person says so."""
    play = Play()
    play.fire("ServiceSlow", service="db", host="app3")
    play.fire("ServiceSlow", service="web2", host="app2")
    play.fire("ServiceDown", service="web1", host="app1")
    assert play.incident().cause == ref("db")
    assert proposed(play) == []
    play.feed(CauseConfirmed(incident="INC-1", entity=ref("web1"), by="ann"))
    assert proposed(play) == [ref("web1")]


def test_a_rule_for_the_alert_acts_where_it_fires() -> None:
    """It does not ask for the cause."""
    play = with_rule(target=TargetOf.ALERT)
    play.fire("ServiceSlow", service="db", host="app3")
    play.fire("ServiceSlow", service="web2", host="app2")
    play.fire("ServiceDown", service="web1", host="app1")
    assert proposed(play) == [ref("web1")]


def test_what_is_muted_is_not_acted_upon() -> None:
    """Nor when the silence began after the alert: somebody works there."""
    play = Play()
    play.silence("S1", minutes(10), service="web1")
    play.fire("ServiceDown", service="web1", host="app1")
    assert proposed(play) == []
    play.wait(600)
    assert proposed(play) == [ref("web1")]


def test_a_rule_that_needs_a_label_which_is_absent_does_not_match_and_says_so() -> None:
    """It is no error of the agent: the story tells which rule could not be told."""
    play = with_rule(when='alert.labels.team.startsWith("a")')
    play.fire("ServiceDown", service="web1", host="app1")
    assert proposed(play) == []
    (text,) = play.said("INC-1", "rule_failed")
    assert text.startswith("rule restart-what-is-down: ")


def test_a_rule_that_compares_another_value_is_not_even_tried() -> None:
    """Rules are found by the values they compare: the other thousand cost nothing."""
    many = tuple(
        replace(RULE, name=f"r{number}", when=f'alert.name == "A" && alert.labels.n == "{number}"')
        for number in range(3)
    )
    anyone = replace(RULE, name="any", when='alert.severity == "critical"')
    play = Play(config=replace(CONFIG, remediation_rules=(*many, anyone)))
    play.fire("A", service="web1", host="app1", n="2")
    assert [c.requested_by for c in play.state.changes.values()] == ["rule:r2"]
    assert "rule_failed" not in play.story("INC-1")


def test_what_has_no_host_cannot_be_acted_upon() -> None:
    """The story says what is missing on the map."""
    play = with_rule(target=TargetOf.ALERT)
    play.fire("ServiceDown", service="shop", host="front")
    play.fire("ServiceDown", service="gone", host="x")
    assert play.said("INC-1", "no_target") == [
        "rule restart-what-is-down cannot act: "
        "component:default/shop has no host or group to act on"
    ]
    assert play.said("INC-2", "no_target") == [
        "rule restart-what-is-down cannot act: the alert has no place on the map"
    ]


def test_the_host_is_its_own_or_that_of_what_it_runs_on() -> None:
    """A circle, or something that is not on the map, is no host."""
    entities = service_map(
        replace(entity("app"), runs_on=ref("vm")),
        replace(entity("vm"), runs_on=ref("metal")),
        entity("metal", host=HOST),
        replace(entity("snake"), runs_on=ref("tail")),
        replace(entity("tail"), runs_on=ref("snake")),
        replace(entity("lost"), runs_on=ref("nowhere")),
    )
    names = ("app", "metal", "snake", "lost", "nowhere")
    found = [host_of(entities, ref(name)) for name in names]
    assert found == [HOST, HOST, None, None, None]


def test_a_rule_for_what_is_not_registered_says_so() -> None:
    """A remediation taken out of its folder while its rule stayed."""
    play = Play(config=replace(CONFIG, remediations={}))
    play.fire("ServiceDown", service="web1", host="app1")
    assert play.said("INC-1", "remediation_gone") == ["rule restart-what-is-down: restart-service"]


def test_one_change_for_one_target_at_a_time() -> None:
    """A second alert of the same place asks for nothing that is asked for already."""
    play = Play()
    play.fire("ServiceDown", service="web1", host="app1")
    play.fire("ServiceDown", service="web1", host="app1", seen_by="another")
    assert proposed(play) == [ref("web1")]
    assert play.asked(PrepareRun) == 1


@pytest.mark.parametrize(
    "value",
    [
        "web1; rm -rf /",
        "$(reboot)",
        "{{ lookup('pipe', 'id') }}",
        "web1\nweb2",
        "../../etc/passwd",
        "-e x=1",
        "Web1",
        "",
        "w" * 300,
        "wéb",
    ],
)
def test_a_label_that_is_not_what_was_declared_is_refused(value: str) -> None:
    """Values from outside are data: what does not fit the pattern runs nothing."""
    play = with_rule(target=TargetOf.ALERT, parameters={"service": ParameterSource(label="unit")})
    play.fire("ServiceDown", service="web1", host="app1", unit=value)
    assert proposed(play) == []
    assert play.said("INC-1", "parameter_refused") == [
        "rule restart-what-is-down: parameter service must be text that matches "
        "[a-z][a-z0-9-]{0,30}"
    ]


@pytest.mark.parametrize(
    ("declared", "value", "accepted"),
    [
        ({"type": ParameterType.INTEGER}, "12", 12),
        ({"type": ParameterType.INTEGER}, "-3", -3),
        ({"type": ParameterType.INTEGER}, "1e3", None),
        ({"type": ParameterType.INTEGER}, "9999999999", None),
        ({"type": ParameterType.INTEGER}, "٣", None),
        ({"type": ParameterType.INTEGER, "minimum": 1}, "0", None),
        ({"type": ParameterType.INTEGER, "minimum": 1, "maximum": 5}, "6", None),
        ({"type": ParameterType.INTEGER, "maximum": 5}, 5, 5),
        ({"type": ParameterType.INTEGER}, True, None),
        ({"type": ParameterType.BOOLEAN}, "true", True),
        ({"type": ParameterType.BOOLEAN}, False, False),
        ({"type": ParameterType.BOOLEAN}, "yes", None),
        ({"type": ParameterType.BOOLEAN}, 1, None),
        ({"type": ParameterType.ENTITY}, ref("db"), ref("db")),
        ({"type": ParameterType.ENTITY}, ref("nothing"), None),
        ({"type": ParameterType.ENTITY}, 7, None),
        ({"choices": ("on", "off")}, "on", "on"),
        ({"choices": ("on", "off")}, "On", None),
        ({"pattern": ".*"}, 7, None),
        ({"pattern": "a+"}, "aa\n", None),
        ({}, "anything", None),
    ],
)
def test_a_value_is_taken_in_its_declared_type_or_not_at_all(
    declared: dict[str, object], value: str | int | bool, accepted: object
) -> None:
    """Nothing is bent into shape: what is not exactly it is refused, in words."""
    source = ParameterSource(label="it") if isinstance(value, str) else ParameterSource(value=value)
    play = with_parameter(source, **declared)
    play.fire("ServiceDown", service="web1", host="app1", **({"it": value} if source.label else {}))  # type: ignore[arg-type]
    if accepted is None:
        assert len(play.said("INC-1", "parameter_refused")) == 1
        assert proposed(play) == []
    else:
        found = play.change().parameters["it"]
        assert (found, type(found)) == (accepted, type(accepted))


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        (
            {"type": ParameterType.INTEGER, "minimum": 1, "maximum": 5},
            "integer at least 1 and at most 5",
        ),
        ({"type": ParameterType.BOOLEAN}, "boolean"),
        ({"choices": ("on", "off")}, "one of on, off"),
    ],
)
def test_a_missing_value_says_what_was_wanted(declared: dict[str, object], told: str) -> None:
    """The alert has no such label, and the parameter is required."""
    play = with_parameter(ParameterSource(label="absent"), **declared)
    play.fire("ServiceDown", service="web1", host="app1")
    assert play.said("INC-1", "parameter_refused") == [
        f"rule restart-what-is-down: parameter it is missing ({told})"
    ]


def test_what_is_not_required_may_be_absent_and_what_is_not_declared_may_not_be_given() -> None:
    """An unknown name is a mistake, not something to pass on."""
    optional = with_parameter(ParameterSource(label="absent"), pattern="x", required=False)
    optional.fire("ServiceDown", service="web1", host="app1")
    assert optional.change().parameters == {}

    extra = with_rule(parameters={**RULE.parameters, "nosuch": ParameterSource(value=1)})
    extra.fire("ServiceDown", service="web1", host="app1")
    assert extra.said("INC-1", "parameter_refused") == [
        "rule restart-what-is-down: restart-service has no parameter nosuch"
    ]


def test_a_cause_that_becomes_another_takes_the_rules_with_it() -> None:
    """The web was thought to be it until the database spoke: then the database is acted upon."""
    rule = RemediationRule(
        name="either",
        author="ann",
        when='alert.name == "ServiceDown"',
        remediation="restart-service",
        parameters={"service": ParameterSource(label="service")},
        settle=timedelta(seconds=10),
        mode=Mode.AUTO,
    )
    play = Play(config=replace(CONFIG, remediation_rules=(rule,), service_map=SHOP))
    play.fire("ServiceDown", service="web1", host="app1")
    play.wait(5)
    play.fire("ServiceDown", service="web2", host="app2")
    play.fire("ServiceDown", service="db", host="app3")
    play.wait(60)
    assert proposed(play) == [ref("db")]
