"""Pictures over HTTP: upload one, use its `image_id` as the first frame of videos, delete it."""

import asyncio
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, Field
from starlette.datastructures import FormData

from api import files
from api.door import audit
from api.door.scopes import needs
from api.files import FileKind, stored_file
from api.pictures.taking_in import MAX_IMAGE_BYTES, decoded, keep
from api.problems import Problem, invalid, not_found
from api.service import Here, Service, now
from domain.people.callers import Scope
from storage.files import images, uses
from storage.files.pictures import Picture
from storage.people.audit import Action

_CHUNK_BYTES = 1 << 20

router = APIRouter(prefix="/v1/images", tags=["images"])
ImageId = Annotated[str, InPath(max_length=64, description="`img_` and 32 characters.")]


class ImageOut(BaseModel):
    """An uploaded picture, as it is kept: a JPEG without any metadata."""

    id: str = Field(examples=["img_9f86d081884c7d659a2feaa0c55ad015"])
    url: str
    width: int = Field(description="In pixels, upright.")
    height: int
    size_bytes: int
    sha256: str
    source_type: str = Field(description="The media type of what was uploaded.", examples=["image/png"])
    created_at: AwareDatetime

    @classmethod
    def of(cls, image: images.Image) -> "ImageOut":
        """Return a picture as JSON."""
        return cls(
            id=image.id,
            url=f"/v1/images/{image.id}/file",
            width=image.width,
            height=image.height,
            size_bytes=image.size_bytes,
            sha256=image.sha256,
            source_type=image.source_type,
            created_at=image.created_at,
        )


@router.post(
    "",
    status_code=201,
    response_model=ImageOut,
    responses={200: {"model": ImageOut, "description": "The same picture was uploaded before"}},
    summary="Upload a picture",
)
@needs(Scope.GENERATE)
async def upload(
    service: Here,
    request: Request,
    file: Annotated[UploadFile, File(description="A JPEG, PNG or WebP of 20 MiB at most.")],
) -> JSONResponse:
    """Take a picture in: its type is told by its content, and it is encoded anew, without any metadata.

    The id follows from the content: the same picture again is answered 200 with the same id.
    """
    _is_alone(await request.form())
    if (file.size or 0) > MAX_IMAGE_BYTES:
        raise Problem("body_too_large", f"The picture may have {MAX_IMAGE_BYTES} bytes at most.")
    with service.uploads.place():
        jpeg, picture = await _decoded(service, file)
    image, is_new = await keep(service, jpeg, picture)
    return JSONResponse(
        ImageOut.of(image).model_dump(mode="json"),
        status_code=201 if is_new else 200,
        headers={"Location": f"/v1/images/{image.id}"},
    )


@router.get("/{image_id}", summary="Look at a picture's facts")
async def show(service: Here, image_id: ImageId) -> ImageOut:
    """Return what is known of a picture."""
    return ImageOut.of(await _find(service, image_id))


@router.get(
    "/{image_id}/file",
    response_class=FileResponse,
    responses=FileKind.JPEG.answers,
    openapi_extra=files.HEADERS,
    summary="The picture",
)
@router.head("/{image_id}/file", response_class=FileResponse, include_in_schema=False)
async def content(service: Here, request: Request, image_id: ImageId) -> Response:
    """Return the picture as JPEG."""
    image = await _find(service, image_id)
    return stored_file(service, request, FileKind.JPEG, image.sha256, of=image_id, never_changes=True)


@router.delete("/{image_id}", status_code=204, response_class=Response, summary="Delete a picture")
@needs(Scope.GENERATE)
async def delete(service: Here, image_id: ImageId) -> Response:
    """Erase a picture; refused while a generation that is not over needs it."""
    try:
        async with service.database.write() as connection:
            image = await images.find(connection, service.tenant, image_id, service.caller.only_user)
            if image is None:
                raise not_found("picture")
            await images.remove(connection, image, now())
            await audit.note(service, connection, Action.IMAGE_DELETED, image_id)
    except images.ImageInUse as error:
        raise Problem("image_in_use", "A generation that is not over needs this picture.") from error
    # If we end here, a worker's eraser goes on.
    async with service.database.write() as connection:
        await uses.erase_image(connection, service.assets, image)
    return Response(status_code=204)


def _is_alone(form: FormData) -> None:
    """Refuse a form with more than the one picture; of two, one would be ignored silently."""
    wrong = [("extra_forbidden", name, "is not a field of ours") for name in form if name != "file"]
    if len(form.getlist("file")) > 1:
        wrong.append(("too_many", "file", "is one picture: send them one by one"))
    if wrong:
        raise invalid({"loc": (name,), "type": code, "msg": message} for code, name, message in wrong)


async def _decoded(service: Service, file: UploadFile) -> tuple[bytes, Picture]:
    """Return an upload as the JPEG that is kept."""
    async with service.decoding, service.assets.scratch() as folder:
        uploaded, made = folder / "uploaded", folder / "made.jpg"
        await _save(file, uploaded)
        return await decoded(uploaded, made, "/file")


async def _save(file: UploadFile, target: Path) -> None:
    with target.open("wb") as out:
        while chunk := await file.read(_CHUNK_BYTES):
            await asyncio.to_thread(out.write, chunk)


async def _find(service: Service, image_id: str) -> images.Image:
    async with service.database.read() as connection:
        image = await images.find(connection, service.tenant, image_id, service.caller.only_user)
    if image is None:
        raise not_found("picture")
    return image
