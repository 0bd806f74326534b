"""A request that cannot be served as asked: which field, why, and what would work."""

from collections.abc import Iterable

from domain.model import Frozen


class Problem(Frozen):
    """One thing that is wrong with a request.

    Attributes:
        pointer: JSON pointer to the field.
        code: A stable word for programs.
        message: A sentence for a person.
        allowed: What would be right here.
        served_by: Providers that can serve it as asked.
    """

    pointer: str
    code: str
    message: str
    allowed: tuple[str | int, ...] = ()
    served_by: tuple[str, ...] = ()


class RequestRefused(ValueError):
    """A request that cannot be served as asked; nothing was created."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.pointer}: {problem.message}" for problem in self.problems))
