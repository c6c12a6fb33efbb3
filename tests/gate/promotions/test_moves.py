"""Four moves of an alias, of which one by hand, as snapshots and as an audit log tell of them, held against what was attested."""

from __future__ import annotations

import datetime as dt

import pytest

from lakewarden.facts.estate.sight import Shown, Sight, Told
from lakewarden.gate.attested import Statement, uri_of
from lakewarden.gate.promotions.coverage import unseen_of
from lakewarden.gate.promotions.moves import Move, moves_of, sample_of
from lakewarden.gate.promotions.views import Event, Span, View, events_of, joined, view_of
from lakewarden.policy.model import EnvironmentPolicy, Policy

SERVER = "https://mlflow.example.com"
HOST = f"{SERVER}/Churn"
NAME = ("alias", f"{HOST}@champion")
START = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
LOG = "audit log of prod"


def day(number: float) -> dt.datetime:
    return START + dt.timedelta(days=number)


def attested(version: int, at: float, kind: str = "promotion", *, valid: bool = True) -> Statement:
    return Statement(
        uri_of(f"{HOST}/{version}"), "5a" * 32, valid, kind == "promotion", kind, day(at), "", f"Churn-{version}.vsa.json"
    )


def view(at: float, *numbers: int, source: str = "", whole: bool = True) -> View:
    served = {NAME: frozenset(f"{HOST}/{number}" for number in numbers)} if numbers else {}
    return View(source or f"snapshot {at}", day(at), day(at), frozenset({SERVER}), served, whole=whole)


def views(*numbers: int) -> list[View]:
    return [view(at, number) for at, number in enumerate(numbers)]


def event(at: float, number: int, by: str = "user:ana", effect: str = "set", kind: str = "alias", name: str = NAME[1]) -> Event:
    versions = frozenset({f"{HOST}/{number}"}) if number else frozenset[str]()
    return Event((LOG,), day(at), kind, name, effect, versions, by)


def verdicts(moves: list[Move]) -> list[str]:
    return [move.verdict for move in moves]


def test_a_move_by_hand_has_no_attestation() -> None:
    said = [attested(2, 0.5), attested(3, 1.5), attested(2, 3.5, "rollback")]
    found = moves_of(views(1, 2, 3, 4, 2), [], said)
    assert verdicts(found) == ["promotion", "promotion", "none", "rollback"]
    assert [move.is_error for move in found] == [False, False, True, False]
    assert found[0].sources == ("snapshot 0", "snapshot 1")


def test_the_log_tells_the_same_with_who_and_when() -> None:
    said = [attested(2, 0.5), attested(3, 1.5), attested(2, 3.5, "rollback")]
    found = moves_of([], [event(0.6, 2), event(1.6, 3), event(2.6, 4, "user:bob"), event(3.6, 2)], said)
    assert verdicts(found) == ["promotion", "promotion", "none", "rollback"]
    assert [(move.before.rpartition("/")[2], move.by) for move in found if move.is_error] == [("3", "user:bob")]
    assert found[2].since == found[2].until == day(2.6).isoformat()
    assert found[0].before == "unknown"


def test_a_move_of_which_several_tell_is_one_and_names_them() -> None:
    shown = [view(0, 1), view(0.1, 1, source="history h"), view(1, 2, source="history h"), view(1.1, 2), view(2, 2)]
    (move,) = moves_of(shown, [event(0.6, 2)], [attested(2, 0.5)])
    assert (move.verdict, move.by) == ("promotion", "user:ana")
    assert move.sources == (LOG, "history h", "snapshot 1.1")
    twice = joined([event(0.6, 2), event(0.6, 2)._replace(sources=("audit log in b",))])
    (move,) = moves_of(shown, twice, [attested(2, 0.5)])
    assert move.sources[:2] == (LOG, "audit log in b")


def test_what_the_log_has_not_told_yet_is_seen_all_the_same() -> None:
    found = moves_of([view(0, 1), view(2, 3)], [event(0.6, 2)], [attested(2, 0.5)])
    assert verdicts(found) == ["promotion", "none"]
    assert found[1].since == day(0.6).isoformat()


def test_a_move_that_was_undone_is_seen_in_the_log_alone() -> None:
    undone = [event(0.5, 2), event(0.6, 1)]
    assert moves_of([view(0, 1), view(1, 1)], [], []) == []
    assert verdicts(moves_of([view(0, 1), view(1, 1)], undone, [])) == ["none", "none"]


