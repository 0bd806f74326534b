"""The video that `videoplanet up` makes to show that everything works, through HTTP like everybody's."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from cli import console
from cli.asking import following, progress, showing
from cli.client import Client, Json, Refused, Unreachable
from cli.exits import Exit, Stop
from cli.problems import exit_of, lines_of

_PATIENCE_SECONDS = 120.0  # a part that died is started again meanwhile


async def make(api_url: str, prompt: str, *, key: str | None, assets: Path, timeout_seconds: float) -> Exit:
    """Order a video, show its progress, and say where it is; whatever goes wrong is said, not raised.

    Args:
        api_url: Where the API listens.
        prompt: What the video shows.
        key: Shows who orders it.
        assets: The folder of the asset store.
        timeout_seconds: The most that it may take.

    Returns:
        OK only if the video is a file in the store.
    """
    output, errors = console.output(), console.errors()
    try:
        async with Client(api_url, key) as client:
            generation = await _made(client, prompt, output, errors, timeout_seconds)
            return await _tell(client, generation, assets, output)
    except Refused as refused:
        for text in lines_of(refused):
            console.line(errors, text, "red")
        return exit_of(refused)
    except Unreachable as away:
        console.line(errors, str(away), "red")
        return Exit.UNREACHABLE
    except Stop as stop:
        console.line(errors, str(stop), "red")
        return stop.code


async def _made(
    client: Client, prompt: str, output: Console, errors: Console, timeout_seconds: float
) -> Json:
    give_up_at = time.monotonic() + timeout_seconds
    console.line(output, f'making a video: "{prompt}"')
    async with progress.display(output, errors) as display:
        client.note = display.note
        order = await client.post("/v1/generations", {"prompt": prompt}, patience_seconds=_PATIENCE_SECONDS)
        return await following.follow(
            client, order, display, give_up_at=give_up_at, patience_seconds=_PATIENCE_SECONDS
        )


async def _tell(client: Client, generation: Json, assets: Path, output: Console) -> Exit:
    from storage.files.assets import LocalAssets  # noqa: PLC0415 - needed once, at the end

    video = following.video_of(generation)
    if generation["status"] != "completed" or video is None:
        showing.generation(output, generation, client.base_url)
        return Exit.CANCELLED if generation["status"] == "cancelled" else Exit.FAILED
    path = LocalAssets(assets).path_of(str(video["sha256"]), ".mp4")
    if not await asyncio.to_thread(path.is_file):
        console.line(output, f"the video is said to be stored, but {path} is not there", "red")
        return Exit.FAILED
    if output.is_terminal and not output.no_color:
        await _show(client, str(video["poster_url"]), output)
    temporal = (generation.get("links") or {}).get("temporal")
    for name, value in (
        ("video", str(path)),
        ("poster", showing.link(client.base_url, str(video["poster_url"]))),
        ("page", f"{client.base_url}/"),
        ("Temporal", str(temporal)),
        ("cost", showing.real_money(generation)),
    ):
        console.line(output, f"{name:<9} {value}", "bold" if name == "video" else "")
    return Exit.OK


async def _show(client: Client, poster_url: str, output: Console) -> None:
    """Draw the poster; the video counts, and a missing picture of it is no failure."""
    from cli.running.halfblocks import halfblocks  # noqa: PLC0415 - loads the picture library, needed once

    with suppress(Refused, Unreachable, ValueError):
        async with client.stream(poster_url, {}) as response:
            poster = halfblocks(await response.aread())
        output.print("", poster, "", sep="\n")
