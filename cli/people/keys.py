"""The commands about keys: make one, list them, revoke one.

They work on the database itself, not over HTTP: the first key must be made before there is an API that others can
reach, and whoever has the database and the deployment's secret could write keys anyway.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.exits import HELP
from domain.people.callers import Scope

if TYPE_CHECKING:  # imported where it runs, so that `videoplanet --help` is quick
    from collections.abc import Awaitable, Callable

    from cli.exits import Exit
    from cli.people.key_work import House

app = typer.Typer(name="keys", help="Keys: who may come in, and what for.", no_args_is_help=True, epilog=HELP)

_Tenant = Annotated[
    str | None, typer.Option(metavar="TENANT", help="Whose keys; VIDEOPLANET_TENANT_ID if left out.")
]


@app.command(epilog=HELP)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it is for: read and generate if left out. Repeatable."),
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="USER", help="Whose requests these are.")] = None,
    days: Annotated[
        float | None, typer.Option(min=0.001, max=36_500, help="How long it is good; for ever if left out.")
    ] = None,
    tenant: _Tenant = None,
    as_json: options.Json = False,
) -> None:
    """Make a key and print it: it is shown this once and kept nowhere."""
    from cli.people import key_work  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    scopes = frozenset(scope or (Scope.READ, Scope.GENERATE))
    _run(lambda house: key_work.create(house, name, scopes, user=user, days=days, as_json=as_json), tenant)


@app.command("list", epilog=HELP)
def list_keys(tenant: _Tenant = None, as_json: options.Json = False) -> None:
    """List a tenant's keys, the newest first; their secrets nobody can show."""
    from cli.people import key_work  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    _run(lambda house: key_work.show(house, as_json=as_json), tenant)


@app.command(epilog=HELP)
def revoke(
    key_id: Annotated[
        str, typer.Argument(metavar="ID", help="The part of the key between vp_ and its secret.")
    ],
    tenant: _Tenant = None,
) -> None:
    """Make a key worth nothing, with every session, ticket and link that was made with it; within two seconds."""
    from cli.people import key_work  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    _run(lambda house: key_work.revoke(house, key_id), tenant)


def _run(task: "Callable[[House], Awaitable[Exit]]", tenant: str | None) -> None:
    from cli.people import key_work  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    raise typer.Exit(key_work.run(task, tenant))
