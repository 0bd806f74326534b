"""`providers.toml`: what each account can bear, and what its models cost where that is not what is built in.

Promises: whatever it says that nobody understands is refused at the start, with the file, the key, and what would be
right; a price has the day on which it was read, and no resolution of a model is left without one.
"""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from domain.costs.prices import ModelPrice, PerSecond, PerToken, PerVideo, Price, Rate
from domain.costs.pricing import resolutions, unpriced
from domain.money import Micros, from_usd
from domain.orders.capabilities import ModelFacts, ProviderFacts
from domain.orders.line_up import LINE_UP
from runtime.misconfigured import Misconfigured
from runtime.settings import Settings

DEFAULT_FILE = Path("providers.toml")

_PROVIDERS: Mapping[str, ProviderFacts] = {facts.id: facts for facts in LINE_UP}


class BadProvidersFile(Misconfigured):
    """The file cannot be used; the message names the file, the key, and what would be right."""


def _not_to_come(day: date) -> date:
    if day > datetime.now(UTC).date() + timedelta(days=1):  # it may be tomorrow already, elsewhere
        raise PydanticCustomError("to_come", "is a day that has not come yet")
    return day


def _in_dollars(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise PydanticCustomError("dollars", 'must be an amount of US dollars, such as "0.12"')
    return value


def _alone(value: object) -> object:
    return value if isinstance(value, dict) else {"usd": value}


_Usd = Annotated[
    Decimal, Field(ge=0, le=100_000, decimal_places=6, allow_inf_nan=False), BeforeValidator(_in_dollars)
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Breaker(_Part):
    """When an account is left alone after failures; see `domain.gate.tickets.BreakerLimits`."""

    in_a_row: Annotated[int, Field(ge=1)] | None = None
    window: Annotated[int, Field(ge=1)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    open_seconds: Annotated[float, Field(gt=0)] | None = None


class _Rate(_Part):
    usd: _Usd
    silent_usd: _Usd | None = None


class _Price(_Part):
    unit: Literal["second", "video", "million_tokens"]
    read_on: Annotated[date, AfterValidator(_not_to_come)]
    usd: _Usd | None = None
    silent_usd: _Usd | None = None
    least_usd: _Usd | None = None
    step_usd: Annotated[_Usd, Field(gt=0)] | None = None
    certain: bool = True
    by_resolution: dict[str, Annotated[_Rate, BeforeValidator(_alone)]] = Field(default_factory=dict)


class Account(_Part):
    """What the file says of one account; what it leaves out is None."""

    max_concurrent: Annotated[int, Field(ge=1)] | None = None
    spacing_seconds: Annotated[float, Field(ge=0)] | None = None
    ageing_seconds: Annotated[float, Field(gt=0)] | None = None
    breaker: Breaker = Breaker()
    models: dict[str, _Price] = Field(default_factory=dict)


class _File(_Part):
    accounts: dict[str, Account] = Field(default_factory=dict)


def accounts_told(settings: Settings) -> Mapping[str, Account]:
    """Return what the file says, by account; nothing where there is no file and none was named.

    Raises:
        BadProvidersFile: It is missing though it was named, or says something that nobody understands.
    """
    path = settings.providers_file or DEFAULT_FILE
    try:
        told = _File.model_validate(tomllib.loads(path.read_text(), parse_float=Decimal)).accounts
    except FileNotFoundError as error:
        if settings.providers_file is None:
            return {}
        raise BadProvidersFile(f"{path}: there is no such file") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadProvidersFile(f"{path}: {error}") from error
    except ValidationError as error:
        raise BadProvidersFile(f"{path}: {_said(error.errors()[0])}") from error
    for account, words in told.items():
        if account not in _PROVIDERS:
            raise BadProvidersFile(f"{path}: there is no account {account!r}; {_there_are(_PROVIDERS)}")
        for model_id, price in words.models.items():
            _check(f"{path}: accounts.{account}.models", _PROVIDERS[account], model_id, price)
    return told


def prices_of(settings: Settings) -> Mapping[str, Mapping[str, ModelPrice]]:
    """Return the prices that the file gives, by account and model; see `domain.costs.pricing.repriced`.

    Raises:
        BadProvidersFile: See `accounts_told`.
    """
    return {
        account: {
            model.id: _price(told.models[model.id], model)
            for model in _PROVIDERS[account].models
            if model.id in told.models
        }
        for account, told in accounts_told(settings).items()
    }


def _check(where: str, facts: ProviderFacts, model_id: str, told: _Price) -> None:
    """Refuse a price of a model that there is not, of a resolution that it has not, or that leaves one out."""
    known = {model.id: model for model in facts.models}
    if model_id not in known:
        raise BadProvidersFile(f"{where}: {facts.name} has no model {model_id!r}; {_there_are(known)}")
    model, where = known[model_id], f'{where}."{model_id}"'
    names = resolutions(model)
    if strangers := [name for name in told.by_resolution if name not in names]:
        named = strangers[0]
        raise BadProvidersFile(
            f"{where}.by_resolution: {model_id} has no resolution {named!r}; {_there_are(names)}"
        )
    if told.usd is not None:
        return
    if missing := unpriced(model, _price(told, model)):
        raise BadProvidersFile(
            f"{where}: there is no price for {', '.join(missing)}: give usd, or each in by_resolution"
        )


def _price(told: _Price, model: ModelFacts) -> ModelPrice:
    built_in = model.capabilities[0].price
    rates = tuple(
        Rate(resolution=name, micros=from_usd(rate.usd), silent_micros=_micros(rate.silent_usd))
        for name, rate in told.by_resolution.items()
    )
    # Where every resolution has a price of its own, the dearest stands for what is not known.
    dearest = max([rate.micros for rate in rates], default=0)
    said: dict[str, Any] = {
        "micros": dearest if told.usd is None else from_usd(told.usd),
        "silent_micros": _micros(told.silent_usd),
        "rates": rates,
        "least": built_in.least if told.least_usd is None else from_usd(told.least_usd),
        "step": built_in.step if told.step_usd is None else from_usd(told.step_usd),
    }
    return ModelPrice(
        price=_in_units(told.unit, built_in, said), read_on=told.read_on, is_certain=told.certain
    )


def _in_units(unit: str, built_in: Price, said: dict[str, Any]) -> Price:
    match unit:
        case "second":
            return PerSecond(**said)
        case "video":
            return PerVideo(**said)
        case _:
            counted = (
                {"frames_per_second": built_in.frames_per_second} if isinstance(built_in, PerToken) else {}
            )
            return PerToken(**said, **counted)


def _micros(usd: Decimal | None) -> Micros | None:
    return None if usd is None else from_usd(usd)


def _said(error: ErrorDetails) -> str:
    """Return what is wrong and what would be right, with the key."""
    where = ".".join(f'"{part}"' if "." in str(part) else str(part) for part in error["loc"])
    match error["type"]:
        case "extra_forbidden":
            return f"{where}: there is no such key; {_there_are(_keys_beside(error['loc']))}"
        case "missing" if error["loc"][-1] == "read_on":
            return f"{where}: is missing: the day on which the price was read, such as 2026-11-23"
        case "missing":
            return f"{where}: is missing"
        case "decimal_parsing":
            return f'{where}: must be an amount of US dollars, such as "0.12"'
        case "model_type" | "dict_type":
            return f"{where}: must be a table with keys of its own"
        case _:
            return f"{where}: {error['msg']}"


def _keys_beside(loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys that a table of the file knows, found by the place of one that it does not know."""
    match loc:
        case (_,):
            return list(_File.model_fields)
        case (_, _, _):
            return list(Account.model_fields)
        case (_, _, "breaker", *_):
            return list(Breaker.model_fields)
        case (_, _, _, _, _):
            return list(_Price.model_fields)
        case _:
            return list(_Rate.model_fields)


def _there_are(names: Mapping[str, object] | list[str] | tuple[str, ...]) -> str:
    return f"there are {', '.join(names)}"
