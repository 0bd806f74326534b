"""Pictures that are given by their address: fetched once, before anything is written, and from then on named by id.

What is stored is a request with an `image_id`, so the next take begins with the same picture whatever became of the
address; an address may hold a secret of its user's and is not kept. A request that was answered before fetches
nothing.
"""

import asyncio
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError

from api.generations.finding import find
from api.idempotency import was_done
from api.pictures.taking_in import MAX_IMAGE_BYTES, decoded, keep, unusable
from api.problems import FieldError, Problem, invalid
from api.service import Service
from domain.orders.params import Params
from domain.orders.pictures import BEGINNING_BYTES, PictureFault, may_be_picture
from domain.orders.regeneration import next_request
from domain.orders.request import GenerationRequest, RegenerateRequest
from providers.outgoing.doors import Forbidden
from storage.idempotency import Key

POINTER = "/params/image_url"


async def with_picture(service: Service, key: Key | None, asked: GenerationRequest) -> GenerationRequest:
    """Return an order that names its first frame by an id, after fetching what it names by an address.

    Raises:
        Problem: The picture cannot be had.
    """
    url = asked.params.image_url
    if url is None or await was_done(service, key):
        return asked
    params = asked.params.model_dump(exclude_none=True, exclude={"image_url"})
    params["image_id"] = await _image_at(service, url)
    return asked.model_copy(update={"params": Params.model_validate(params)})


async def change_with_picture(
    service: Service, key: Key | None, generation_id: str, change: RegenerateRequest
) -> RegenerateRequest:
    """Return what the next take changes, with its first frame by an id; see `with_picture`.

    Raises:
        Problem: The picture cannot be had, or the change would be refused without it.
    """
    changed: dict[str, Any] = change.params or {}
    if changed.get("image_url") is None or await was_done(service, key):
        return change
    generation = await find(service, generation_id)
    try:
        url = next_request(generation.current.request, change).params.image_url
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False)) from error
    if url is None:
        return change
    params = {name: value for name, value in changed.items() if name != "image_url"}
    params["image_id"] = await _image_at(service, url)
    return change.model_copy(update={"params": params})


async def _image_at(service: Service, url: str) -> str:
    """Fetch a picture, keep it as one of the tenant's, and return its id."""
    with service.fetches.place(service.tenant):
        async with service.assets.scratch() as folder:
            fetched = folder / "fetched"
            await _fetch(service, url, fetched)
            async with service.decoding:
                jpeg, picture = await decoded(fetched, folder / "made.jpg", POINTER)
    image, _ = await keep(service, jpeg, picture)
    return image.id


async def _fetch(service: Service, url: str, target: Path) -> None:
    way, patience = service.fetches.outgoing, service.fetches.patience
    try:
        async with way.get(url, patience) as answer:
            if answer.status_code != httpx.codes.OK:
                status = answer.status_code
                raise _unreachable(f"http_{status}", f"The picture's server answered {status}.")
            await _save(answer, target)
    except Forbidden as forbidden:
        raise _refused(forbidden) from forbidden
    except httpx.TimeoutException:
        message = f"The picture did not arrive within {patience.total:g} seconds, or its server fell silent."
        raise _unreachable("timeout", message) from None
    except httpx.HTTPError:
        message = "The picture's server cannot be reached, or broke off: is the address right, and public?"
        raise _unreachable("no_answer", message) from None


async def _save(answer: httpx.Response, target: Path) -> None:
    """Write what comes, as long as it may be a picture and is not too large."""
    announced = answer.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) < 20 and int(announced) > MAX_IMAGE_BYTES:  # noqa: PLR2004 - digits
        raise _too_large()
    size, beginning = 0, b""
    with target.open("wb") as out:
        async for chunk in answer.aiter_raw():
            size += len(chunk)
            if size > MAX_IMAGE_BYTES:
                raise _too_large()
            if len(beginning) < BEGINNING_BYTES:
                beginning += chunk[:BEGINNING_BYTES]
                _check_beginning(beginning)
            await asyncio.to_thread(out.write, chunk)
    _check_beginning(beginning.ljust(BEGINNING_BYTES, b"\0"))


def _check_beginning(beginning: bytes) -> None:
    if len(beginning) >= BEGINNING_BYTES and not may_be_picture(beginning):
        reason = "What is at this address is no JPEG, PNG or WebP."
        raise unusable(POINTER, PictureFault.NOT_A_PICTURE, reason)


def _too_large() -> Problem:
    return unusable(POINTER, PictureFault.TOO_LARGE, f"The picture may have {MAX_IMAGE_BYTES} bytes at most.")


def _refused(forbidden: Forbidden) -> Problem:
    message = f"The picture's address {forbidden.reason}."
    field = FieldError(pointer=POINTER, code=forbidden.code, message=message)
    return Problem("image_url_refused", message, [field])


def _unreachable(code: str, message: str) -> Problem:
    field = FieldError(pointer=POINTER, code=code, message=message)
    return Problem("image_url_unreachable", message, [field])
