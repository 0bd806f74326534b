"""Stable Video's adapter. It promises what `providers.stable_video.account` says, and is opened by the registry."""

from providers.stable_video.account import open_account

__all__ = ["open_account"]
