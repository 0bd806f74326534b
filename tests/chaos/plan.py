"""What a chaos run does, drawn from a seed before anything starts: orders, faults, kills, pauses.

Pure: the same numbers give the same plan. What it cannot fix is when a process gets to the point at which it is
killed; so the seed decides what happens, and the report says when it happened.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from random import Random

from failpoints import Point

TENANTS = ("amber", "birch")
PROVIDERS = ("runway", "seedance", "stable-video", "auto")
PRIORITIES = ("urgent", "high", "normal", "low")
AT_LEAST = 3
"""Kills of each sort, as far as there are enough kills."""


class Victim(StrEnum):
    """The processes that are killed; the provider's side only misbehaves."""

    WORKER = "worker"
    API = "api"
    TEMPORAL = "temporal"


@dataclass(frozen=True)
class Sort:
    """Whom a kill hits, and where: at a named point, or at any moment."""

    victim: Victim
    point: Point | None = None


_AT_WORK = (
    Point.BEFORE_SEND,
    Point.AFTER_SEND,
    Point.ANSWERED,
    Point.WATCHING,
    Point.STORING,
    Point.BEFORE_COMMIT,
)
_AT_THE_DOOR = (Point.WISH_BEFORE_COMMIT, Point.WISH_AFTER_COMMIT)
SORTS = (
    *(Sort(Victim.WORKER, point) for point in _AT_WORK),
    *(Sort(Victim.API, point) for point in _AT_THE_DOOR),
    Sort(Victim.TEMPORAL),
)
"""What is killed at least three times each; before a commit means the worker's and the API's."""
_ANY = (
    *SORTS,
    Sort(Victim.WORKER),
    Sort(Victim.WORKER, Point.AFTER_CLAIM),
    Sort(Victim.WORKER, Point.ACCEPTED),
    Sort(Victim.API),
)


@dataclass(frozen=True)
class Kill:
    """A kill -9, and the restart.

    Attributes:
        number: From 1.
        tenant: Whose API, where an API is killed.
        after_seconds: When, where no point says it.
        down_seconds: How long Temporal stays away.
    """

    number: int
    sort: Sort
    tenant: str
    after_seconds: float
    down_seconds: float


@dataclass(frozen=True)
class Pause:
    """The worker is stopped and goes on later, as on a machine that was asleep."""

    after_seconds: float
    seconds: float


@dataclass(frozen=True)
class Fault:
    """How the provider's side misbehaves, as `POST /_sandbox/faults` takes it."""

    provider: str
    operation: str
    fault: str
    times: int = 1
    seconds: float | None = None
    retry_after: float | None = None


@dataclass(frozen=True)
class Cancel:
    """The user changes their mind, some seconds after the order."""

    after_seconds: float


@dataclass(frozen=True)
class Regenerate:
    """The user wants another take: of a finished generation, or at once in place of the running one."""

    prompt: str
    replace_after_seconds: float | None


@dataclass(frozen=True)
class Order:
    """One order of a user.

    Attributes:
        number: From 1.
        may_fall_back: False sends `fallback_providers: []`.
        on_unknown: What the user wants for a lost answer; None says nothing.
        repeats: How often the answered request is sent again with the same key.
    """

    number: int
    tenant: str
    provider: str
    priority: str
    prompt: str
    may_fall_back: bool
    on_unknown: str | None
    repeats: int
    then: Cancel | Regenerate | None


@dataclass(frozen=True)
class Round:
    """Some orders, some faults, and one act of violence while they are served."""

    orders: tuple[Order, ...]
    faults: tuple[Fault, ...]
    act: Kill | Pause


@dataclass(frozen=True)
class Plan:
    """A whole run."""

    seed: int
    rounds: tuple[Round, ...]

    @property
    def orders(self) -> tuple[Order, ...]:
        """All of them, in their order."""
        return tuple(order for each in self.rounds for order in each.orders)

    @property
    def kills(self) -> tuple[Kill, ...]:
        """All of them, in their order."""
        return tuple(each.act for each in self.rounds if isinstance(each.act, Kill))


