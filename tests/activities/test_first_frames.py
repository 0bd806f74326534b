"""The pictures that orders start from are fitted once, and what is gone is said to be gone."""

import io
from pathlib import Path

import pytest
from PIL import Image

from activities.first_frames import FirstFrameGone, FirstFrames
from domain.attempts.failures import Category
from domain.orders.plans import FirstFrame, Plan
from storage.files.assets import LocalAssets
from tests.factories import a_plan, an_image_plan
from tests.line_up import a_picture


async def plan_of(assets: LocalAssets) -> Plan:
    kept = await assets.put_bytes(a_picture(900, 900, "JPEG"), ".jpg")
    frame = FirstFrame(image_id="img_1", sha256=kept.sha256, width=900, height=900)
    return an_image_plan(first_frame=frame, width=320, height=256)


async def test_a_picture_comes_in_the_size_of_its_video_and_is_fitted_once(tmp_path: Path) -> None:
    assets = LocalAssets(tmp_path)
    frames, plan = FirstFrames(assets), await plan_of(assets)
    fitted = await frames.fitted(plan)
    assert fitted is not None
    assert Image.open(io.BytesIO(fitted)).size == (320, 256)
    assert plan.first_frame is not None
    await assets.delete(plan.first_frame.sha256, ".jpg")
    assert await frames.fitted(plan) == fitted


async def test_a_picture_that_was_deleted_is_the_users_to_replace(tmp_path: Path) -> None:
    assets = LocalAssets(tmp_path)
    plan = await plan_of(assets)
    assert plan.first_frame is not None
    await assets.delete(plan.first_frame.sha256, ".jpg")
    with pytest.raises(FirstFrameGone) as raised:
        await FirstFrames(assets).fitted(plan)
    assert (raised.value.failure.category, raised.value.failure.code) == (Category.VALIDATION, "image_gone")


async def test_a_plan_without_a_picture_has_none(tmp_path: Path) -> None:
    assert await FirstFrames(LocalAssets(tmp_path)).fitted(a_plan()) is None
