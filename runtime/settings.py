"""The settings of a deployment, read from the environment once per process."""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from limits import parse as parse_rate
from pydantic import AliasChoices, Field, SecretStr, computed_field, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from domain.fields import Slug
from domain.generation import DeploymentMode
from domain.limits import Limits
from domain.orders.line_up import entry_of
from runtime.provider_doors import DoorSettings, DoorsFromEnvironment, variables_of

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
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
_SECRET_LENGTH = 32
_SSLMODE = re.compile(r"(?<=[?&])sslmode=")


class Settings(BaseSettings):
    """Every setting, with its default. `VIDEOPLANET_<NAME>` unless another name is given."""

    model_config = SettingsConfigDict(
        env_prefix="VIDEOPLANET_",
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,  # what is wrong with a secret is said without the secret
    )

    mode: DeploymentMode = DeploymentMode.SANDBOX
    data_dir: Path = Path(".videoplanet")
    database_url: str | None = Field(
        default=None,
        description="`postgresql://user@host/name` or `sqlite:///file`; SQLite in the data dir if unset.",
    )

    api_host: str = "127.0.0.1"
    api_port: Port = 8000
    public_url: str | None = Field(
        default=None, description="Where people reach the API, such as `https://videos.example.com`."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Whose pages may call the API from a browser: origins, with commas between."
    )
    secret_key: SecretStr | None = Field(
        default=None, description="What keys are sealed with; `secret.key` in the data dir if unset."
    )
    rate_reads: str = Field(
        default="600/minute", description="Requests of one key that only look; of one address without keys."
    )
    rate_writes: str = Field(default="120/minute", description="Requests of one key that change something.")
    rate_wrong_keys: str = Field(
        default="20/minute", description="Wrong keys, tickets and sessions that one address may try."
    )
    redis_url: SecretStr | None = Field(
        default=None, description="Where API processes count requests together; each for itself if unset."
    )
    request_seconds: Seconds = Field(
        default=30,
        description="How long a client may take to send the head of a request, and its body; uploads ten times.",
    )
    retention_days: Annotated[float, Field(gt=0, le=36_500)] | None = Field(
        default=None,
        description="Finished generations are deleted after so many days, but those with a kept take; never if unset.",
    )
    sandbox_port: Port = 8700
    sandbox_url: str | None = Field(
        default=None, description="Where the sandbox listens, if not on loopback."
    )
    sandbox_seconds: Annotated[float, Field(ge=0)] = 8.0
    temporal_port: Port = 7233
    temporal_ui_port: Port = 8233
    temporal_ui_url: str | None = Field(default=None, description="Where people reach the Temporal UI.")

    doors: Annotated[Mapping[str, DoorSettings], NoDecode] = Field(
        default_factory=dict,
        description="By provider: keys, other addresses and prices, under the names that its entry gives them.",
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

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parsed = urlsplit(url.strip().rstrip("/"))
        if parsed.scheme not in {"http", "https"} or not parsed.hostname or parsed.path or parsed.query:
            raise ValueError("must be http:// or https:// and a host, such as https://videos.example.com")
        return parsed.geturl()

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _are_origins(cls, listed: object) -> object:
        if not isinstance(listed, str):
            return listed
        origins = tuple(origin.strip().rstrip("/") for origin in listed.split(",") if origin.strip())
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin: name each as https://host or https://host:port")
        return origins

    @field_validator("secret_key")
    @classmethod
    def _is_hard_to_guess(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < _SECRET_LENGTH:
            raise ValueError(
                f"must have {_SECRET_LENGTH} characters at least: `openssl rand -hex 32` makes one"
            )
        return key

    @field_validator("rate_reads", "rate_writes", "rate_wrong_keys")
    @classmethod
    def _is_a_rate(cls, rate: str) -> str:
        try:
            parse_rate(rate)
        except ValueError:
            raise ValueError(
                "must be a number of requests per time, such as 600/minute or 5/10 seconds"
            ) from None
        return rate

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("redis://", "rediss://")):
            raise ValueError("must begin with redis:// or rediss://")
        return url

    tenant_id: Slug = Field(
        default="default", description="Whose generations this API process takes and shows."
    )
    providers_file: Path | None = Field(
        default=None,
        description="What each account can bear, as TOML; `providers.toml` in the working folder if it is there.",
    )
    tenants_file: Path | None = Field(
        default=None,
        description="What each tenant may do, as TOML; `tenants.toml` in the working folder if it is there.",
    )
    duplicate_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=10,
        description="How long the same order of the same user is answered with the first one; 0: never.",
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
    image_url_seconds: Seconds = Field(
        default=20, description="How long fetching the picture of an `image_url` may take."
    )
    max_cached_workflows: Annotated[int, Field(ge=0)] = 1000
    log_json: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - there is no such file
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, where providers name their own variables."""
        return init_settings, env_settings, DoorsFromEnvironment(settings_cls, os.environ)

    def door(self, provider: str) -> DoorSettings:
        """Return what is set for a provider."""
        return self.doors.get(provider, DoorSettings())

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
    def keep_for(self) -> timedelta | None:
        """How long finished generations are kept; None: for ever."""
        return None if self.retention_days is None else timedelta(days=self.retention_days)

    @property
    def assets_dir(self) -> Path:
        """Where the stored files live."""
        return self.data_dir / "assets"

    @property
    def duplicate_window(self) -> timedelta:
        """How long the same order is answered with the first one."""
        return timedelta(seconds=self.duplicate_seconds)

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


def variable_of(place: Sequence[int | str]) -> str:
    """Return what the environment calls the setting at a place in `Settings`, as errors of validation give it."""
    match place:
        case ("doors", str(provider), str(field), *_) if (entry := entry_of(provider)) is not None:
            return variables_of(entry.door)[field]
        case _:
            name = "_".join(str(part) for part in place)
            return name if name.isupper() else f"VIDEOPLANET_{name.upper()}"