def test_what_was_read_while_the_log_tells_of_a_change_is_no_second_change() -> None:
    long = view(0.5, 1)._replace(begun=day(0.4), ended=day(0.6))
    found = moves_of([view(0, 1), long, view(1, 2)], [event(0.5, 2)], [attested(2, 0.45)])
    assert verdicts(found) == ["promotion"]


def test_an_attestation_allows_one_move() -> None:
    assert verdicts(moves_of(views(1, 2, 1, 2), [], [attested(2, 0.5), attested(1, 0.2)])) == ["promotion"] * 2 + ["none"]
    again = [event(0.5, 2), event(0.6, 1), event(0.7, 2)]
    assert verdicts(moves_of([view(0, 1)], again, [attested(2, 0.5005), attested(1, 0.55)])) == ["promotion"] * 2 + ["none"]


def test_what_was_attested_before_the_first_view_allows_no_way_back() -> None:
    assert verdicts(moves_of(views(1, 2, 1), [], [attested(1, -1), attested(2, 0.5)])) == ["promotion", "none"]


def test_what_came_later_was_refused_or_is_not_believed_allows_nothing() -> None:
    for said, verdict in (
        (attested(2, 1.5), "none"),
        (attested(2, 0.5, "refusal"), "refusal"),
        (attested(2, 0.5, valid=False), "untrusted"),
        (attested(2, -0.5, "adoption"), "none"),
    ):
        (move,) = moves_of(views(1, 2), [], [said])
        assert (move.verdict, move.is_error) == (verdict, True)


def test_an_attestation_must_not_be_too_old_when_it_is_used() -> None:
    for days, verdict in ((2, "promotion"), (1, "none")):
        (move,) = moves_of([view(2, 1), view(3, 2)], [], [attested(2, 0.5)], dt.timedelta(days=days))
        assert move.verdict == verdict


def test_what_is_attested_after_the_log_tells_of_the_move_came_too_late() -> None:
    minute = 1 / 24 / 60
    for late, verdict in ((0.9, "promotion"), (1.1, "none")):
        assert verdicts(moves_of([], [event(1, 2)], [attested(2, 1 + late * minute)])) == [verdict]


def test_an_endpoint_of_two_versions_and_a_stage_have_a_move_for_each_version() -> None:
    endpoint = ("endpoint", f"{SERVER}/churn")
    both = [view(0, 1)._replace(served={endpoint: frozenset({f"{HOST}/1"})})]
    both.append(view(1)._replace(served={endpoint: frozenset({f"{HOST}/1", f"{HOST}/2", f"{HOST}/3"})}))
    found = moves_of(both, [], [attested(2, 0.5)])
    assert [(move.after[-1], move.verdict) for move in found] == [("2", "promotion"), ("3", "none")]
    stage = [event(1, 1, effect="add", kind="stage", name=HOST), event(2, 2, effect="set", kind="stage", name=HOST)]
    back = [*stage, event(3, 1, effect="add", kind="stage", name=HOST)]
    found = moves_of([], back, [attested(1, 0.9), attested(2, 1.9)])
    assert [(move.before[-1], move.after[-1], move.verdict) for move in found] == [
        ("e", "1", "promotion"), ("1", "2", "promotion"), ("e", "1", "none"),
    ]  # fmt: skip


def test_what_a_view_does_not_show_was_not_removed() -> None:
    assert moves_of([view(0, 1), view(1, whole=False), view(2, 1)], [], []) == []
    other = view(1)._replace(roots=frozenset({"https://other.example.com"}))
    assert moves_of([view(0, 1), other, view(2, 1)], [], []) == []
    assert verdicts(moves_of([view(0, 1), view(1), view(2, 1)], [], [])) == ["removed", "none"]


def test_a_time_is_seen_between_two_whole_views() -> None:
    assert unseen_of(views(1, 2), [], [], day(0), day(1)) == []
    for of, begin, end in (
        (views(1, 2), -1, 1),
        (views(1, 2), 0, 2),
        (views(1), 0, 1),
        ([view(0, 1), view(1, 1, whole=False)], 0, 1),
        ([], 0, 1),
    ):
        assert unseen_of(of, [], [], day(begin), day(end))
    (told,) = unseen_of(views(1, 2), [], [], day(0), day(3))
    assert told == f"nothing shows all that was served in {SERVER} from {day(1).isoformat()} to {day(3).isoformat()}"


