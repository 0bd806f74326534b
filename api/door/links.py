"""Addresses of videos and posters that open by themselves for a while: signed, for a player or an `<img>`.

The signature is over the path, the take, the end and the key behind it; changing any of them makes it void.
"""

import re
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from api.door.doorkeeper import not_let_in
from runtime.secret import Purpose, Seal

SIGNATURE = "signature"
_FILE = re.compile(r"/v1/(generations/(?P<id>gen_[0-9a-z]{26})/(video|poster)|images/img_[0-9a-f]{32}/file)")
_STREAM = re.compile(r"/v1/(generations/(?P<id>gen_[0-9a-z]{26})/events|events)")
_TIME = re.compile(r"[0-9]{1,11}")


def sign(seal: Seal, path: str, *, take: int | None, key_id: str, expires: int) -> str:
    """Return the path with a query that opens it.

    Args:
        seal: Of this deployment.
        path: Of a file.
        take: Which take; None: the newest.
        key_id: Of the key for which it opens, and with which it ends.
        expires: When it ends, in seconds since 1970.
    """
    numbered = {} if take is None else {"take": str(take)}
    signature = seal.of(Purpose.LINK, path, numbered.get("take", ""), str(expires), key_id)
    return f"{path}?{urlencode({**numbered, 'expires': expires, 'by': key_id, SIGNATURE: signature})}"


def signer_of(seal: Seal, path: str, query: Mapping[str, str]) -> str:
    """Return the id of the key for which a link opens.

    Raises:
        Problem: It opens nothing, or not any more.
    """
    take, expires, key_id = (query.get(name, "") for name in ("take", "expires", "by"))
    signature = query.get(SIGNATURE, "")
    if (
        not _FILE.fullmatch(path)
        or not _TIME.fullmatch(expires)
        or not seal.fits(signature, Purpose.LINK, path, take, expires, key_id)
    ):
        raise not_let_in("The link was changed: it opens only the address that it was made for.")
    if time.time() >= int(expires):
        raise not_let_in("The link is over: ask for a new one with POST /v1/tickets.")
    return key_id


def takes_tickets(path: str, generation_id: str | None) -> bool:
    """Tell whether a ticket opens a path: streams and files, of its one generation where it is for one.

    Args:
        path: What is asked for.
        generation_id: What the ticket is for; None: for all.
    """
    found = _FILE.fullmatch(path) or _STREAM.fullmatch(path)
    return found is not None and (generation_id is None or found["id"] == generation_id)
