"""Makes every check, one after the other, and prints what was found."""

import asyncio
from collections.abc import Iterator, Mapping

from rich.text import Text

from cli import console
from cli.doctor import configuration, machine, servers
from cli.doctor.checks import Check, State
from cli.exits import Exit
from cli.running import lock, ports, provider_keys, stack
from domain.generation import DeploymentMode
from runtime.settings import Settings


def run(settings: Settings, environ: Mapping[str, str], *, as_json: bool) -> Exit:
    """Look at everything and print it; FAILED where there is a problem."""
    checks = list(examine(settings, environ))
    healthy = all(check.state is not State.PROBLEM for check in checks)
    if as_json:
        console.print_json({"ok": healthy, "checks": [check.model_dump(mode="json") for check in checks]})
    else:
        _print(checks)
    return Exit.OK if healthy else Exit.FAILED


def examine(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """Make every check, one after the other."""
    is_up = lock.running(settings.data_dir)
    remembered = ports.load(settings.data_dir) if is_up else None
    yield machine.python()
    yield machine.disk(settings.data_dir)
    yield machine.temporal_binary(environ)
    yield machine.database(settings)
    yield configuration.secret(settings)
    for account in provider_keys.looked_at(settings):
        yield configuration.key(account)
    prices = configuration.prices(settings)
    yield prices
    if settings.mode is DeploymentMode.LIVE and prices.state is State.OK:
        yield configuration.live(settings)
    for part in stack.listening_parts(settings, environ):
        yield servers.port(part, settings, remembered)
    yield asyncio.run(servers.api(settings, named="VIDEOPLANET_URL" in environ, is_up=is_up))
    external = environ.get("TEMPORAL_ADDRESS")
    port = remembered.temporal if remembered else settings.temporal_port
    yield asyncio.run(servers.temporal(external or f"127.0.0.1:{port}", must=is_up or external is not None))


def _print(checks: list[Check]) -> None:
    output = console.output()
    columns = ("", "check", "found", "what to do")
    table = console.table(*columns, folded=columns)
    styles = {State.OK: "green", State.OFF: "dim", State.PROBLEM: "red"}
    for check in checks:
        style = styles[check.state]
        table.add_row(Text(check.state.value, style=style), check.name, Text(check.found), Text(check.advice))
    console.print_table(output, table)
