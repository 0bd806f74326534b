"""The settings of a deployment, read from the environment once per process."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, computed_field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.fields import Slug
from domain.generation import DeploymentMode
from domain.messages import Limits

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]

_POSTGRESQL, _SQLITE = "postgresql+asyncpg", "sqlite+aiosqlite"
_DRIVERS = {
    "postgres": _POSTGRESQL,
    "postgresql": _POSTGRESQL,
    _POSTGRESQL: _POSTGRESQL,
    "sqlite": _SQLITE,
    _SQLITE: _SQLITE,
}
_SSLMODE = re.compile(r"(?<=[?&])sslmode=")


class Settings(BaseSettings):
    """Every setting, with its default. `VIDEOPLANET_<NAME>` unless another name is given."""

    model_config = SettingsConfigDict(
        env_prefix="VIDEOPLANET_", frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    mode: DeploymentMode = DeploymentMode.SANDBOX
    data_dir: Path = Path(".videoplanet")
    database_url: str | None = Field(
        default=None,
        description="`postgresql://user@host/name` or `sqlite:///file`; SQLite in the data dir if unset.",
    )

    api_host: str = "127.0.0.1"
    api_port: Port = 8000
    sandbox_port: Port = 8700
    sandbox_url: str | None = Field(
        default=None, description="Where the sandbox listens, if not on loopback."
    )
    sandbox_seconds: Annotated[float, Field(ge=0)] = 8.0
    temporal_port: Port = 7233
    temporal_ui_port: Port = 8233
    temporal_ui_url: str | None = Field(default=None, description="Where people reach the Temporal UI.")

    runway_api_key: SecretStr | None = Field(default=None, validation_alias="RUNWAY_API_KEY")
    runway_base_url: str = "https://api.dev.runwayml.com"
    seedance_api_key: SecretStr | None = Field(default=None, validation_alias="SEEDANCE_API_KEY")
    seedance_base_url: str = Field(
        default="https://ark.ap-southeast.bytepluses.com",
        description="Without `/api/v3`; China: https://ark.cn-beijing.volces.com.",
    )
    stability_api_key: SecretStr | None = Field(default=None, validation_alias="STABILITY_API_KEY")
    stability_base_url: str | None = Field(
        default=None, description="A server of your own that speaks Stability's wire; the hosted one is gone."
    )
    stability_price_usd: Annotated[Decimal, Field(ge=0, le=1000)] = Field(
        default=Decimal(0), description="What a video costs on your own server: nobody bills it."
    )

    @field_validator("database_url")
    @classmethod
    def _with_our_drivers(cls, url: str | None) -> str | None:
        """Take a URL as other programs write it, and name our driver in it."""
        if url is None:
            return None
        scheme, separator, rest = url.strip().partition("://")
        driver = _DRIVERS.get(scheme.lower())
        if driver is None or not separator:  # said without the URL: it may hold a password
            raise ValueError("must begin with postgresql:// or sqlite://")
        # What libpq and every hosting company call `sslmode`, asyncpg calls `ssl`.
        return f"{driver}://{_SSLMODE.sub('ssl=', rest)}"

    @field_validator("runway_api_key", "seedance_api_key", "stability_api_key")
    @classmethod
    def _fits_into_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        """Drop the newline that files and shells leave; refuse what no header can carry, without saying it."""
        if key is None:
            return None
        text = key.get_secret_value().strip()
        if not text:
            return None
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("a key has printable ASCII characters only")
        return SecretStr(text)

    tenant_id: Slug = Field(
        default="default", description="Whose generations this API process takes and shows."
    )
    providers_file: Path | None = Field(
        default=None,
        description="What each account can bear, as TOML; `providers.toml` in the working folder if it is there.",
    )
    max_concurrent: Annotated[int, Field(ge=1)] = Field(
        default=3,
        validation_alias=AliasChoices("VIDEO_QUEUE_MAX_CONCURRENT", "max_concurrent"),
        description="Jobs and orders under way at one account at once.",
    )
    spacing_seconds: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="Between two orders at one account; the provider's own rule if unset."
    )
    retry_delay_ms: Annotated[int, Field(ge=0)] = Field(
        default=30_000, validation_alias=AliasChoices("VIDEO_QUEUE_RETRY_DELAY", "retry_delay_ms")
    )
    send_seconds: Seconds = Field(
        default=30, description="From the grant of an attempt to its write, at most."
    )
    answer_seconds: Seconds = Field(
        default=60, description="From the write to the provider's answer, at most."
    )
    look_up_seconds: Seconds = Field(
        default=300, description="How long a job is looked for after a lost answer, at most."
    )
    job_seconds: Seconds = Field(default=900, description="How long a provider's job may take.")
    cancel_seconds: Seconds = Field(
        default=120,
        description="How long a provider is asked to stop a job after the job's own time is over.",
    )
    poll_seconds: Seconds | None = Field(
        default=None, description="Between two looks at a job; the provider's own rule if unset."
    )
    heartbeat_seconds: Seconds = Field(
        default=30, description="Silence after which a watch is taken up elsewhere."
    )
    store_seconds: Seconds = Field(
        default=3600, description="How long fetching and proving an output may take."
    )
    nudge_after_seconds: Seconds = Field(default=10, description="Age at which an unheard wish is repeated.")
    reconcile_seconds: Annotated[float, Field(ge=1)] = Field(
        default=60, description="Between two rounds of the reconciler; also the silence that makes it doubt."
    )
    max_output_bytes: Annotated[int, Field(gt=0)] = 1_000_000_000
    max_cached_workflows: Annotated[int, Field(ge=0)] = 1000
    log_json: bool = False

    @computed_field  # type: ignore[prop-decorator]  # pydantic documents this order; mypy knows no decorated properties
    @property
    def effective_database_url(self) -> str:
        """The database to use, as an async SQLAlchemy URL."""
        if self.database_url is not None:
            return self.database_url
        return f"sqlite+aiosqlite:///{(self.data_dir / 'videoplanet.db').absolute()}"

    @property
    def effective_sandbox_url(self) -> str:
        """The base URL of the sandbox."""
        return self.sandbox_url or f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def effective_temporal_ui_url(self) -> str:
        """The base URL of the Temporal UI."""
        return self.temporal_ui_url or f"http://127.0.0.1:{self.temporal_ui_port}"

    @property
    def assets_dir(self) -> Path:
        """Where the stored files live."""
        return self.data_dir / "assets"

    @property
    def limits(self) -> Limits:
        """The limits that a claimed order carries."""
        return Limits(
            send_within=timedelta(seconds=self.send_seconds),
            answer_within=timedelta(seconds=self.answer_seconds),
            look_up=timedelta(seconds=self.look_up_seconds),
            job=timedelta(seconds=self.job_seconds),
            cancel=timedelta(seconds=self.cancel_seconds),
            heartbeat=timedelta(seconds=self.heartbeat_seconds),
            store=timedelta(seconds=self.store_seconds),
            retry_delay=timedelta(milliseconds=self.retry_delay_ms),
        )
