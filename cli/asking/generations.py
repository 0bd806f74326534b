"""The commands about generations that there are: look at one, list them, end one, erase one.

They speak HTTP to a running service and need neither Temporal nor a database.
"""

from typing import Annotated, Any

import typer

from cli import console, options
from cli.asking import event_log, session, showing, story
from cli.asking.following import path_of
from cli.asking.waiting import Waiting, finish, waiting_for
from cli.client import Client
from cli.exits import HELP, Exit

app = typer.Typer()


@app.command(epilog=HELP)
def show(
    generation_id: options.GenerationId,
    wait: options.Wait = False,
    output: options.Output = None,
    timeout: options.Timeout = None,
    as_json: options.Json = False,
) -> None:
    """Show one generation; follow it or fetch its video where asked."""
    waiting = waiting_for(wait=wait, output=output, timeout=timeout, as_json=as_json)
    gid = options.generation_id(generation_id)
    session.run(lambda client: _show(client, gid, waiting))


@app.command("list", epilog=HELP)
def list_(
    status: Annotated[
        str | None, typer.Option(help="pending, processing, completed, failed or cancelled.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Only of this provider.")] = None,
    project: Annotated[str | None, typer.Option(metavar="ID", help="Only of this project.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended.")] = None,
    q: Annotated[
        str | None, typer.Option("--q", metavar="WORDS", help="Only where the prompt says this.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List generations, newest first."""
    query = {"status": status, "provider": provider, "project_id": project, "limit": limit}
    query |= {"cursor": cursor, "q": q}
    session.run(lambda client: _listing(client, query, as_json))


@app.command(epilog=HELP)
def cancel(
    generation_id: options.GenerationId,
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only tell what it would do, and what it would cost.")
    ] = False,
    timeout: options.Timeout = None,
    idempotency_key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """End a generation, and say whether its provider's job could be stopped."""
    waiting = waiting_for(timeout=timeout, as_json=as_json)
    gid = options.generation_id(generation_id)
    if preview:
        session.run(lambda client: _preview_cancel(client, gid, as_json))
    session.run(lambda client: _cancel(client, gid, reason, waiting, idempotency_key))


@app.command(epilog=HELP)
def delete(
    generation_id: options.GenerationId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase a generation that is over: its prompt, its videos, its events. What it cost stays in the books."""
    gid = options.generation_id(generation_id)
    if not yes:
        typer.confirm(f"Erase {gid} with all its videos for good?", abort=True, err=True)
    session.run(lambda client: _delete(client, gid))


@app.command(epilog=HELP)
def events(
    generation_id: options.GenerationId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it has ended.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document; with --follow one for every event.")
    ] = False,
) -> None:
    """Show what happened to a generation."""
    read = event_log.follow if follow else event_log.read
    gid = options.generation_id(generation_id)
    session.run(lambda client: read(client, gid, as_json))


@app.command(epilog=HELP)
def workflow(generation_id: options.GenerationId, as_json: options.Json = False) -> None:
    """Show the Temporal workflow behind a generation, for operators."""
    gid = options.generation_id(generation_id)
    session.run(lambda client: _workflow(client, gid, as_json))


@app.command(epilog=HELP)
def why(generation_id: options.GenerationId, as_json: options.Json = False) -> None:
    """Tell the story of a generation: what happened when, what was decided and why, and what it waits for now."""
    gid = options.generation_id(generation_id)
    session.run(lambda client: story.tell(client, gid, as_json))


async def _show(client: Client, generation_id: str, waiting: Waiting) -> Exit:
    """Show a generation, wait for it or fetch its video where asked."""
    give_up_at = waiting.give_up_at
    generation = await client.get(path_of(generation_id))
    code = await finish(client, generation, waiting, give_up_at)
    if not waiting.as_json:
        showing.adjustments(console.output(), generation)
    return code if waiting.wait or waiting.output else Exit.OK


async def _cancel(
    client: Client, generation_id: str, reason: str | None, waiting: Waiting, key: str | None
) -> Exit:
    """Ask for the end of a generation and say what came of it."""
    body: dict[str, Any] = {} if reason is None else {"reason": reason}
    answer = await client.post(
        f"{path_of(generation_id)}/cancel",
        body,
        key=key,
        patience_seconds=waiting.patience_seconds,
    )
    if waiting.as_json:
        console.print_json(answer)
    else:
        words = f"{generation_id}: {showing.cancel_words(answer)}, cost {showing.money(answer)}"
        console.line(console.output(), words)
    return Exit.OK


async def _preview_cancel(client: Client, generation_id: str, as_json: bool) -> Exit:
    """Say what a cancel would do; ask for nothing."""
    answer = await client.get(f"{path_of(generation_id)}/cancel-preview")
    if as_json:
        console.print_json(answer)
    else:
        words = f"{generation_id}: {answer['message']} cost then: {showing.money(answer)}"
        console.line(console.output(), words)
    return Exit.OK


async def _delete(client: Client, generation_id: str) -> Exit:
    """Erase a generation."""
    await client.delete(path_of(generation_id))
    console.line(console.output(), f"{generation_id} is deleted; what it cost stays in the books")
    return Exit.OK


async def _workflow(client: Client, generation_id: str, as_json: bool) -> Exit:
    """Print what the workflow of a generation says of itself."""
    answer = await client.get(f"{path_of(generation_id)}/workflow")
    if as_json:
        console.print_json(answer)
    else:
        showing.workflow(console.output(), answer)
    return Exit.OK


async def _listing(client: Client, query: dict[str, Any], as_json: bool) -> Exit:
    """Print one page of generations."""
    page = await client.get("/v1/generations", query)
    if as_json:
        console.print_json(page)
    elif page["data"]:
        showing.generations(console.output(), page)
    else:
        console.line(console.output(), "no generations")
    return Exit.OK