def draw(generations: int, kills: int, seed: int) -> Plan:
    """Draw a plan.

    Args:
        generations: How many are ordered.
        kills: How many processes are killed.
        seed: Decides everything.
    """
    random = Random(seed)  # noqa: S311 - repeatable is the point
    acts: list[Kill | Pause] = [
        Kill(
            number=number,
            sort=sort,
            tenant=random.choice(TENANTS),
            after_seconds=round(random.uniform(0.2, 3), 2),
            down_seconds=round(random.uniform(0, 2), 2),
        )
        for number, sort in enumerate(_sorts(kills, random), start=1)
    ]
    for _ in range(max(1, kills // 6)):
        pause = Pause(round(random.uniform(0.2, 2), 2), round(random.uniform(2, 7), 2))
        acts.insert(random.randint(0, len(acts)), pause)
    orders = _orders(generations, random)
    rounds = []
    for number, act in enumerate(acts, start=1):
        until = generations * number // len(acts)
        mine = list(islice(orders, until - generations * (number - 1) // len(acts)))
        if isinstance(act, Kill) and act.sort.victim is Victim.API and mine:
            # Its API only gets to a point if somebody asks it for something.
            mine[0] = _of_tenant(mine[0], act.tenant)
        rounds.append(Round(tuple(mine), _faults(random), act))
    return Plan(seed, tuple(rounds))


def _sorts(kills: int, random: Random) -> Sequence[Sort]:
    """Each sort in turn, three times, then any; where a turn is not whole, of each victim something."""
    chosen: list[Sort] = []
    while len(chosen) < min(kills, AT_LEAST * len(SORTS)):
        left = kills - len(chosen)
        turn = list(SORTS)
        if left < len(SORTS):
            turn = _first_of_each_victim(random.sample(SORTS, len(SORTS)))[:left]
        random.shuffle(turn)
        chosen += turn
    return chosen + random.choices(_ANY, k=kills - len(chosen))


def _first_of_each_victim(sorts: Sequence[Sort]) -> list[Sort]:
    first = {sort.victim: sort for sort in reversed(sorts)}
    return [*first.values(), *(sort for sort in sorts if sort not in first.values())]


def _orders(generations: int, random: Random) -> Iterator[Order]:
    for number in range(1, generations + 1):
        yield Order(
            number=number,
            tenant=random.choice(TENANTS),
            # The first ones in turn, so that a short run has them all; then any.
            provider=PROVIDERS[number - 1] if number <= len(PROVIDERS) else random.choice(PROVIDERS),
            priority=random.choice(PRIORITIES),
            prompt=f"Number {number}: a red fox in the snow",
            may_fall_back=random.random() < 0.7,
            on_unknown=random.choices((None, "hold", "resubmit"), (8, 1, 1))[0],
            repeats=random.choices((0, 1, 2), (7, 2, 1))[0],
            then=_afterwards(number, random),
        )


def _of_tenant(order: Order, tenant: str) -> Order:
    return Order(**{**vars(order), "tenant": tenant})


def _afterwards(number: int, random: Random) -> Cancel | Regenerate | None:
    after = round(random.uniform(0, 6), 2)
    prompt = f"Number {number} once more: the fox at night"
    choices = (None, Cancel(after), Regenerate(prompt, None), Regenerate(prompt, after))
    return random.choices(choices, (75, 10, 10, 5))[0]


_JOB_ENDS_BADLY = {
    "runway": ("INTERNAL.BAD_OUTPUT.CODE01", "SAFETY.INPUT.TEXT"),
    "seedance": ("InternalServiceError", "OutputVideoSensitiveContentDetected"),
    "stable-video": ("500", "CONTENT_FILTERED"),
}


def _faults(random: Random) -> tuple[Fault, ...]:
    """One or two of all that can go wrong; no answer says that nothing was created where something was."""
    drawn = []
    for _ in range(random.randint(1, 2)):
        provider = random.choice(PROVIDERS[:3])
        drawn.append(
            random.choice(
                (
                    Fault(provider, "create", "drop_reply"),
                    Fault(provider, "create", "create_then_status:500"),
                    Fault(provider, "create", "reset_connection"),
                    Fault(provider, "create", "status:503", times=2),
                    Fault(provider, "create", "status:429", retry_after=1),
                    Fault(provider, "create", "slow_accept", times=2, seconds=2),
                    Fault(provider, "create", "slow", times=2),
                    Fault(provider, "create", "stuck"),
                    Fault(provider, "create", f"fail_job:{random.choice(_JOB_ENDS_BADLY[provider])}"),
                    Fault(provider, "create", "wrong_length"),
                    Fault(provider, "status", "status:503", times=5),
                    Fault(provider, "status", "drop_reply", times=3),
                    Fault(provider, "status", "slow", times=2, seconds=2),
                    Fault(provider, "list", "status:500", times=2),
                    Fault(provider, "cancel", "drop_reply"),
                    Fault(provider, "output", "truncated_output"),
                    Fault(provider, "output", "reset_connection"),
                    Fault(provider, "output", "slow", seconds=3),
                )
            )
        )
    return tuple(drawn)
