"""What each account can bear: built-in defaults, the environment, and `providers.toml`, the last one wins."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.line_up import LINE_UP, SPACING
from domain.tickets import AccountLimits, BreakerLimits
from runtime.settings import Settings

DEFAULT_FILE = Path("providers.toml")


class BadProvidersFile(ValueError):
    """The file cannot be used; the message names the file, the key, and what would be right."""


class _Breaker(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    in_a_row: Annotated[int, Field(ge=1)] | None = None
    window: Annotated[int, Field(ge=1)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    open_seconds: Annotated[float, Field(gt=0)] | None = None


class _Account(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    max_concurrent: Annotated[int, Field(ge=1)] | None = None
    spacing_seconds: Annotated[float, Field(ge=0)] | None = None
    ageing_seconds: Annotated[float, Field(gt=0)] | None = None
    breaker: _Breaker = _Breaker()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    accounts: dict[str, _Account] = Field(default_factory=dict)


def account_limits_of(settings: Settings) -> Mapping[str, AccountLimits]:
    """Return what each account can bear, by account id.

    Raises:
        BadProvidersFile: The file is missing though it was named, or says something that nobody understands.
    """
    told = _read(settings).accounts
    known = {facts.id for facts in LINE_UP}
    if strangers := sorted(told.keys() - known):
        raise BadProvidersFile(
            f"{_path(settings)}: there is no account {strangers[0]!r}; there are {', '.join(sorted(known))}"
        )
    return {account: _limits(settings, account, told.get(account, _Account())) for account in sorted(known)}


def _limits(settings: Settings, account: str, told: _Account) -> AccountLimits:
    spacing = SPACING[account]
    if settings.spacing_seconds is not None:
        spacing = timedelta(seconds=settings.spacing_seconds)
    if told.spacing_seconds is not None:
        spacing = timedelta(seconds=told.spacing_seconds)
    more: dict[str, Any] = {}
    if told.ageing_seconds is not None:
        more["ageing"] = timedelta(seconds=told.ageing_seconds)
    return AccountLimits(
        max_concurrent=told.max_concurrent or settings.max_concurrent,
        spacing=spacing,
        send_within=settings.limits.send_within,
        job=settings.limits.job,
        breaker=_breaker(told.breaker),
        **more,
    )


def _breaker(told: _Breaker) -> BreakerLimits:
    said = told.model_dump(exclude_none=True, exclude={"open_seconds"})
    if told.open_seconds is not None:
        said["open_for"] = timedelta(seconds=told.open_seconds)
    return BreakerLimits(**said)


def _path(settings: Settings) -> Path:
    return settings.providers_file or DEFAULT_FILE


def _read(settings: Settings) -> _File:
    path = _path(settings)
    try:
        return _File.model_validate(tomllib.loads(path.read_text()))
    except FileNotFoundError as error:
        if settings.providers_file is None:
            return _File()
        raise BadProvidersFile(f"{path}: there is no such file") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadProvidersFile(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadProvidersFile(f"{path}: {where}: {first['msg']}") from error
