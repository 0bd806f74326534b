"""Doing a request once per Idempotency-Key: who repeats it is answered as the first time."""

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse

from api.problems import FieldError, Problem
from api.service import Here, Service, now
from storage.idempotency import Gone, Key, KeyReused, Reply, Work, was_used
from storage.idempotency import once as once_per_key

_Sent = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeat a request with the same key and it is done once; kept for 48 hours.",
    ),
]


async def _key(service: Here, request: Request, key: _Sent = None) -> Key | None:
    if key is None:
        return None
    return Key.of(
        tenant_id=service.tenant,
        user_id=service.caller.user_id,
        method=request.method,
        path=request.url.path,
        key=key,
        body=await request.body(),
    )


IdempotencyKey = Annotated[Key | None, Depends(_key)]
"""The key of this very request, by this caller; None where none was sent: then `once` does the work each time."""


async def once(service: Service, key: Key | None, work: Work) -> Reply:
    """Do a request's work, or return what it was answered the first time.

    Raises:
        Problem: The key was used for another body, or what it made was deleted since.
    """
    try:
        return await once_per_key(service.database, key, now(), work)
    except KeyReused as error:
        field = FieldError(pointer="/header/Idempotency-Key", code="reused", message=str(error))
        raise Problem("idempotency_key_reused", str(error), [field]) from error
    except Gone as error:
        raise Problem("deleted", "What this Idempotency-Key made was deleted since.") from error


async def was_done(service: Service, key: Key | None) -> bool:
    """Tell whether a request was answered before, so that `once` will answer it again without any work."""
    return key is not None and await was_used(service.database, key, now())


def respond(reply: Reply) -> JSONResponse:
    """Return a reply as an HTTP answer."""
    headers = reply.headers | ({"Idempotency-Replayed": "true"} if reply.replayed else {})
    return JSONResponse(reply.body, status_code=reply.status, headers=headers)
