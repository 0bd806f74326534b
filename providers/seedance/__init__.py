"""Seedance's adapter. It promises what `providers.seedance.account` says, and is opened by the registry."""

from providers.seedance.account import open_account

__all__ = ["open_account"]
