"""Bringing the stores to what this version needs: the SQL schema, the search attributes, and who serves what.

Runs of an older version of the workflow are handed over (`runtime.housekeeping.handover`) after the schema is
current: the new ones need it. What an older process starts afterwards is handed over by the reconciler.
"""

import asyncio

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from runtime.housekeeping.handover import hand_over
from runtime.settings import Settings
from runtime.temporal import connect
from runtime.temporal_server import SEARCH_ATTRIBUTES
from storage.database import Database
from storage.schema import upgrade

_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
}
_TRIES = 30

log = structlog.get_logger(__name__)


async def migrate(settings: Settings) -> None:
    """Apply what is missing; harmless to repeat.

    Raises:
        RuntimeError: Temporal could not be reached within half a minute.
    """
    async with Database(settings.effective_database_url) as database:
        await upgrade(database)
    log.info("the schema is current")
    for tries_left in reversed(range(_TRIES)):
        try:
            client = await connect(settings)
            await ensure_search_attributes(client)
            async with Database(settings.effective_database_url) as database:
                await hand_over(client, database)
        except (RPCError, RuntimeError):
            if not tries_left:
                raise
            await asyncio.sleep(1)
        else:
            break
    log.info("the search attributes are registered, and no run of an older version is open")


async def ensure_search_attributes(client: Client) -> None:
    """Register the search attributes that the namespace does not have yet."""
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = {
        name: _TYPES[kind] for name, kind in SEARCH_ATTRIBUTES.items() if name not in known.custom_attributes
    }
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
