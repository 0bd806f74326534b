"""The JSON of what is used and what may be used."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, Field

from api.generations.take_schemas import Money
from domain.gate.tickets import Priority
from domain.money import to_usd
from domain.people.quota_words import quota_json
from domain.people.quotas import Gauge, Spent
from domain.people.tenants import Entitlement
from storage.money.usage import Share, Wasted


class SpentMoney(Money):
    """The three numbers and their sum, in US dollars as decimal strings."""

    committed_usd: str = Field(description="Everything that is or may be owed.", examples=["0.60"])

    @classmethod
    def of_spent(cls, spent: Spent) -> "SpentMoney":
        """Return what was spent as JSON."""
        return cls(
            reserved_usd=to_usd(spent.cost.reserved),
            settled_usd=to_usd(spent.cost.settled),
            at_risk_usd=to_usd(spent.cost.at_risk),
            committed_usd=to_usd(spent.committed),
        )


class SpentOut(BaseModel):
    """What was ordered in a period, and what that costs so far."""

    generations: int = Field(description="Takes that were accepted.")
    cost: SpentMoney

    @classmethod
    def of(cls, spent: Spent) -> "SpentOut":
        """Return what was spent as JSON."""
        return cls(generations=spent.orders, cost=SpentMoney.of_spent(spent))


class PeriodOut(SpentOut):
    """The same, and when the period ends."""

    resets_at: AwareDatetime


class LimitOut(BaseModel):
    """A limit and what is used of it."""

    kind: str = Field(examples=["daily_budget"])
    whose: str = Field(description="`tenant` or `user`.", examples=["tenant"])
    limit: int | str = Field(description="A number, or US dollars as a decimal string.", examples=["2.00"])
    used: int | str = Field(examples=["0.60"])
    resets_at: AwareDatetime | None = Field(description="Null where it falls as generations end.")

    @classmethod
    def of(cls, gauge: Gauge) -> "LimitOut":
        """Return a limit as JSON."""
        return cls(**quota_json(gauge))


class ShareOut(BaseModel):
    """What one of them has of it; null for what belongs to none."""

    id: str | None
    today: SpentOut
    month: SpentOut

    @classmethod
    def of(cls, share: Share) -> "ShareOut":
        """Return a share as JSON."""
        return cls(id=share.name, today=SpentOut.of(share.today), month=SpentOut.of(share.month))


class WastedOut(BaseModel):
    """What was billed this month and gave nobody a video to keep, in US dollars."""

    total_usd: str
    failed_usd: str = Field(description="Attempts that failed, also where another one then made the video.")
    cancelled_usd: str = Field(description="Takes that were cancelled or replaced.")
    unkept_usd: str = Field(description="Older takes that are not kept, where a newer one has a video.")

    @classmethod
    def of(cls, wasted: Wasted) -> "WastedOut":
        """Return what was wasted as JSON."""
        return cls(
            total_usd=to_usd(wasted.total),
            failed_usd=to_usd(wasted.failed),
            cancelled_usd=to_usd(wasted.cancelled),
            unkept_usd=to_usd(wasted.unkept),
        )


class UsageOut(BaseModel):
    """What was ordered and what it costs; days and months are those of UTC."""

    mode: str
    user_id: str | None = Field(description="Whose numbers these are; null: the whole tenant's.")
    as_of: AwareDatetime
    today: PeriodOut
    month: PeriodOut
    in_flight: int = Field(description="Generations that are not over.")
    limits: list[LimitOut]
    by_project: list[ShareOut] = Field(description="The hundred that cost the most this month, as below.")
    by_provider: list[ShareOut]
    by_user: list[ShareOut]
    wasted: WastedOut


class AllowedOut(BaseModel):
    """What may be asked for."""

    priorities: list[Priority]
    providers: list[str]

    @classmethod
    def of(cls, entitlement: Entitlement, here: list[str]) -> "AllowedOut":
        """Return what a caller may ask for, of the providers that are here."""
        return cls(
            priorities=list(entitlement.priorities),
            providers=[provider for provider in here if entitlement.allows(provider)],
        )


class MeOut(BaseModel):
    """Who asks, and what may be done."""

    tenant_id: str
    user_id: str | None
    key_id: str | None
    via: str = Field(description="How the caller showed who it is.", examples=["key"])
    scopes: list[str]
    mode: str
    tier: str | None = Field(description="Of the tenant; null where it has none, or none is to be seen.")
    user_tier: str | None
    allowed: AllowedOut
    today: PeriodOut
    month: PeriodOut
    in_flight: int
    limits: list[LimitOut]


def period(spent: Spent, resets_at: datetime) -> PeriodOut:
    """Return what was spent in a period that ends at a moment."""
    return PeriodOut(generations=spent.orders, cost=SpentMoney.of_spent(spent), resets_at=resets_at)
