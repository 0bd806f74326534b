"""What a check of the doctor says."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class State(StrEnum):
    """How a check ended; `off` is what does not run and need not."""

    OK = "ok"
    OFF = "off"
    PROBLEM = "problem"


class Check(BaseModel):
    """One thing that was looked at.

    Attributes:
        found: What is there.
        advice: What to do about it; empty where nothing is to be done.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    state: State
    found: str
    advice: str = ""
