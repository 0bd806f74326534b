"""Counts a report again, from its raw rows alone: `python -m tests.chaos.recount REPORT`.

Job by job, over flat tables of what the report holds; `tests.chaos.tally` walks the generations instead. Who doubts
the line of a run reads this file and the report, and nothing else.

    lost        accepted (202, or found in a list though the answer was lost), and at the end not over, not shown,
                or failed without a category
    duplicated  a job without a generation or without its take; a generation that no order made; each job
                that was made while the outcome of an earlier attempt of its take was unknown, even if it turned out to
                be the only one; and, at most all jobs of a take but one, those that share their reference with another
                and those that their attempt does not show. Where the user said `on_unknown_submission: resubmit`, jobs
                may be made meanwhile, and an attempt that is said to be unknown may have one that it does not show
    wasted USD  billed by the sandbox for the jobs of an attempt, beyond what the attempt shows as settled or at risk
                or what the job cost that the take's video is of; nothing where the take was cancelled
    drift       what each attempt shows of its money, against the entries of the ledger for it
    recovery    see `tests.chaos.tally.recovery_of`
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.chaos.line import BEGINNINGS, ENDINGS, OVER, WORK, Line, micros

Row = Mapping[str, Any]
Takes = Mapping[str, tuple[Row, Row]]
"""A generation and its take, by `<generation>.<take>`."""
_ARGUMENTS = 2


def recount(report: Row) -> Line:
    """Return the line that the rows of a report add up to."""
    generations = report["generations"]
    statuses = Counter(row["status"] for row in generations)
    silent = sum(row["status"] == "failed" and row["category"] is None for row in generations)
    takes = {f"{row['id']}.{take['number']}": (row, take) for row in generations for take in row["takes"]}
    attempts = {
        f"{name}.{attempt['number']}": attempt
        for name, (_, take) in takes.items()
        for attempt in take["attempts"]
    }
    return Line(
        submitted=len(generations),
        completed=statuses["completed"],
        failed=statuses["failed"] - silent,
        cancelled=statuses["cancelled"],
        lost=sum(count for status, count in statuses.items() if status not in OVER) + silent,
        duplicated=_orphans(report, takes) + _unordered(report) + _beyond(report, attempts, takes),
        wasted_micros=_unseen(report, attempts, takes),
        drift_micros=_drift(report),
        worst_recovery_seconds=_worst_recovery(report),
    )


def _take_of(job: Row) -> str:
    return str(job["client_reference"] or "").rpartition(".")[0]


def _orphans(report: Row, takes: Takes) -> int:
    """Jobs that were made for nothing that is known."""
    return sum(_take_of(job) not in takes for job in report["jobs"])


def _unordered(report: Row) -> int:
    """Generations that are not the first answer to any order, but for one of each order without any answer."""
    firsts = [row["answers"][0]["id"] if row["answers"] else None for row in report["orders"]]
    left = {row["id"] for row in report["generations"]}.difference(firsts)
    silent = [row for row in report["orders"] if not row["answers"]]
    return max(len(left) - len(silent), 0)


def _beyond(report: Row, attempts: Mapping[str, Row], takes: Takes) -> int:
    """Jobs beyond the first of each take that nothing explains."""
    by_take: dict[str, list[Row]] = defaultdict(list)
    for job in report["jobs"]:
        if _take_of(job) in takes:
            by_take[_take_of(job)].append(job)
    sharing = Counter(job["client_reference"] for job in report["jobs"])
    count = 0
    for name, jobs in by_take.items():
        generation, _ = takes[name]
        resubmits = generation["on_unknown_submission"] == "resubmit"
        doubtful = dark = 0
        for job in jobs:
            attempt = attempts.get(job["client_reference"], {})
            not_shown = attempt.get("job_id") != job["job_id"]
            forgiven = resubmits and attempt.get("outcome") == "unknown"
            in_the_dark = not resubmits and _made_in_the_dark(job, generation, attempts)
            dark += in_the_dark
            doubtful += sharing[job["client_reference"]] > 1 or (not_shown and not forgiven) or in_the_dark
        count += max(dark, min(doubtful, len(jobs) - 1))
    return count


def _made_in_the_dark(job: Row, generation: Row, attempts: Mapping[str, Row]) -> bool:
    """Tell whether an earlier attempt of the take was of unknown outcome when the job was made."""
    take, number = _take_of(job), int(job["client_reference"].rpartition(".")[2])
    for earlier in range(1, number):
        outcome = attempts.get(f"{take}.{earlier}", {}).get("outcome")
        if outcome == "unknown":
            return True
        told = {
            event["type"]: _seconds(event)
            for event in generation["events"]
            if f"{generation['id']}.{event['take']}.{event['attempt']}" == f"{take}.{earlier}"
        }
        asked, found = told.get("attempt.unknown"), told.get("attempt.found")
        if (
            outcome in {"found", "accepted"}
            and asked is not None
            and asked < job["created_at"]
            and (found is None or job["created_at"] < found)
        ):
            return True
    return False


def _unseen(report: Row, attempts: Mapping[str, Row], takes: Takes) -> int:
    """What was billed and nobody is shown, in micro-dollars."""
    bills: dict[str | None, list[tuple[str, int]]] = defaultdict(list)
    for job in report["jobs"]:
        bills[job["client_reference"]].append((job["job_id"], micros(job["billed_usd"])))
    unseen = 0
    for reference, billed in bills.items():
        _, take = takes.get((reference or "").rpartition(".")[0], ({}, {}))
        if take.get("cancel"):
            continue
        cost = attempts.get(reference or "", {}).get("cost", {})
        told = micros(cost.get("settled_usd", "0")) + micros(cost.get("at_risk_usd", "0"))
        ids = [attempt["job_id"] for attempt in take.get("attempts", ()) if attempt["job_id"] is not None]
        for job_id, bill in billed:
            if take.get("has_video") and ids[-1:] == [job_id]:
                told = max(told, bill)
        unseen += max(sum(bill for _, bill in billed) - told, 0)
    return unseen


_SIGNS = {
    "reserve": (1, 0, 0),
    "top_up": (1, 0, 0),
    "settle": (-1, 1, 0),
    "refund": (-1, 0, 0),
    "at_risk": (-1, 0, 1),
    "resolve": (1, 0, -1),
}
"""What an entry does to what is reserved, settled and at risk."""


def _drift(report: Row) -> int:
    """Differences between attempts and their entries, in micro-dollars, without signs."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for entry in report.get("ledger", ()):
        for place, sign in enumerate(_SIGNS[entry["kind"]]):
            sums[entry["ref"]][place] += sign * entry["amount_micros"]
    for row in report.get("books", ()):
        for place, name in enumerate(("reserved_micros", "settled_micros", "at_risk_micros")):
            sums[row["ref"]][place] -= row[name]
    return sum(abs(left) for numbers in sums.values() for left in numbers)


