"""Orders that cannot be served, as a table: the field, what is written there, and the word for what is wrong."""

import json

PROMPT = '"A red fox in the snow"'
FOX = "\N{FOX FACE}"
ON_GEN45 = list(range(2, 11))
NO_CONTROL = '"a\\u0000b"'
LONE_SURROGATE = '"\\ud800"'


def order_with(pointer: str, text: str, **more: str) -> bytes:
    """An order in JSON with one field written exactly so; the pointer has one part or two.

    Args:
        pointer: Which field.
        text: Its value, in JSON.
        **more: Other fields, in JSON.
    """
    first, _, second = pointer.removeprefix("/").partition("/")
    fields = {"prompt": PROMPT, **more, first: f"{{{json.dumps(second)}: {text}}}" if second else text}
    return ("{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in fields.items()) + "}").encode()


def at_runway(pointer: str, text: str) -> bytes:
    """The same, for Runway only."""
    return order_with(pointer, text, provider='"runway"')


def text_of(length: int) -> str:
    """A JSON string of so many characters."""
    return json.dumps("x" * length)


_NAMES = [
    (f"/{field}", value, code)
    for field in ("project_id", "scenario_id", "user_id")
    for value, code in (
        ('""', "string_too_short"),
        (text_of(129), "string_too_long"),
        (NO_CONTROL, "control_character"),
        (LONE_SURROGATE, "string_unicode"),
        ("5", "string_type"),
        ("true", "string_type"),
        ("[]", "string_type"),
        ("{}", "string_type"),
    )
]
_WHOLE_NUMBERS = [
    (f"/params/{field}", value, "int_type")
    for field in ("duration_seconds", "seed")
    for value in ("5.5", "5.0", '"5"', "true", "1e400", "NaN", "Infinity", "-Infinity", "[5]", "{}")
]

