"""Four moves of an alias, of which one by hand, held against what was attested."""

from __future__ import annotations

import datetime as dt

from lakewarden.gate.attested import Statement, uri_of
from lakewarden.gate.promotions.moves import View, moves_of, sample_of

HOST = "https://mlflow.example.com/Churn"
START = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)


def day(number: float) -> dt.datetime:
    return START + dt.timedelta(days=number)


def attested(version: int, at: float, kind: str = "promotion", *, valid: bool = True) -> Statement:
    return Statement(
        uri_of(f"{HOST}/{version}"), "5a" * 32, valid, kind == "promotion", kind, day(at), "", f"Churn-{version}.vsa.json"
    )


def views(*numbers: int) -> list[View]:
    return [View(day(at), f"{at}", {f"{HOST}@champion": f"{HOST}/{number}"}) for at, number in enumerate(numbers)]


def test_a_move_by_hand_has_no_attestation() -> None:
    said = [attested(2, 0.5), attested(3, 1.5), attested(2, 3.5, "rollback")]
    found = moves_of(views(1, 2, 3, 4, 2), said)
    assert [move.verdict for move in found] == ["promotion", "promotion", "none", "rollback"]
    assert [move.is_error for move in found] == [False, False, True, False]


def test_an_attestation_allows_one_move() -> None:
    assert [move.verdict for move in moves_of(views(1, 2, 1, 2), [attested(2, 0.5), attested(1, 0.2)])] == ["promotion"] * 2 + [
        "none"
    ]


def test_what_came_later_was_refused_or_is_not_believed_allows_nothing() -> None:
    for said, verdict in (
        (attested(2, 1.5), "none"),
        (attested(2, 0.5, "refusal"), "refusal"),
        (attested(2, 0.5, valid=False), "untrusted"),
    ):
        (move,) = moves_of(views(1, 2), [said])
        assert (move.verdict, move.is_error) == (verdict, True)


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    moves = moves_of(views(*range(1, 30)), [])
    assert sample_of(moves, 5, "a") == sample_of(moves[::-1], 5, "a") != sample_of(moves, 5, "b")
