"""Why a generation stands where it stands: what happened to it as a plain timeline, and what it waits for now."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from cli import console
from cli.asking import event_log, showing
from cli.asking.following import TERMINAL, path_of
from cli.asking.progress import describe
from cli.asking.standing import span, when
from cli.client import Client, Json
from cli.exits import Exit

_PROGRESS = "attempt.progress"
_WIDTH = 11


async def tell(client: Client, generation_id: str, as_json: bool) -> Exit:
    """Print the story of a generation, and where it stands now."""
    generation = await client.get(path_of(generation_id))
    events = await event_log.so_far(client, generation_id)
    if as_json:
        console.print_json({"generation": generation, "events": events})
        return Exit.OK
    output = console.output()
    prompt = str((generation.get("request") or {}).get("prompt") or "")
    console.line(output, f"{generation['id']}  {prompt}", "bold")
    for line in timeline(events):
        console.line(output, line)
    for line in _now(generation):
        console.line(output, line)
    return Exit.OK


def timeline(events: Sequence[Json]) -> Iterator[str]:
    """Return a line for each event: the time since the first one, whose it is, and the sentence.

    Of progress only the last word before something else happened is told.
    """
    shown = [
        event
        for event, following in zip(events, [*events[1:], None], strict=False)
        if event["type"] != _PROGRESS or following is None or following["type"] != _PROGRESS
    ]
    whose = ""
    for event in shown:
        of, passed = _whose(event), _moment(event) - _moment(shown[0])
        yield f"{_since(passed):>{_WIDTH}}  {of if of != whose else '':<{_WIDTH}}  {event['message']}"
        whose = of


def _whose(event: Json) -> str:
    attempt = event.get("attempt")
    return f"take {event['take']}" + (f", no. {attempt}" if attempt else "")


def _now(generation: Json) -> Iterator[str]:
    """Return where it stands: what it waits for, when that may be over, and the money."""
    is_over = generation["status"] in TERMINAL
    yield f"{'in the end' if is_over else 'now':>{_WIDTH}}  {describe(generation)}"
    if queue := generation.get("queue"):
        yield _fact(str(queue["message"]))
        if queue["eta_seconds"] is not None:
            yield _fact(f"its turn comes in about {span(queue['eta_seconds'])}")
    if retry_at := generation.get("retry_at"):
        yield _fact(f"the next attempt begins {when(retry_at)}")
    if error := generation.get("error"):
        yield _fact(f"{error['category']}: {error['message']}")
        if error.get("advice"):
            yield _fact(str(error["advice"]))
    for take in (generation.get("takes") or [])[-1:]:
        if take.get("cancel"):
            yield _fact(showing.cancel_words(take["cancel"]))
    yield _fact(f"cost: {showing.real_money(generation)}")


def _fact(text: str) -> str:
    return f"{'':>{_WIDTH}}  {text}"


def _since(passed: timedelta) -> str:
    seconds = passed.total_seconds()
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"+{hours}:{minutes:02}:{rest:02}"
    return f"+{minutes}:{rest:02}" if minutes else f"+{seconds:.1f} s"


def _moment(event: Json) -> datetime:
    return datetime.fromisoformat(event["at"])
