"""What is configured: the providers' keys, the prices, live mode, and the secret that our own keys are sealed with."""

import asyncio
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from cli.doctor.checks import Check, State
from cli.running import operator_key, provider_keys
from runtime import keyring
from runtime.accounts import access_of
from runtime.misconfigured import Misconfigured
from runtime.providers_file import prices_of
from runtime.secret import Seal, seal_of, secret_file
from runtime.settings import Settings
from storage.database import Database

_VOID = "else every key, session and link is void: make new keys with `videoplanet keys create`"


def key(account: provider_keys.Account) -> Check:
    """Say whether there is a key of this account, never which."""
    name = f"key of {account.name}"
    if account.is_retired:
        return Check(
            name=name,
            state=State.OFF,
            found=f"{account.variable} is set; {account.retirement}",
            advice=account.instead,
        )
    if account.server:
        found = (
            f"{account.variable} {'is set' if account.has_key else 'is not set'}; server at {account.server}"
        )
        return Check(name=name, state=State.OK, found=found)
    if account.has_key:
        return Check(name=name, state=State.OK, found=f"{account.variable} is set")
    advice = (
        f"{account.retirement}: {account.instead}"
        if account.retired
        else f"for live mode, set {account.variable}"
    )
    return Check(name=name, state=State.OFF, found=f"{account.variable} is not set", advice=advice)


def prices(settings: Settings) -> Check:
    """Look whether every model has a price, and where the prices come from."""
    name = "prices"
    try:
        told = prices_of(settings)
        access_of(settings)
    except Misconfigured as error:
        advice = "correct it; no part of the service starts before"
        return Check(name=name, state=State.PROBLEM, found=str(error), advice=advice)
    models = [model for prices in told.values() for model in prices]
    found = f"built in, but for {', '.join(models)}" if models else "built in"
    return Check(name=name, state=State.OK, found=found)


def live(settings: Settings) -> Check:
    """Look whether live mode could reach anybody."""
    usable = provider_keys.usable(settings)
    if usable:
        return Check(name="live mode", state=State.OK, found=f"can use {', '.join(usable)}")
    advice = f"set {provider_keys.choice()}, or leave live mode"
    return Check(name="live mode", state=State.PROBLEM, found="no key can be used", advice=advice)


def secret(settings: Settings) -> Check:
    """Look whether our own keys can still be opened: a lost or another secret makes all of them worth nothing."""
    name, file = "secret", secret_file(settings)
    is_named = settings.secret_key is not None
    where = "VIDEOPLANET_SECRET_KEY" if is_named else str(file)
    operators = operator_key.read(settings.data_dir)
    if not is_named and not file.exists():
        if operators is None:
            return Check(name=name, state=State.OK, found="none yet; the first start makes one")
        return Check(
            name=name,
            state=State.PROBLEM,
            found=f"{file} is missing, and keys were made with it",
            advice=f"bring it back before the next start makes another, {_VOID}",
        )
    try:
        seal = seal_of(settings)
    except (OSError, ValueError) as error:
        advice = f"bring back what it was, {_VOID}"
        return Check(name=name, state=State.PROBLEM, found=str(error), advice=advice)
    if (
        operators is not None
        and _has_database(settings)
        and not asyncio.run(_fits(settings, seal, operators))
    ):
        return Check(
            name=name,
            state=State.PROBLEM,
            found=f"{where} is not what the keys were made with",
            advice=f"bring back what it was, {_VOID}",
        )
    return Check(name=name, state=State.OK, found=where if not is_named else f"{where} is set")


def _has_database(settings: Settings) -> bool:
    """Tell whether there is a database to look into; looking must not make one."""
    url = make_url(settings.effective_database_url)
    return not url.drivername.startswith("sqlite") or Path(url.database or "").is_file()


async def _fits(settings: Settings, seal: Seal, text: str) -> bool:
    """Tell whether a key was made with this secret, as far as the database can tell."""
    try:
        async with Database(settings.effective_database_url) as database, database.read() as connection:
            return await keyring.fits(connection, seal, text) is not False
    except (SQLAlchemyError, OSError):
        return True