def _worst_recovery(report: Row) -> float | None:
    """The longest way back, by the kills' times and the events' times."""
    timeline = sorted(
        (_seconds(event), event["seq"], event["type"], generation["id"])
        for generation in report["generations"]
        for event in generation["events"]
    )
    ways = []
    for kill in report["kills"]:
        if kill["part"] == "api":
            ways.append(kill["up_at"] - kill["at"])
            continue
        under_way: dict[str, bool] = {}
        for at, _, kind, generation_id in timeline:
            if at <= kill["at"] and kind in BEGINNINGS | ENDINGS:
                under_way[generation_id] = kind in BEGINNINGS
        since = kill["up_at"] if kill["part"] == "temporal" else kill["at"]
        signs = (
            at
            for at, _, kind, generation_id in timeline
            if at > since and under_way.get(generation_id) and kind.startswith(WORK)
        )
        first = next(signs, None)
        if first is not None:
            ways.append(first - kill["at"])
    return max(ways, default=None)


def _seconds(event: Row) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()


def main() -> int:
    """Print the line of a report."""
    if len(sys.argv) != _ARGUMENTS:
        sys.stderr.write("usage: python -m tests.chaos.recount REPORT\n")
        return 2
    line = recount(json.loads(Path(sys.argv[1]).read_text()))
    sys.stdout.write(f"{line}\n")
    return 0 if line.keeps_the_promises else 1


if __name__ == "__main__":
    sys.exit(main())
