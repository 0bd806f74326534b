"""The one way to connect to Temporal: for the worker, the API, the migration and the tests."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig

from runtime.settings import Settings

RPC_TIMEOUT = timedelta(seconds=5)
"""How long one request to Temporal may take, where nothing else is said."""


async def connect(settings: Settings, *, lazy: bool = False) -> Client:
    """Return a client.

    Args:
        settings: Say where the embedded server is; Temporal's own `TEMPORAL_*` variables say where another one is,
            with its TLS and keys.
        lazy: Return at once and connect when first used: a process that must start while Temporal is down.

    Raises:
        RuntimeError: The server cannot be reached.
    """
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", f"127.0.0.1:{settings.temporal_port}")
    return await Client.connect(
        **config,
        lazy=lazy,
        data_converter=pydantic_data_converter,
        interceptors=[TracingInterceptor()],
    )
