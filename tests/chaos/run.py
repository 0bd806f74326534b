"""A chaos run: `python -m tests.chaos.run --generations N --kills K --seed S --report PATH`, or `make chaos`.

A whole stack with two tenants is used and broken at once. Then everything is given the time to end, and what the
users were shown is held against what the provider's side did. The report has every row that the last line is
counted from. Exit status 0 only if nothing was lost and nothing was paid twice.
"""

import argparse
import asyncio
import json
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from storage.database import Database
from storage.money.drift import drift
from storage.tables import attempts, ledger
from tests.chaos.damage import Damage, sandbox_says, say
from tests.chaos.line import Line
from tests.chaos.plan import Plan, draw
from tests.chaos.recount import recount
from tests.chaos.tally import recovery_of, tally
from tests.chaos.users import Lookout, Tenant
from tests.eventually import eventually, eventually_so
from tests.stack import QUICK, Stack

Json = dict[str, Any]
CAP, SPACING_SECONDS = 8, 0.2
SETTINGS = {
    "VIDEO_QUEUE_MAX_CONCURRENT": str(CAP),
    "VIDEOPLANET_SPACING_SECONDS": str(SPACING_SECONDS),
    "VIDEOPLANET_JOB_SECONDS": "15",
    "VIDEOPLANET_CANCEL_SECONDS": "5",
    "VIDEOPLANET_LOOK_UP_SECONDS": "20",
}
_ORDERS_SECONDS = 300.0
_LAST_JOBS_SECONDS = 10.0


@dataclass(frozen=True)
class Options:
    """How much of it.

    Attributes:
        settle_seconds: How long everything may take to end after the last kill and the last order.
    """

    generations: int
    kills: int
    seed: int
    report: Path
    settle_seconds: float = 300.0


class Disagreement(Exception):
    """The run's own count is not what its rows add up to."""


async def run(options: Options, data_dir: Path) -> Line:
    """Do a run and write its report.

    Raises:
        Disagreement: The run and the recount of its report differ.
    """
    plan = draw(options.generations, options.kills, options.seed)
    stack = Stack(data_dir, SETTINGS)
    damage, lookout, began = Damage(stack, plan.kills), Lookout(), time.time()
    tenants = {name: Tenant(name, url, lookout) for name, url in damage.urls.items()}
    try:
        await damage.start()
        for tenant in tenants.values():
            await tenant.move_in()
        say(f"seed {plan.seed}: {options.generations} generations and {options.kills} kills, in {data_dir}")
        helpers = [asyncio.create_task(lookout.run()), asyncio.create_task(damage.keep_up())]
        try:
            await _use_and_break(plan, damage, tenants)
            await _settle(stack, lookout, options.settle_seconds)
        finally:
            for helper in helpers:
                helper.cancel()
            ended = await asyncio.gather(*helpers, return_exceptions=True)
        for result in ended:
            if isinstance(result, Exception):
                raise result
        report = await _harvest(stack, damage, tenants)
    finally:
        for tenant in tenants.values():
            await tenant.close()
        await stack.close()
    settings = QUICK | SETTINGS | {"tenants": sorted(tenants)}
    unknown = {"priority", "fallback_providers", "on_unknown_submission"} - tenants["amber"].known
    head = {"seed": plan.seed, "settings": settings, "fields_not_known": sorted(unknown)}
    times = {"began_at": began, "took_seconds": round(time.time() - began, 1)}
    return _write(options.report, {**head, **times, **report})


