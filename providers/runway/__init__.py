"""Runway's adapter. It promises what `providers.runway.account` says, and is opened by the registry."""

from providers.runway.account import open_account

__all__ = ["open_account"]
