"""What schemathesis must know of this service; it loads this file into its own process.

Nothing here softens a check. It keeps a run bounded (nobody waits a minute for news), inside the machine (no picture is
fetched from an address that was made up), and possible (a picture is a picture, and nobody revokes the key that they
come in with).
"""

import os
from typing import Any

import schemathesis
from schemathesis import Case, HookContext

from tests.line_up import a_picture

OWN_KEY = os.environ["EXPLORER_KEY_ID"]
SOME_KEY = "0" * 16
WAIT_MAX = 60
PICTURE = a_picture(256, 256)
NOBODYS_PICTURE = "https://[::1]/picture.png"


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:  # noqa: ARG001  # found by names
    """Change a request that would end the run, or wait, or leave the machine."""
    if (case.path_parameters or {}).get("key_id") == OWN_KEY:
        case.path_parameters["key_id"] = SOME_KEY
    wait = (case.query or {}).get("wait")
    if isinstance(wait, int | str) and str(wait).isdecimal() and 1 < int(wait) <= WAIT_MAX:
        case.query["wait"] = 1
    body: dict[str, Any] = case.body if isinstance(case.body, dict) else {}
    params = body.get("params")
    if isinstance(params, dict) and str(params.get("image_url", "")).startswith("http"):
        params["image_url"] = NOBODYS_PICTURE
    file = body.get("file")
    is_meant_to_be_right = case.meta is not None and case.meta.generation.mode.is_positive
    if is_meant_to_be_right and isinstance(file, str | bytes) and len(file) % 2 == 0:
        body["file"] = PICTURE
