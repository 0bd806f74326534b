"""What a sandbox can be told, from arguments or from `VIDEOPLANET_SANDBOX_*` in the environment.

Everything a contract calls uncertain is a setting here, so that a client is tested against both readings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_QUEUE_SHARE = 0.1  # of a job's time; a stay in the queue is short where nobody is throttled


class Settings(BaseSettings):
    """The settings of one sandbox process; each is also `VIDEOPLANET_SANDBOX_<NAME>`.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        seconds: How long an unthrottled job takes from its creation to its end.
        queue_seconds: How much of that it waits before it runs; None is a tenth.
        data_dir: Where jobs are kept, so that they survive the process; None keeps them in memory.
        max_concurrent: Jobs of one model that run at once; the next ones are throttled.
        daily_cap: Jobs of one model in a rolling day; the next one is refused with 429.
        output_ttl_seconds: How long an output URL works after it was handed out.
        sends_retry_after: Whether the refusal at the daily cap carries `Retry-After`.
        slow_factor: How many times longer a job takes under the fault `slow`.
        picture_variety: How many different pictures a prompt can have; None is one per seed. Measurements
            that do not care for pictures set 1, and the sandbox renders once.
        film_cache_bytes: How many bytes of rendered films are kept in memory.
        runway_missing_version_status: Runway's answer to a request without `X-Runway-Version`.
        runway_credits: Runway's prepaid credits; None never runs out.
        callback_patience_seconds: How long a receiver of callbacks may take to confirm one.
        seedance_list_echoes: What of a client's own marks Seedance's list shows: `both` the seed and the
            `safety_identifier`, `seed` only that, or `nothing`. A single task always shows both.
    """

    model_config = SettingsConfigDict(
        env_prefix="VIDEOPLANET_SANDBOX_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8700, ge=0, le=65535)
    seconds: float = Field(default=8.0, ge=0)
    queue_seconds: float | None = Field(default=None, ge=0)
    data_dir: Path | None = None
    max_concurrent: int = Field(default=50, ge=1)
    daily_cap: int = Field(default=30_000, ge=0)
    output_ttl_seconds: float = Field(default=24 * 3600.0, gt=0)
    sends_retry_after: bool = False
    slow_factor: float = Field(default=5.0, ge=1)
    picture_variety: int | None = Field(default=None, ge=1)
    film_cache_bytes: int = Field(default=64 * 1024 * 1024, ge=0)
    runway_missing_version_status: int = Field(default=400, ge=400, le=499)
    runway_credits: int | None = Field(default=None, ge=0)
    callback_patience_seconds: float = Field(default=5.0, gt=0)
    seedance_list_echoes: Literal["both", "seed", "nothing"] = "both"

    @property
    def wait_seconds(self) -> float:
        """How long an unthrottled job waits before it runs."""
        share = self.seconds * _QUEUE_SHARE if self.queue_seconds is None else self.queue_seconds
        return min(share, self.seconds)

    @property
    def run_seconds(self) -> float:
        """How long a job runs once it has started."""
        return self.seconds - self.wait_seconds
