"""Following a generation to its end, and fetching its video: what every `--wait` does."""

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any

from cli.asking.progress import Display
from cli.client import Client, Json, Unreachable
from cli.exits import Exit, Stop

TERMINAL = frozenset({"completed", "failed", "cancelled"})
_POLL_SECONDS = 20
_SHORTEST_ROUND_SECONDS = 0.5  # against a service that answers at once instead of holding the answer back
_FETCHED_AGAIN = 3


def path_of(generation_id: str) -> str:
    """Return the path of a generation in the API."""
    return f"/v1/generations/{generation_id}"


async def follow(
    client: Client,
    generation: Json,
    display: Display,
    *,
    give_up_at: float,
    patience_seconds: float,
) -> Json:
    """Wait until a generation has ended, whatever happens to the service meanwhile.

    Args:
        client: The service.
        generation: Its state as last seen.
        display: Shown every new state.
        give_up_at: On the monotonic clock.
        patience_seconds: How long a service that is away is tried.

    Returns:
        The generation in its terminal state.

    Raises:
        Stop: It has not ended in time; it goes on without us.
        Refused: The service refuses to tell.
        Unreachable: The service is away for longer than the patience.
    """
    seen = generation
    display.show(seen)
    while seen["status"] not in TERMINAL:
        remaining = give_up_at - time.monotonic()
        if remaining <= 0:
            raise Stop(
                f"timed out waiting; {seen['id']} goes on: look again with `videoplanet show {seen['id']} --wait`",
                Exit.TIMED_OUT,
            )
        seen = await _next_state(client, seen, min(_POLL_SECONDS, max(1, int(remaining))), patience_seconds)
        display.show(seen)
    return seen


async def _next_state(client: Client, seen: Json, wait_seconds: int, patience_seconds: float) -> Json:
    began = time.monotonic()
    query: dict[str, Any] = {"wait": wait_seconds, "after": seen.get("last_seq")}
    state = await client.patiently(
        lambda: client.get(path_of(seen["id"]), query, wait_seconds=wait_seconds), patience_seconds
    )
    if state.get("last_seq") == seen.get("last_seq"):
        await asyncio.sleep(max(0.0, _SHORTEST_ROUND_SECONDS - (time.monotonic() - began)))
    return state


def video_of(generation: Json) -> Json | None:
    """Return the newest stored video of a generation."""
    for take in reversed(generation.get("takes") or []):
        if take.get("video"):
            video: Json = take["video"]
            return video
    return None


async def download(client: Client, generation: Json, target: Path) -> Path:
    """Fetch the video into a file, which appears only when it is whole and is what the service says it is.

    Raises:
        Stop: There is no video, it arrived damaged, or it cannot be written there.
        Refused: The service refuses.
        Unreachable: The connection broke again and again.
    """
    video = video_of(generation)
    if video is None:
        raise Stop(f"{generation['id']} has no video", Exit.FAILED)
    if await asyncio.to_thread(target.is_dir):
        target /= f"{generation['id']}.mp4"
    partial = target.with_name(f".{target.name}.part")
    for again in reversed(range(_FETCHED_AGAIN)):
        try:
            digest = await _fetch(client, str(video["url"]), partial)
        except Unreachable as away:
            partial.unlink(missing_ok=True)
            if not again:
                raise
            client.note(f"{away.reason}; fetching the video again")
            await asyncio.sleep(1)
            continue
        except OSError as error:
            raise Stop(f"the video cannot be written to {target}: {error.strerror}", Exit.REFUSED) from error
        if digest != video.get("sha256", digest):
            partial.unlink(missing_ok=True)
            raise Stop("the video arrived damaged: its checksum is wrong", Exit.UNREACHABLE)
        partial.replace(target)
        break
    return target


async def _fetch(client: Client, url: str, into: Path) -> str:
    digest = hashlib.sha256()
    async with client.stream(url, {}) as response:
        with into.open("wb") as file:
            async for chunk in response.aiter_bytes():
                digest.update(chunk)
                file.write(chunk)
    return digest.hexdigest()
