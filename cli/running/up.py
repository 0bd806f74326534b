"""`videoplanet up`: the whole stack with one command, and one video to show that it works.

Ctrl-C ends it in order; a second Ctrl-C ends it at once. Everything that is not finished goes on at the next `up`.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from cli import console
from cli.client import Client, Refused, Unreachable
from cli.exits import Exit, Stop
from cli.people import entry
from cli.running import first_video, operator_key, ports, provider_keys, stack
from cli.running.lock import FolderInUse, FolderLock
from domain.generation import DeploymentMode
from runtime.accounts import access_of
from runtime.misconfigured import Misconfigured
from runtime.settings import Settings

DEFAULT_PROMPT = "A red fox runs over fresh snow at sunrise, low sun, slow motion"


class Options(BaseModel):
    """How `up` was called.

    Attributes:
        once: Stop after the first video.
        prompt: What it shows; if left out, a fox where it costs nothing, and no video where it costs real money.
        grace_seconds: How long worker and API may take to finish when they are stopped.
        timeout_seconds: The most that the first video may take.
    """

    model_config = ConfigDict(frozen=True)

    once: bool = False
    prompt: str | None = None
    grace_seconds: float = 10.0
    timeout_seconds: float = 1800.0


def run(options: Options, settings: Settings, environ: Mapping[str, str]) -> Exit:
    """Run a stack until it is told to stop; returns how that ended."""
    errors = console.errors()
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    folder, claims = FolderLock(settings.data_dir), ports.Claims()
    try:
        _require_keys(settings)
        _require_prompt(options, settings)
        folder.take_up()
        chosen = ports.choose(settings, claims, stack.listening_parts(settings, environ))
        return asyncio.run(_serve(options, settings, chosen, environ, folder))
    except (FolderInUse, ports.PortBusy) as busy:
        console.line(errors, str(busy), "red")
        return Exit.REFUSED
    except Stop as stop:
        console.line(errors, str(stop), "red")
        return stop.code
    except KeyboardInterrupt:  # before any part was started; later it is heard as a signal
        return Exit.INTERRUPTED
    except OSError as error:
        console.line(errors, f"cannot work in {settings.data_dir}: {error}", "red")
        return Exit.REFUSED
    finally:
        claims.release()
        folder.release()


def _require_keys(settings: Settings) -> None:
    try:
        access_of(settings)
    except Misconfigured as error:
        raise Stop(str(error), Exit.REFUSED) from error
    if settings.mode is DeploymentMode.LIVE and not provider_keys.usable(settings):
        closed = "".join(f" ({account.retirement})" for account in provider_keys.retired(settings))
        raise Stop(
            f"live mode needs a provider's key: set {provider_keys.choice()}, "
            f"or leave live mode for pretend providers that cost nothing{closed}",
            Exit.REFUSED,
        )


def _require_prompt(options: Options, settings: Settings) -> None:
    if settings.mode is DeploymentMode.LIVE and options.once and options.prompt is None:
        raise Stop("in live mode the first video costs real money: say what it shows", Exit.REFUSED)


async def _serve(
    options: Options, settings: Settings, chosen: ports.Ports, environ: Mapping[str, str], folder: FolderLock
) -> Exit:
    output = console.output()
    began = time.monotonic()

    def say(text: str) -> None:
        console.line(output, f"{time.monotonic() - began:6.1f} s  {text}", "dim")

    console.line(output, f"VideoPlanet, {settings.mode} mode, data in {settings.data_dir}")
    descriptor = await stack.take_parts(folder, say, options.grace_seconds)
    parts = stack.Stack(settings, chosen, environ, say, descriptor)
    async with _until_told_to_stop(parts, say) as told:
        try:
            work = asyncio.create_task(_work(options, settings, parts))
            stopped = asyncio.create_task(told.wait())
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                code = work.result()
                if not options.once:
                    await stopped
                    code = Exit.OK
            else:
                work.cancel()
                with suppress(asyncio.CancelledError):
                    await work
                code = Exit.INTERRUPTED
            stopped.cancel()
        finally:
            say("stopping")
            await parts.stop(options.grace_seconds)
            say("stopped")
    return code


async def _work(options: Options, settings: Settings, parts: stack.Stack) -> Exit:
    await parts.start()
    output = console.output()
    console.line(output, f"serving at {parts.api_url}/", "bold")
    key = operator_key.read(settings.data_dir)
    if not options.once:
        await _say_how_to_log_in(parts, key)
    prompt = options.prompt or (DEFAULT_PROMPT if settings.mode is DeploymentMode.SANDBOX else None)
    code = Exit.OK
    if prompt is None:
        console.line(output, "live mode: no video is bought unless you ask for one")
    else:
        code = await first_video.make(
            parts.api_url,
            prompt,
            key=key,
            assets=Path(settings.assets_dir),
            timeout_seconds=options.timeout_seconds,
        )
    if not options.once:
        console.line(output, "")
        console.line(output, 'serving until Ctrl-C; another video: videoplanet generate "..."', "bold")
    return code


async def _say_how_to_log_in(parts: stack.Stack, key: str | None) -> None:
    """Print a link for the browser; without one the stack is as good, so nothing is raised."""
    output = console.output()
    try:
        async with Client(parts.api_url, key) as client:
            console.line(output, f"log in, once, within an hour: {await entry.link(client)}", "bold")
    except (Refused, Unreachable) as error:
        console.line(output, f"no login link ({error}); `videoplanet login` makes one", "yellow")


@asynccontextmanager
async def _until_told_to_stop(parts: stack.Stack, say: stack.Say) -> AsyncIterator[asyncio.Event]:
    """Turn the first signal to stop into an event, and a second one into the end of every part at once."""
    told = asyncio.Event()

    def hear(number: signal.Signals) -> None:
        if told.is_set():
            say("ending everything at once")
            parts.kill()
        else:
            say(f"{number.name}; once more ends everything at once")
            told.set()

    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, hear, number)
    try:
        yield told
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
