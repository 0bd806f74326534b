"""One provider's entry in the line-up: everything the house has to know of a provider but how to speak its wire.

An entry is data, written once, in one module of `domain.orders.line_up`. Caps, spacing, prices, previews of a cancel,
settings, the doctor and the tests read it there; `docs/adding-a-provider.md` says what else a provider needs.
"""

from datetime import timedelta
from enum import StrEnum

from domain.attempts.outcomes import JobState
from domain.model import Frozen
from domain.orders.capabilities import ProviderFacts, Retirement


class AtCancel(StrEnum):
    """What a provider does when it is asked to stop a job in one state."""

    STOPS_FREE = "stops_free"
    STOPS_BILLED = "stops_billed"
    GOES_ON = "goes_on"


class Door(Frozen):
    """Where the provider's API is, and what the environment calls what it takes to be let in.

    Attributes:
        key_variable: Where the key is looked for.
        vendor_variables: What the vendor's own programs call it: nothing of ours reads them, and no pretend provider
            ever sees them.
        base_url: Where the vendor's API is, or was, without the version in the path.
        base_url_variable: What leads elsewhere: to another region, or to a server of one's own.
        price_variable: What says what a video costs on a server of one's own; there where `retired` is.
        retired: The vendor has closed its own door: only a server of one's own is left, which may need no key.
    """

    key_variable: str
    vendor_variables: tuple[str, ...] = ()
    base_url: str
    base_url_variable: str
    price_variable: str | None = None
    retired: Retirement | None = None


class Entry(Frozen):
    """One provider.

    Attributes:
        facts: Its models, with their limits and prices.
        preference: Its place where the user leaves the choice to us; the smallest number is asked first.
        spacing: How long it is left alone between two orders, by our own rule.
        lists_jobs: Whether it lists its jobs, so that one can be looked for after a lost answer.
        cancel_queued: What it does with a cancel of a job that waits.
        cancel_running: The same of a job that runs.
        door: How it is reached.
    """

    facts: ProviderFacts
    preference: int
    spacing: timedelta
    lists_jobs: bool
    cancel_queued: AtCancel
    cancel_running: AtCancel
    door: Door

    @property
    def id(self) -> str:
        """The provider's public id."""
        return self.facts.id

    @property
    def never_stops(self) -> bool:
        """Whether no job of it can be stopped, in whatever state."""
        return {self.cancel_queued, self.cancel_running} == {AtCancel.GOES_ON}

    def at_cancel(self, state: JobState) -> AtCancel:
        """Return what it does with a cancel of a job that is not over."""
        return self.cancel_queued if state is JobState.QUEUED else self.cancel_running
