"""The command that tells what was ordered and what it costs, what of that was for nothing, and what is left."""

import typer
from rich.text import Text

from cli import console, options
from cli.asking import session
from cli.asking.showing import moment
from cli.client import Client, Json
from cli.exits import HELP, Exit

_SHARES = {"by_provider": "provider", "by_project": "project", "by_user": "user"}
_NOBODYS = "-"

app = typer.Typer()


@app.command(epilog=HELP)
def usage(as_json: options.Json = False) -> None:
    """Show what was ordered today and this month, what it costs, and what is left; of a user's key, that user's."""
    session.run(lambda client: _show(client, as_json))


async def _show(client: Client, as_json: bool) -> Exit:
    answer = await client.get("/v1/usage")
    if as_json:
        console.print_json(answer)
    else:
        _print(answer)
    return Exit.OK


def _print(answer: Json) -> None:
    output = console.output()
    whose = "everybody's" if answer["user_id"] is None else f"{answer['user_id']}'s"
    pretend = ", no real money" if answer["mode"] == "sandbox" else ""
    console.line(output, f"{whose} ({answer['mode']}{pretend}), {answer['in_flight']} under way", "bold")
    spent = console.table("", "videos", "billed", "reserved", "at risk", "until")
    for name in ("today", "month"):
        period = answer[name]
        spent.add_row(name, *_numbers(period), moment(period["resets_at"]))
    console.print_table(output, spent)
    wasted = answer["wasted"]
    console.line(
        output,
        f"for nothing this month: ${wasted['total_usd']} (failed ${wasted['failed_usd']}, "
        f"cancelled ${wasted['cancelled_usd']}, older takes ${wasted['unkept_usd']})",
    )
    for limit in answer["limits"]:
        resets = f", until {moment(limit['resets_at'])}" if limit["resets_at"] else ""
        name = f"{limit['whose']}'s {limit['kind'].replace('_', ' ')}"
        console.line(output, f"limit: {name}: {limit['used']} of {limit['limit']}{resets}")
    for key, of in _SHARES.items():
        if any(share["id"] is not None for share in answer[key]):
            console.line(output, "")
            _print_shares(of, answer[key])


def _print_shares(of: str, shares: list[Json]) -> None:
    table = console.table(of, "videos this month", "billed", "reserved", "at risk")
    for share in shares:
        table.add_row(Text(share["id"] or _NOBODYS), *_numbers(share["month"]))
    console.print_table(console.output(), table)


def _numbers(spent: Json) -> tuple[str, str, str, str]:
    cost = spent["cost"]
    return (
        str(spent["generations"]),
        f"${cost['settled_usd']}",
        f"${cost['reserved_usd']}",
        f"${cost['at_risk_usd']}",
    )