REFUSED: list[tuple[str, str, str]] = [
    ("/prompt", '""', "string_too_short"),
    ("/prompt", '" \\t\\n\\u3000"', "blank"),
    ("/prompt", '"\\u200b\\ufeff"', "blank"),
    ("/prompt", text_of(1001), "string_too_long"),
    ("/prompt", json.dumps(FOX * 1001), "string_too_long"),
    ("/prompt", NO_CONTROL, "control_character"),
    ("/prompt", LONE_SURROGATE, "string_unicode"),
    *(("/prompt", value, "string_type") for value in ("null", "5", "1.5", "true", '["a"]', '{"a": "b"}')),
    *_WHOLE_NUMBERS,
    ("/params/duration_seconds", "0", "greater_than_equal"),
    ("/params/duration_seconds", "-5", "greater_than_equal"),
    ("/params/duration_seconds", "31", "less_than_equal"),
    ("/params/duration_seconds", str(10**30), "less_than_equal"),
    ("/params/duration_seconds", str(-(10**30)), "greater_than_equal"),
    ("/params/seed", "-1", "greater_than_equal"),
    ("/params/seed", str(2**32), "less_than_equal"),
    ("/params/resolution", '"100x100"', "resolution_range"),
    ("/params/resolution", '"4096x4096"', "resolution_range"),
    *(("/params/resolution", value, "resolution") for value in ('"hd"', '""', '"720P"', '"1280x720 "')),
    *(("/params/resolution", value, "string_type") for value in ("720", "true", '["720p"]', "{}")),
    *(("/params/aspect_ratio", value, "aspect_ratio") for value in ('"wide"', '"16/9"', '"0:9"', '""')),
    *(("/params/aspect_ratio", value, "string_type") for value in ("1.78", "16", "false", "[16, 9]")),
    *(
        ("/params/image_url", value, "image_url")
        for value in ('"fox.png"', '"ftp://example.com/a.png"', '"https:///a.png"')
    ),
    *(
        ("/params/image_url", value, "image_url")
        for value in (
            '"https://me@example.com/a.png"',
            '"https://[::1/a.png"',
            '"https://u:p@example.com/a.png"',
        )
    ),
    ("/params/image_url", json.dumps("https://example.com/" + "a" * 2048), "string_too_long"),
    ("/params/image_url", "5", "string_type"),
    ("/params/image_id", '"img_0"', "unknown_image"),
    *(("/params/image_id", value, "string_type") for value in ("5", "[]", "{}", "true")),
    *(("/params/image_id", value, "string_too_short") for value in ('""',)),
    ("/params/image_id", text_of(65), "string_too_long"),
    ("/params/image_id", NO_CONTROL, "control_character"),
    ("/params/negative_prompt", '""', "string_too_short"),
    ("/params/negative_prompt", '" \\t"', "blank"),
    ("/params/negative_prompt", text_of(501), "string_too_long"),
    ("/params/negative_prompt", LONE_SURROGATE, "string_unicode"),
    *(("/params/camera", value, "model_attributes_type") for value in ("[]", '"left"', "1", "true")),
    ("/params/camera", '{"fixed": true, "pan": 0.1}', "camera_contradiction"),
    *(("/params/style", value, "model_attributes_type") for value in ("[]", '"cinematic"', "1")),
    *(("/params/extra", value, "dict_type") for value in ("[]", '"x"', "1")),
    ("/params/extra", json.dumps({f"o{n}": 1 for n in range(17)}), "too_long"),
    ("/params/resolution_x", '"720p"', "extra_forbidden"),
    ("/params/__proto__", "{}", "extra_forbidden"),
    ("/params", "null", "model_attributes_type"),
    ("/params", "[]", "model_attributes_type"),
    ("/params", '"fast"', "model_attributes_type"),
    ("/provider", '"RUNWAY"', "string_pattern_mismatch"),
    ("/provider", '"runway\\n"', "string_pattern_mismatch"),
    ("/provider", '""', "string_pattern_mismatch"),
    *(("/provider", value, "string_type") for value in ("null", "5", "[]", "{}")),
    ("/model", '"../gen4.5"', "string_pattern_mismatch"),
    *(("/model", value, "string_type") for value in ("4.5", "true", "[]")),
    *_NAMES,
    *(("/metadata", value, "dict_type") for value in ("null", "[]", '"a"', "5")),
    ("/metadata", json.dumps({str(n): "x" for n in range(17)}), "too_long"),
    ("/metadata/scene", "5", "string_type"),
    ("/metadata/scene", "null", "string_type"),
    ("/metadata/scene", "{}", "string_type"),
    ("/metadata/scene", text_of(513), "string_too_long"),
    ("/metadata/scene", NO_CONTROL, "control_character"),
    ("/metadata/" + "k" * 65, '"x"', "string_too_long"),
    ("/max_cost_usd", "0", "greater_than"),
    ("/max_cost_usd", '"-1"', "greater_than"),
    ("/max_cost_usd", "100001", "less_than_equal"),
    ("/max_cost_usd", '"0.0000001"', "decimal_max_places"),
    ("/max_cost_usd", '"a lot"', "decimal_parsing"),
    *(("/max_cost_usd", value, "finite_number") for value in ("NaN", "1e400", "-Infinity", '"NaN"')),
    *(("/max_cost_usd", value, "decimal_type") for value in ("true", "[]", "{}")),
    ("/duration", "5", "extra_forbidden"),
    ("/Prompt", '"A fox"', "extra_forbidden"),
    ("/" + "k" * 100, "1", "extra_forbidden"),
]
"""Wrong in themselves, whoever should serve them."""

NOT_SERVED: list[tuple[str, str, str, list[str | int]]] = [
    *(
        ("/params/duration_seconds", str(seconds), "duration_not_supported", list[str | int](ON_GEN45))
        for seconds in (1, *range(11, 31))
    ),
    (
        "/params/resolution",
        '"1080p"',
        "resolution_not_supported",
        ["720p", "1280x720", "720x1280"],
    ),
    ("/params/resolution", '"512x512"', "resolution_not_supported", ["720p", "1280x720", "720x1280"]),
    ("/params/aspect_ratio", '"1:1"', "aspect_ratio_not_supported", ["16:9", "9:16"]),
    ("/provider", '"nobody"', "unknown_provider", ["auto", "runway", "seedance", "stable-video"]),
    ("/model", '"gen9"', "unknown_model", ["gen4.5", "gen4_turbo"]),
]
"""Right in themselves, but not served by Runway; the refusal lists what would be."""