def test_why_a_view_is_not_whole_is_told_where_that_matters_alone() -> None:
    part = view(1, 1, whole=False)._replace(unseen=("snapshot 1: refused",))
    assert unseen_of([view(0, 1), part, view(2, 1)], [], [], day(0), day(2)) == []
    assert "snapshot 1: refused" in unseen_of([view(0, 1), part], [], [], day(0), day(1))


def span(first: float, last: float, root: str = SERVER, kinds: tuple[str, ...] = ("alias",)) -> Span:
    return Span(LOG, frozenset({root}), day(first), day(last), frozenset(kinds))


def test_a_log_tells_of_its_time_and_of_what_it_has_told_once() -> None:
    now = [view(9, 1)]
    assert unseen_of(now, [span(0, 8)], [], day(1), day(8)) == []
    assert len(unseen_of(now, [span(0, 8)], [], day(1), day(9))) == 1  # what is lately may not have arrived
    assert len(unseen_of(now, [span(2, 8)], [], day(1), day(8))) == 1  # it is not kept for ever
    silent = span(0, 8, kinds=("stage",))
    assert any("has told of no alias" in told for told in unseen_of(now, [silent], [], day(1), day(8)))
    assert unseen_of(now, [span(0, 8, "https://other.example.com")], [], day(1), day(8))
    assert unseen_of([view(0, 1), view(9, 1)], [silent], [], day(1), day(8)) == []


def test_a_change_that_the_log_does_not_spell_out_is_told() -> None:
    unread = event(1, 0, effect="", kind="endpoint", name=f"{SERVER}/churn")
    assert moves_of([view(0, 1), view(2, 1)], [unread], []) == []
    (told,) = unseen_of([view(0, 1), view(2, 1)], [], [unread], day(0), day(2))
    assert "does not tell to what" in told


POLICY = Policy(
    environments={
        "production": EnvironmentPolicy(catalogs=("prod",), workspaces=(SERVER,)),
        "development": EnvironmentPolicy(catalogs=("dev",), workspaces=("https://dev.example.com",)),
    }
)


@pytest.mark.parametrize(
    ("kind", "name", "version", "served"),
    [
        ("alias", "m/prod.ml.churn@Champion", "m/prod.ml.churn/1", True),
        ("alias", "m/prod.ml.churn@challenger", "m/prod.ml.churn/1", False),
        ("alias", "m/dev.ml.churn@champion", "m/dev.ml.churn/1", False),
        ("alias", "m/other.ml.churn@champion", "m/other.ml.churn/1", True),
        ("endpoint", f"{SERVER}/churn", "m/dev.ml.churn/1", True),
        ("endpoint", "https://dev.example.com/churn", "m/prod.ml.churn/1", True),
        ("endpoint", "https://dev.example.com/churn", "m/dev.ml.churn/1", False),
        ("stage", HOST, f"{HOST}/1", True),
        ("stage", "https://dev.example.com/churn", "https://dev.example.com/churn/1", False),
    ],
)
def test_what_is_of_production(kind: str, name: str, version: str, served: bool) -> None:
    at = "2026-01-01T00:00:00Z"
    found = view_of(Sight(at, at, frozenset({"m", SERVER}), (Shown(kind, name, version),)), "snapshot a", POLICY)
    assert bool(found.served) == served
    assert bool(events_of([Told(kind, name, "set", frozenset({version}), at, "")], "audit log", POLICY)) == served


def test_a_version_that_was_not_told_is_no_observation() -> None:
    at, name = "2026-01-01T00:00:00Z", "m/prod.ml.churn@champion"
    found = view_of(Sight(at, at, frozenset({"m"}), (Shown("alias", name, ""),), ("no right",)), "snapshot a", POLICY)
    assert (dict(found.served), set(found.untold), found.whole) == ({}, {("alias", name)}, False)
    assert found.unseen == ("snapshot a: no right",)


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    moves = moves_of(views(*range(1, 30)), [], [])
    assert sample_of(moves, 5, "a") == sample_of(moves[::-1], 5, "a") != sample_of(moves, 5, "b")
