"""What listens, or could: the ports, the API, Temporal."""

import asyncio

from cli.address import api_url
from cli.client import Client, Refused, Unreachable
from cli.doctor.checks import Check, State
from cli.running import ports, stack
from runtime.settings import Settings

_API_SECONDS = 5


def port(part: str, settings: Settings, remembered: ports.Ports | None) -> Check:
    """Look whether a part could listen, or does already."""
    name = f"port of {part.replace('_', ' ')}"
    if remembered is not None:
        return Check(name=name, state=State.OK, found=f"{getattr(remembered, part)}, ours")
    setting = f"{part}_port"
    port: int = getattr(settings, setting)
    if port == 0 or ports.is_free(port, settings.api_host if part == "api" else "127.0.0.1"):
        return Check(name=name, state=State.OK, found=f"{port or 'any'}, free")
    variable = f"VIDEOPLANET_{part.upper()}_PORT"
    if setting in settings.model_fields_set:
        advice = f"end the program that has it, or change {variable}"
        return Check(name=name, state=State.PROBLEM, found=f"{port}, taken", advice=advice)
    found = f"{port}, taken by another program; `up` will take the next free one"
    return Check(name=name, state=State.OK, found=found)


async def api(settings: Settings, *, named: bool, is_up: bool) -> Check:
    """Ask the API whether it is ready; it must be where it was named, or where a stack runs."""
    url = api_url(settings)
    try:
        async with asyncio.timeout(_API_SECONDS), Client(url) as client:
            await client.get("/readyz")
    except (Refused, Unreachable, TimeoutError) as error:
        if named or is_up:
            advice = f"look into {settings.data_dir / 'logs' / 'api.log'}, or correct VIDEOPLANET_URL"
            return Check(
                name="API", state=State.PROBLEM, found=str(error) or f"no answer from {url}", advice=advice
            )
        return Check(
            name="API", state=State.OFF, found=f"not running at {url}", advice="start `videoplanet up`"
        )
    return Check(name="API", state=State.OK, found=f"ready at {url}")


async def temporal(address: str, *, must: bool) -> Check:
    """Look whether a Temporal server listens, which it must where it was named, or where a stack runs."""
    if await stack.listens(address):
        return Check(name="Temporal", state=State.OK, found=f"listens at {address}")
    state = State.PROBLEM if must else State.OFF
    advice = "start it, or correct TEMPORAL_ADDRESS" if must else "start `videoplanet up`"
    return Check(name="Temporal", state=state, found=f"nothing at {address}", advice=advice)
