"""People with keys: each key is made as `videoplanet keys create` does it, for any tenant, and has an HTTP client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import httpx

from domain.people.callers import Caller, Scope
from domain.people.keys import Key
from runtime import keyring
from runtime.secret import seal_of
from runtime.settings import Settings
from storage.database import Database
from tests.stack import Stack

ALL = frozenset(Scope)
TENANT = "default"


def settings_of(stack: Stack) -> Settings:
    """The settings with which a stack's API works, as far as keys are concerned."""
    return Settings(data_dir=stack.data_dir, database_url=stack.database_url)


async def new_key(
    stack: Stack,
    *scopes: Scope,
    tenant: str = TENANT,
    user: str | None = None,
    expires_at: datetime | None = None,
) -> tuple[Key, str]:
    """Make a key; with every scope if none is named."""
    settings = settings_of(stack)
    wanted = keyring.NewKey(
        tenant_id=tenant,
        user_id=user,
        name="a key of the tests",
        scopes=frozenset(scopes) or ALL,
        expires_at=expires_at,
    )
    async with Database(settings.effective_database_url) as database, database.write() as connection:
        key, written = await keyring.make(connection, seal_of(settings), wanted, Caller(tenant_id=tenant))
    return key, str(written)


def client(stack: Stack, key: str | None = None) -> httpx.AsyncClient:
    """An HTTP client that sends a key, if there is one, and keeps cookies."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=70, trust_env=False)


@asynccontextmanager
async def somebody(
    stack: Stack, *scopes: Scope, tenant: str = TENANT, user: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with a new key."""
    _, key = await new_key(stack, *scopes, tenant=tenant, user=user)
    async with client(stack, key) as http:
        yield http
