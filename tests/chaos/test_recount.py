"""Both counts of a report find what is wrong in made-up ones: a lost order, a second job, money for nothing."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chaos.line import Line, micros
from tests.chaos.recount import main, recount
from tests.chaos.rows import (
    BEGAN,
    Json,
    a_cost,
    a_failed,
    a_generation,
    a_job,
    a_kill,
    a_report,
    a_take,
    an_attempt,
    an_event,
    an_order,
    an_unknown,
)
from tests.chaos.tally import tally


def counted(report: Json) -> Line:
    """The line of a report, on which both counts agree."""
    line = recount(json.loads(json.dumps(report)))
    assert tally(report["generations"], report["orders"], report["jobs"], report["kills"]) == line
    return line


def lost_duplicated_wasted(report: Json) -> tuple[int, int, int]:
    line = counted(report)
    return line.lost, line.duplicated, line.wasted_micros


NOTHING_WRONG = (0, 0, 0)


def test_what_went_well_is_counted_as_that() -> None:
    cancelled = a_generation("c", a_take("c", status="cancelled"), status="cancelled")
    report = a_report(
        a_generation("a"), a_failed("b"), cancelled, jobs=[a_job(f"{one}.1.1") for one in "abc"]
    )
    assert counted(report) == Line(3, 1, 1, 1, 0, 0, 0, 0, None)
    assert counted(report).keeps_the_promises
    assert str(counted(report)) == (
        "submitted 3, completed 1, failed with a reason 1, cancelled 1, lost 0, duplicated 0, wasted USD 0.00, "
        "ledger drift USD 0, worst recovery -"
    )


@pytest.mark.parametrize(
    "generation",
    [
        a_generation("a", status="pending"),
        a_generation("a", status="processing"),
        a_generation("a", status="missing", takes=[]),
        a_failed("a", category=None),
    ],
    ids=["pending", "processing", "missing", "failed without a category"],
)
def test_an_accepted_order_without_an_end_is_lost(generation: Json) -> None:
    line = counted(a_report(generation, a_generation("b"), jobs=[a_job("b.1.1")]))
    assert (line.submitted, line.lost, line.completed, line.failed) == (2, 1, 1, 0)
    assert not line.keeps_the_promises


def test_two_jobs_of_one_reference_are_a_duplicate() -> None:
    jobs = [a_job("a.1.1"), a_job("a.1.1", "another", billed_usd=0)]
    assert lost_duplicated_wasted(a_report(a_generation("a"), jobs=jobs)) == (0, 1, 0)


def test_the_second_job_of_one_reference_is_also_paid_for_nothing_if_it_was_billed() -> None:
    jobs = [a_job("a.1.1"), a_job("a.1.1", "another", billed_usd=0.3)]
    assert lost_duplicated_wasted(a_report(a_generation("a"), jobs=jobs)) == (0, 1, micros("0.30"))


def test_one_job_of_a_lost_answer_is_at_risk_and_no_duplicate() -> None:
    take = a_take("a", an_unknown("a"), status="failed", has_video=False)
    assert lost_duplicated_wasted(a_report(a_failed("a", take), jobs=[a_job("a.1.1")])) == NOTHING_WRONG


def a_lost_answer_and_another_job(*, category: str | None = None, **generation: str) -> Json:
    take = a_take("a", an_unknown("a"), an_attempt("a", number=2))
    jobs = [a_job("a.1.1"), a_job("a.1.2", created_at=BEGAN + 5)]
    return a_report(a_generation("a", take, category=category, **generation), jobs=jobs)


def test_a_job_beside_one_whose_answer_was_lost_is_a_duplicate() -> None:
    assert lost_duplicated_wasted(a_lost_answer_and_another_job()) == (0, 1, 0)


def test_a_job_beside_one_whose_answer_was_lost_is_none_if_the_user_said_so() -> None:
    report = a_lost_answer_and_another_job(on_unknown_submission="resubmit")
    assert lost_duplicated_wasted(report) == NOTHING_WRONG
    assert lost_duplicated_wasted(a_lost_answer_and_another_job(on_unknown_submission="hold")) == (0, 1, 0)


def test_an_order_that_was_sent_again_in_the_dark_is_a_duplicate_even_if_its_job_is_the_only_one() -> None:
    """The first order made none, as it turned out; but nobody knew that when the second one was sent."""
    take = a_take("a", an_unknown("a"), an_attempt("a", number=2))
    report = a_report(a_generation("a", take), jobs=[a_job("a.1.2")])
    assert counted(report).duplicated == 1


@pytest.mark.parametrize(("found_after", "duplicates"), [(4.0, 0), (8.0, 1)])
def test_a_further_job_after_a_lost_one_was_found_is_none_but_before_it_was_found_is_one(
    found_after: float, duplicates: int
) -> None:
    first = an_attempt("a", outcome="found", cost=a_cost(settled="0.24"))
    events = [
        an_event(1, "generation.accepted", 0),
        an_event(2, "attempt.unknown", 3, attempt=1),
        an_event(3, "attempt.found", found_after, attempt=1),
        an_event(4, "generation.completed", 10),
    ]
    generation = a_generation("a", a_take("a", first, an_attempt("a", number=2)), events=events)
    jobs = [a_job("a.1.1"), a_job("a.1.2", created_at=BEGAN + 6)]
    assert lost_duplicated_wasted(a_report(generation, jobs=jobs)) == (0, duplicates, 0)


@pytest.mark.parametrize("outcome", ["not_sent", "abandoned", "rejected", "absent"])
def test_a_job_of_an_attempt_that_surely_sent_nothing_is_a_duplicate_beside_another(outcome: str) -> None:
    first = an_unknown("a", outcome=outcome, cost=a_cost())
    jobs = [a_job("a.1.1"), a_job("a.1.2")]
    report = a_report(a_generation("a", a_take("a", first, an_attempt("a", number=2))), jobs=jobs)
    assert lost_duplicated_wasted(report) == (0, 1, micros("0.24"))


def test_further_jobs_after_failed_ones_and_of_further_takes_are_none() -> None:
    failed = an_attempt("a", cost=a_cost())
    first = a_take("a", failed, an_attempt("a", number=2))
    generation = a_generation("a", first, a_take("a", number=2))
    jobs = [a_job("a.1.1", billed_usd=0), a_job("a.1.2"), a_job("a.2.1")]
    assert lost_duplicated_wasted(a_report(generation, jobs=jobs)) == NOTHING_WRONG


@pytest.mark.parametrize("reference", ["z.1.1", "a.2.1", None], ids=["generation", "take", "no reference"])
def test_a_job_of_nothing_that_is_known_is_a_duplicate(reference: str | None) -> None:
    stray = a_job(reference or "", client_reference=reference, job_id="stray", billed_usd=0)
    assert counted(a_report(a_generation("a"), jobs=[a_job("a.1.1"), stray])).duplicated == 1


def test_a_generation_that_a_lost_reply_left_behind_is_a_duplicate() -> None:
    report = a_report(a_generation("a"), a_generation("b"), jobs=[a_job("a.1.1"), a_job("b.1.1")])
    assert counted(report | {"orders": [an_order(1, "a")]}).duplicated == 1


def test_an_order_that_was_never_answered_may_have_made_one_generation() -> None:
    report = a_report(a_generation("a"), a_generation("b"), jobs=[a_job("a.1.1"), a_job("b.1.1")])
    assert counted(report | {"orders": [an_order(1, "a"), an_order(2)]}).duplicated == 0
    assert counted(report | {"orders": [an_order(1), an_order(2)]}).duplicated == 0
    assert counted(report | {"orders": [an_order(1)]}).duplicated == 1


def test_a_key_that_made_two_generations_is_a_duplicate_and_a_replay_is_none() -> None:
    report = a_report(a_generation("a"), a_generation("b"), jobs=[a_job("a.1.1"), a_job("b.1.1")])
    assert counted(report | {"orders": [an_order(1, "a", "b")]}).duplicated == 1
    assert counted(report | {"orders": [an_order(1, "a", "a"), an_order(2, "b")]}).duplicated == 0


def test_a_bill_that_is_shown_nowhere_is_wasted() -> None:
    take = a_take("a", an_attempt("a", cost=a_cost()), status="failed", has_video=False)
    report = a_report(a_failed("a", take, category="server_error"), jobs=[a_job("a.1.1")])
    assert counted(report).wasted_micros == micros("0.24")
    assert counted(report).keeps_the_promises, "money for nothing is told, and neither lost nor paid twice"
    assert "wasted USD 0.24" in str(counted(report))


@pytest.mark.parametrize(
    "take",
    [
        a_take("a", an_attempt("a", cost=a_cost())),
        a_take("a", an_attempt("a", cost=a_cost()), has_video=False, cancel={"outcome": "goes_on"}),
        a_take("a", an_attempt("a", cost=a_cost(settled="0.24")), has_video=False),
        a_take("a", an_attempt("a", cost=a_cost(at_risk="0.24")), has_video=False),
        a_take("a", an_attempt("a", cost=a_cost("0.10", "0.14")), has_video=False),
    ],
    ids=["a video", "a cancel", "settled", "at risk", "both"],
)
def test_a_bill_for_a_video_or_a_cancel_or_one_that_is_shown_is_not(take: Json) -> None:
    assert lost_duplicated_wasted(a_report(a_generation("a", take), jobs=[a_job("a.1.1")])) == NOTHING_WRONG


def test_only_the_job_that_made_the_video_may_be_paid_without_being_shown() -> None:
    take = a_take("a", an_attempt("a", cost=a_cost()), an_attempt("a", number=2))
    report = a_report(a_generation("a", take), jobs=[a_job("a.1.1"), a_job("a.1.2")])
    assert counted(report).wasted_micros == micros("0.24")


@pytest.mark.parametrize(
    ("kill", "seconds"),
    [
        (a_kill(0.5), 0.5),
        (a_kill(4), 6.0),
        (a_kill(4, "temporal", up_after=1), 6.0),
        (a_kill(0.5, "temporal", up_after=3), 9.5),
        (a_kill(4, "api", up_after=1.5), 1.5),
        (a_kill(11), None),
        (a_kill(-1), None),
    ],
)
def test_recovery_is_the_time_until_work_is_seen_to_go_on(kill: Json, seconds: float | None) -> None:
    worst = counted(a_report(a_generation("a"), jobs=[a_job("a.1.1")], kills=[kill])).worst_recovery_seconds
    assert worst == (None if seconds is None else pytest.approx(seconds))


def test_the_worst_recovery_is_told() -> None:
    report = a_report(a_generation("a"), jobs=[a_job("a.1.1")], kills=[a_kill(0.5), a_kill(4), a_kill(5)])
    assert str(counted(report)).endswith("worst recovery 6.0 s")


@st.composite
def reports(draw: st.DrawFn) -> Json:
    """Any report, however impossible: two generations of up to two takes with up to three attempts, and any jobs."""
    generations = []
    places = st.tuples(st.sampled_from("abz"), st.integers(1, 3), st.integers(1, 4))
    ids = st.sampled_from(["one", "two", "three", None])
    money = st.sampled_from(["0.00", "0.24", "0.48"])
    for name in "ab":
        takes = [
            a_take(
                name,
                *(
                    an_attempt(
                        name,
                        take,
                        number,
                        job_id=draw(ids),
                        outcome=draw(st.sampled_from(["accepted", "unknown", "found", "absent", "rejected"])),
                        cost=a_cost(draw(money), draw(money)),
                    )
                    for number in range(1, draw(st.integers(2, 4)))
                ),
                number=take,
                has_video=draw(st.booleans()),
                cancel=draw(st.sampled_from([None, {"outcome": "goes_on"}])),
            )
            for take in range(1, draw(st.integers(1, 3)))
        ]
        kinds = st.sampled_from(["attempt.unknown", "attempt.found", "take.started", "generation.failed"])
        told = draw(st.lists(st.tuples(kinds, st.integers(1, 2), st.integers(1, 3)), max_size=6))
        events = [
            an_event(seq, kind, seq, take, attempt) for seq, (kind, take, attempt) in enumerate(told, 1)
        ]
        generations.append(
            a_generation(
                name,
                status=draw(st.sampled_from(["completed", "failed", "cancelled", "pending", "missing"])),
                category=draw(st.sampled_from([None, "timeout"])),
                on_unknown_submission=draw(st.sampled_from([None, "resubmit"])),
                events=events,
            )
            | {"takes": takes}
        )
    jobs = [
        a_job(
            f"{name}.{take}.{attempt}",
            draw(st.sampled_from(["one", "two", "three"])),
            created_at=BEGAN + draw(st.integers(0, 7)) + 0.5,
            billed_usd=draw(st.sampled_from([0, 0.24, 0.3])),
        )
        for name, take, attempt in draw(st.lists(places, max_size=6))
    ]
    kills = [
        a_kill(draw(st.integers(0, 8)), draw(st.sampled_from(["worker", "api", "temporal"])))
        for _ in range(draw(st.integers(0, 2)))
    ]
    orders = [an_order(number, *draw(st.lists(st.sampled_from("ab"), max_size=2))) for number in (1, 2)]
    return a_report(*generations, jobs=jobs, kills=kills, orders=orders)


@given(report=reports())
@settings(deadline=None, max_examples=300)
def test_the_two_counts_agree_on_any_report(report: Json) -> None:
    counted(report)


@pytest.mark.parametrize(("status", "code"), [("completed", 0), ("pending", 1)])
def test_a_report_can_be_recounted_by_anyone(
    status: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps(a_report(a_generation("a", status=status), jobs=[a_job("a.1.1")])))
    monkeypatch.setattr(sys, "argv", ["recount", str(report)])
    assert main() == code
    assert capsys.readouterr().out.startswith("submitted 1, ")


@pytest.mark.parametrize(
    ("entries", "row", "drift"),
    [
        ([("reserve", 5), ("settle", 3), ("refund", 2)], (0, 3, 0), 0),
        ([("reserve", 5), ("at_risk", 5), ("resolve", 5), ("refund", 5)], (0, 0, 0), 0),
        ([("reserve", 5)], (0, 5, 0), 10),
        ([("reserve", 5), ("settle", 9)], (0, 9, 0), 4),
        ([], (0, 1, 0), 1),
    ],
)
def test_books_that_disagree_are_counted_to_the_micro_dollar(
    entries: list[tuple[str, int]], row: tuple[int, int, int], drift: int
) -> None:
    names = ("reserved_micros", "settled_micros", "at_risk_micros")
    ledger = [{"ref": "a.1.1", "kind": kind, "amount_micros": amount} for kind, amount in entries]
    books = [{"ref": "a.1.1", **dict(zip(names, row, strict=True))}]
    line = recount(a_report(a_generation("a"), jobs=[a_job("a.1.1")], ledger=ledger, books=books))
    assert line.drift_micros == drift
    assert line.keeps_the_promises == (drift == 0)
