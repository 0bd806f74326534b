"""The OpenAPI document tells the truth: what it lists exists, and what it shows as an example is taken."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.refusals import problem_of
from tests.stack import Stack

Document = dict[str, Any]
BODIES = {
    "GenerationRequest": "",
    "RegenerateRequest": "/{id}/regenerate",
    "CancelRequest": "/{id}/cancel",
    "FeedbackRequest": "/{id}/feedback",
}


@pytest.fixture(scope="session")
async def document(api: Stack) -> Document:
    """The document as it is served."""
    answer = await api.http.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Each method and path with what is said about it."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def everything_in(value: object) -> Iterator[Document]:
    """Each object inside a JSON value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from everything_in(inner)


async def test_every_operation_exists(api: Stack, document: Document, standing: dict[str, Any]) -> None:
    listed = {(method, path) for method, path, _ in operations(document)}
    assert ("POST", "/v1/generations") in listed
    assert len(listed) >= 20
    for method, path in listed - {("POST", "/v1/generations")}:
        url = path.replace("{generation_id}", standing["id"]).replace("{image_id}", "img_0")
        url = url.replace("{number}", "1")
        if path.endswith("/keep") or method == "DELETE":
            answer = await api.http.request(method, url)
            codes = {"no_video", "still_running", "not_found"}
            assert answer.status_code == 200 or answer.json()["code"] in codes, (method, path)
            assert "Not Found" not in answer.text, (method, path)
        elif method == "POST":
            answer = await api.http.post(url, content=b"[]", headers={"Content-Type": "application/json"})
            assert answer.status_code == 422 or answer.json()["code"] == "missing_scope", (method, path)
        else:
            answer = await api.http.request(method, url)
            assert answer.status_code in {200, 404, 503}, (method, path)
            assert "Not Found" not in answer.text, (method, path)


async def test_every_operation_says_what_it_is_for_and_how_it_refuses(document: Document) -> None:
    for method, path, operation in operations(document):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        refusal = operation["responses"]["422"]["content"]
        assert "application/problem+json" in refusal, (method, path)
        assert "HTTPValidationError" not in str(operation), (method, path)


async def test_every_reference_leads_somewhere(document: Document) -> None:
    references = {one["$ref"] for one in everything_in(document) if isinstance(one.get("$ref"), str)}
    assert references
    for reference in references:
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


async def test_every_documented_status_of_a_look_is_what_is_answered(
    api: Stack, document: Document, standing: dict[str, Any]
) -> None:
    documented = document["paths"]["/v1/generations/{generation_id}"]["get"]["responses"]
    assert {"200", "404", "422"} <= set(documented)
    schema = document["components"]["schemas"]["GenerationOut"]
    assert set(standing) == set(schema["properties"])
    unknown = await api.http.get("/v1/generations/nothing")
    known = document["components"]["schemas"]["ProblemDocument"]["properties"]
    assert set(problem_of(unknown, 404, "not_found")) <= set(known)


async def test_every_whole_example_is_taken(api: Stack, document: Document) -> None:
    content = document["paths"]["/v1/generations"]["post"]["requestBody"]["content"]["application/json"]
    assert set(content["examples"]) == {"shortest", "in full"}
    for name, example in content["examples"].items():
        answer = await api.http.post("/v1/generations", json=example["value"])
        assert answer.status_code == 202, (name, answer.text)


@pytest.mark.parametrize("schema", ["GenerationRequest", "Params", "RegenerateRequest", "Style"])
async def test_every_example_of_a_field_is_taken(api: Stack, document: Document, schema: str) -> None:
    tried = 0
    for field, told in document["components"]["schemas"][schema]["properties"].items():
        for example in [value for one in everything_in(told) for value in one.get("examples", [])]:
            wanted: Document = {"prompt": "A fox"}
            match schema:
                case "Params":
                    wanted["params"] = {field: example}
                case "Style":
                    wanted["params"] = {"style": {field: example}}
                case _:
                    wanted[field] = example
            path = "/v1/generations"
            if schema == "RegenerateRequest":
                ordered = await api.order()
                await api.http.post(f"{path}/{ordered['id']}/cancel")
                path = f"{path}/{ordered['id']}/regenerate"
            answer = await api.http.post(path, json=wanted)
            assert answer.status_code == 202, (field, example, answer.text)
            tried += 1
    assert tried >= (1 if schema == "Style" else 3)


@pytest.mark.parametrize(("schema", "route"), BODIES.items())
async def test_every_field_of_a_body_is_known_to_the_api(
    api: Stack, document: Document, standing: dict[str, Any], schema: str, route: str
) -> None:
    fields = document["components"]["schemas"][schema]["properties"]
    path = "/v1/generations" + route.format(id=standing["id"])
    answer = await api.http.post(path, json={field: [[]] for field in (*fields, "colour")})
    wrong = {error["pointer"].removesuffix("/0"): error["code"] for error in answer.json()["errors"]}
    assert wrong["/colour"] == "extra_forbidden"
    assert set(wrong) == {"/colour", *(f"/{field}" for field in fields)}
    assert list(wrong.values()).count("extra_forbidden") == 1
