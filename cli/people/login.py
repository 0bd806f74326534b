"""Login links: asked for over HTTP, as they are made by the service that takes them."""

import sys
import uuid

from cli.asking.orders import print_json
from cli.client import Client
from cli.exits import Exit

_PATIENCE_SECONDS = 10.0


async def link(client: Client) -> str:
    """Return the address that logs one browser in, once.

    Raises:
        Refused: The key is not good.
        Unreachable: No answer.
    """
    made = await client.post("/v1/login-links", {}, key=str(uuid.uuid4()), patience_seconds=_PATIENCE_SECONDS)
    return str(made["url"])


async def new_link(client: Client, *, as_json: bool) -> Exit:
    """Print a new login link."""
    url = await link(client)
    if as_json:
        print_json({"url": url})
    else:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
    return Exit.OK
