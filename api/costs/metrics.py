"""Metrics of the money, as Prometheus reads them; counted when they are asked for."""

import time

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select

from api.door.scopes import needs
from api.service import Here, Service
from domain.money import MICROS_PER_DOLLAR
from domain.people.callers import Scope
from storage.money.drift import drift
from storage.tables import spending

router = APIRouter(tags=["service"])

_KINDS = ("reserved", "settled", "at_risk")
_COUNTED_FOR_SECONDS = 15.0


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
@needs(Scope.OPERATE)
async def metrics(service: Here) -> Response:
    """Return how much is reserved, settled and at risk by provider, and how far the books disagree: always 0."""
    known = service.last_metrics
    if time.monotonic() - known.at > _COUNTED_FOR_SECONDS:
        known.text, known.at = await _count(service), time.monotonic()
    return Response(known.text, media_type=CONTENT_TYPE_LATEST)


async def _count(service: Service) -> bytes:
    registry = CollectorRegistry()
    money = Gauge(
        "videoplanet_money_usd",
        "Money of all orders, in US dollars.",
        ["provider", "kind"],
        registry=registry,
    )
    difference = Gauge(
        "videoplanet_ledger_drift_usd", "How far ledger and rows disagree; 0.", registry=registry
    )
    totals = (
        select(spending.c.provider, *(func.sum(spending.c[f"{kind}_micros"]).label(kind) for kind in _KINDS))
        .where(spending.c.mode == service.settings.mode)
        .group_by(spending.c.provider)
    )
    async with service.database.read() as connection:
        for row in (await connection.execute(totals)).mappings():
            for kind in _KINDS:
                money.labels(row["provider"], kind).set(int(row[kind]) / MICROS_PER_DOLLAR)
        difference.set((await drift(connection)).micros / MICROS_PER_DOLLAR)
    return generate_latest(registry)
