"""Keys for tests: made as an admin makes them."""

from collections.abc import Sequence

from tests.stack import Stack

EVERYTHING = ("read", "generate", "act_as", "operate", "admin")


def bearer(key: str) -> dict[str, str]:
    """The header with which a program says who it is."""
    return {"Authorization": f"Bearer {key}"}


async def make_key(
    stack: Stack,
    name: str,
    *,
    scopes: Sequence[str] = EVERYTHING,
    user_id: str | None = None,
    as_key: str | None = None,
) -> str:
    """Make a key; the first one of a house without another's help."""
    body = {"name": name, "scopes": list(scopes), **({"user_id": user_id} if user_id else {})}
    answer = await stack.http.post("/v1/keys", json=body, headers=bearer(as_key) if as_key else {})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])
