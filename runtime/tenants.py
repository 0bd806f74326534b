"""What each tenant and user may do: read from `tenants.toml`; without that file nobody has limits."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from domain.fields import Name, Slug
from domain.gate.tickets import Priority
from domain.money import from_usd
from domain.orders.line_up import LINE_UP
from domain.people.quotas import Allowance
from domain.people.tenants import UNLIMITED, Tenant, Tenants, Tier
from runtime.misconfigured import Misconfigured
from runtime.settings import Settings

DEFAULT_FILE = Path("tenants.toml")

_Count = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]
_Dollars = Annotated[Decimal, Field(ge=0, le=1_000_000_000, decimal_places=6)]


class BadTenantsFile(Misconfigured):
    """The file cannot be used; the message names the file, the key, and what would be right."""


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    daily_generations: _Count | None = None
    daily_budget_usd: _Dollars | None = None
    monthly_budget_usd: _Dollars | None = None
    in_flight: _Count | None = None
    highest_priority: Priority | None = None
    providers: Annotated[tuple[str, ...], Field(min_length=1)] | None = None

    def over(self, allowance: Allowance) -> Allowance:
        """Return an allowance with what is said here in place of its own."""
        said = {
            "daily_generations": self.daily_generations,
            "daily_budget": None if self.daily_budget_usd is None else from_usd(self.daily_budget_usd),
            "monthly_budget": None if self.monthly_budget_usd is None else from_usd(self.monthly_budget_usd),
            "in_flight": self.in_flight,
            "highest_priority": self.highest_priority,
            "providers": self.providers,
        }
        return allowance.model_copy(update={name: value for name, value in said.items() if value is not None})

    @property
    def says_something(self) -> bool:
        """Whether any limit is given."""
        return self.over(Allowance()) != Allowance()


class _Default(_Limits):
    tier: str | None = None
    user_tier: str | None = None


class _Tenant(_Default):
    users: dict[Name, str] = Field(default_factory=dict)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tiers: dict[Slug, _Limits] = Field(default_factory=dict)
    default: _Default = _Default()
    tenants: dict[Slug, _Tenant] = Field(default_factory=dict)


def tenants_of(settings: Settings) -> Tenants:
    """Return what each tenant and user may do.

    Raises:
        BadTenantsFile: The file is missing though it was named, or says something that nobody understands.
    """
    path = settings.tenants_file or DEFAULT_FILE
    file = _read(path, is_named=settings.tenants_file is not None)
    reader = _Reader(
        path, {name: Tier(name=name, allowance=told.over(Allowance())) for name, told in file.tiers.items()}
    )
    for name, told in file.tiers.items():
        reader.check_providers(f"tiers.{name}", told)
    return Tenants(
        named={
            name: reader.tenant(f"tenants.{name}", told, told.users) for name, told in file.tenants.items()
        },
        others=reader.tenant("default", file.default, {}),
    )


class _Reader:
    """Puts tiers in the place of their names."""

    def __init__(self, path: Path, tiers: dict[str, Tier]) -> None:
        self._path = path
        self._tiers = tiers

    def tenant(self, where: str, told: _Default, users: dict[str, str]) -> Tenant:
        """Return a tenant with its tier, its own values over it, and the tiers of its users."""
        self.check_providers(where, told)
        tier = self._tier(f"{where}.tier", told.tier)
        if told.says_something:
            tier = tier.model_copy(update={"allowance": told.over(tier.allowance)})
        return Tenant(
            tier=tier,
            users={user: self._tier(f"{where}.users.{user}", name) for user, name in users.items()},
            other_users=self._tier(f"{where}.user_tier", told.user_tier),
        )

    def check_providers(self, where: str, told: _Limits) -> None:
        """Refuse a provider that does not exist."""
        known = [facts.id for facts in LINE_UP]
        for provider in told.providers or ():
            if provider not in known:
                raise BadTenantsFile(
                    f"{self._path}: {where}.providers: there is no provider {provider!r}; "
                    f"there are {', '.join(known)}"
                )

    def _tier(self, where: str, name: str | None) -> Tier:
        if name is None:
            return UNLIMITED
        if name not in self._tiers:
            there_are = (
                f"there are {', '.join(self._tiers)}" if self._tiers else "none is defined under [tiers]"
            )
            raise BadTenantsFile(f"{self._path}: {where}: there is no tier {name!r}; {there_are}")
        return self._tiers[name]


def _read(path: Path, *, is_named: bool) -> _File:
    try:
        return _File.model_validate(tomllib.loads(path.read_text()))
    except FileNotFoundError as error:
        if not is_named:
            return _File()
        raise BadTenantsFile(f"{path}: there is no such file") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadTenantsFile(f"{path}: {error}") from error
    except ValidationError as error:
        raise BadTenantsFile(f"{path}: {_said(error.errors()[0])}") from error


def _said(error: ErrorDetails) -> str:
    """Return what is wrong with a key, and what would be right."""
    location = [str(part) for part in error["loc"] if part != "[key]"]
    where = ".".join(location)
    if error["type"] != "extra_forbidden":
        return f"{where}: {error['msg']}"
    shapes: dict[str, type[BaseModel]] = {"tiers": _Limits, "default": _Default, "tenants": _Tenant}
    shape = _File if len(location) == 1 else shapes[location[0]]
    return f"{where}: there is no such key; there are {', '.join(shape.model_fields)}"
