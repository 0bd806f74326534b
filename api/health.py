"""Whether the service is alive, and ready for its work."""

import asyncio
from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from api.service import Here, Service

router = APIRouter(tags=["service"])

_PATIENCE = timedelta(seconds=2)


@router.get("/healthz", summary="Is the process alive?")
@router.head("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    """Answer without looking at anything else."""
    return {"status": "ok"}


class ReadyOut(BaseModel):
    """Whether the service can do its work, and which part is away."""

    status: str = Field(examples=["ok", "unavailable"])
    mode: str = Field(description="`sandbox` or `live`.")
    parts: dict[str, str] = Field(examples=[{"database": "ok", "temporal": "unavailable"}])


@router.get(
    "/readyz",
    summary="Can it do its work?",
    response_model=ReadyOut,
    responses={503: {"model": ReadyOut, "description": "A part is away"}},
)
@router.head("/readyz", include_in_schema=False)
async def readyz(service: Here) -> JSONResponse:
    """Ask the parts. Orders are accepted while Temporal is away; they are worked on when it is back."""
    database, temporal = await asyncio.gather(_database(service), _temporal(service))
    parts = {"database": database, "temporal": temporal}
    ready = all(state == "ok" for state in parts.values())
    body = {"status": "ok" if ready else "unavailable", "mode": service.settings.mode, "parts": parts}
    return JSONResponse(body, status_code=200 if ready else 503)


async def _database(service: Service) -> str:
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()), service.database.read() as connection:
            await connection.execute(text("SELECT 1 FROM generations LIMIT 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        return "unavailable"
    return "ok"


async def _temporal(service: Service) -> str:
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            await service.client.service_client.check_health(timeout=_PATIENCE)
    except (RPCError, RuntimeError, TimeoutError):
        return "unavailable"
    return "ok"