async def _use_and_break(plan: Plan, damage: Damage, tenants: dict[str, Tenant]) -> None:
    orders = []
    for each in plan.rounds:
        await damage.misbehave(each.faults)
        orders += [asyncio.create_task(tenants[order.tenant].order(order)) for order in each.orders]
        await damage.do(each.act)
    if orders:
        _, late = await asyncio.wait(orders, timeout=_ORDERS_SECONDS)
        for task in late:
            task.cancel()
        results = await asyncio.gather(*orders, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


async def _settle(stack: Stack, lookout: Lookout, within: float) -> None:
    """Wait until every generation is over, then a little for jobs that go on after a cancel."""
    say(f"the last kill is over; {len(lookout.open)} generations are still under way")
    with suppress(AssertionError):  # what is not over by then is lost, and counted as that
        await eventually_so(lambda: not lookout.open, within=within)

    async def idle() -> bool:
        return all(job["ended_at"] is not None for job in (await sandbox_says(stack, "jobs"))["jobs"])

    with suppress(AssertionError):  # a job that nobody knows of may be stuck for ever
        await eventually(idle, within=_LAST_JOBS_SECONDS)


async def _harvest(stack: Stack, damage: Damage, tenants: dict[str, Tenant]) -> Json:
    """Everything that the line is counted from."""
    orders = sorted(
        (row for tenant in tenants.values() for row in tenant.orders), key=lambda row: row["number"]
    )
    of_order = {answer["id"]: row for row in orders for answer in row["answers"] if answer["id"]}
    owners = {generation_id: tenants[row["tenant"]] for generation_id, row in of_order.items()}
    for tenant in tenants.values():
        for generation_id in await tenant.everything():
            owners.setdefault(generation_id, tenant)
    generations = []
    for generation_id, tenant in owners.items():
        shown, events = await tenant.story_of(generation_id)
        body = of_order.get(generation_id, {}).get("body", {})
        generations.append(_row(generation_id, tenant.name, body, shown, events))
    refused = sum(
        row["answers"] != [] and row["answers"][0]["status"] != httpx.codes.ACCEPTED for row in orders
    )
    unanswered = sum(row["answers"] == [] for row in orders)
    if refused or unanswered:
        say(f"{refused} orders were refused, {unanswered} were never answered")
    kills = [kill | {"recovered_seconds": recovery_of(kill, generations)} for kill in damage.kills]
    load = (await sandbox_says(stack, "load"))["providers"]
    jobs = (await sandbox_says(stack, "jobs"))["jobs"]
    books = await _books(stack)
    return {
        "line": asdict(tally(generations, orders, jobs, kills, books.pop("drift_micros"))),
        **books,
        "doors": {provider: _door(seen) for provider, seen in load.items()},
        "kills": kills,
        "pauses": damage.pauses,
        "deaths": damage.deaths,
        "orders": orders,
        "generations": generations,
        "jobs": jobs,
        "load": load,
    }


async def _books(stack: Stack) -> Json:
    """The ledger's entries, the attempts' money, and what the service's own comparison of the two says."""
    async with Database(stack.database_url) as database, database.read() as connection:
        found = await drift(connection)
        entries = await connection.execute(select(ledger.c.ref, ledger.c.kind, ledger.c.amount_micros))
        rows = await connection.execute(
            select(
                attempts.c.ref,
                attempts.c.reserved_micros,
                attempts.c.settled_micros,
                attempts.c.at_risk_micros,
            )
        )
        return {
            "drift_micros": found.micros,
            "ledger": [dict(entry) for entry in entries.mappings()],
            "books": [dict(row) for row in rows.mappings()],
        }


def _row(generation_id: str, tenant: str, body: Json, shown: Json | None, events: Sequence[Json]) -> Json:
    """A generation as the report has it."""
    wish = {"id": generation_id, "tenant": tenant, "on_unknown_submission": body.get("on_unknown_submission")}
    told = [{name: event[name] for name in ("seq", "type", "take", "attempt", "at")} for event in events]
    if shown is None:
        return {**wish, "status": "missing", "category": None, "takes": [], "events": told}
    return {
        **wish,
        "status": shown["status"],
        "stage": shown["stage"],
        "category": shown["error"] and shown["error"]["category"],
        "error": shown["error"],
        "cost": shown["cost"],
        "created_at": shown["created_at"],
        "completed_at": shown["completed_at"],
        "takes": [
            {
                "number": take["number"],
                "status": take["status"],
                "superseded_by": take["superseded_by"],
                "cancel": take["cancel"],
                "has_video": take["video"] is not None,
                "attempts": take["attempts"],
            }
            for take in shown["takes"]
        ],
        "events": told,
    }


def _door(seen: Json) -> Json:
    """Whether cap and spacing were kept, where the provider stands."""
    gap = seen["min_gap_seconds"]
    return {
        "max_at_once": seen["max_at_once"],
        "cap_kept": seen["max_at_once"] <= CAP,
        "min_gap_seconds": gap,
        "spacing_kept": gap is None or gap >= SPACING_SECONDS,
    }


def _write(path: Path, report: Json) -> Line:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1))
    line, again = Line(**report["line"]), recount(json.loads(path.read_text()))
    if line != again:
        raise Disagreement(f"counted: {line}; recounted from {path}: {again}")
    return line


def main(argv: Sequence[str] | None = None) -> int:
    """Do a run and print where its report is, and its line."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--generations", type=int, default=200)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=None, help="drawn if not given")
    parser.add_argument(
        "--report", type=Path, default=None, help=".videoplanet/chaos-<seed>.json if not given"
    )
    told = parser.parse_args(argv)
    seed = secrets.randbelow(1_000_000) if told.seed is None else told.seed
    report = told.report or Path(".videoplanet") / f"chaos-{seed}.json"
    data_dir = Path(tempfile.mkdtemp(prefix="chaos-"))
    line = asyncio.run(run(Options(told.generations, told.kills, seed, report), data_dir))
    if line.keeps_the_promises:
        shutil.rmtree(data_dir, ignore_errors=True)
    else:
        say(f"what the processes logged is in {data_dir}")
    sys.stdout.write(f"{report}\n{line}\n")
    return 0 if line.keeps_the_promises else 1


if __name__ == "__main__":
    sys.exit(main())
