"""Callers rely on the committed OpenAPI document: it may grow, but it must not break them."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from lambda_src.api import feedback_schemas, model_health, schemas, service_info
from lambda_src.api.app import create_app
from lambda_src.api.settings import Settings
from lambda_src.tagger import TagModel
from tests.support.paths import ROOT

Document = dict[str, Any]


def breaking_changes(old: Document, new: Document) -> Iterator[str]:
    """Name each change that breaks a caller of the old document."""
    for path, methods in old["paths"].items():
        for method, operation in methods.items():
            now = new["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{method} {path} was removed"
                continue
            for status in operation["responses"].keys() - now["responses"].keys():
                yield f"{method} {path} no longer answers {status}"
            names = {each["name"] for each in operation.get("parameters", [])}
            for parameter in now.get("parameters", []):
                if parameter.get("required") and parameter["name"] not in names:
                    yield f"{method} {path} now requires {parameter['name']}"
            for name in names - {each["name"] for each in now.get("parameters", [])}:
                yield f"{method} {path} no longer accepts {name}"
    new_schemas = new["components"]["schemas"]
    for name, schema in old["components"]["schemas"].items():
        now = new_schemas.get(name)
        if now is None:
            yield f"schema {name} was removed"
            continue
        yield from _schema_changes(name, schema, now)


def _schema_changes(name: str, old: Document, new: Document) -> Iterator[str]:
    is_request = name.endswith("Request")
    for field, kind in old.get("properties", {}).items():
        now = new.get("properties", {}).get(field)
        if now is None:
            yield f"{name}.{field} was removed"
        elif kind.get("type") != now.get("type"):
            yield f"{name}.{field} was {kind.get('type')} and is {now.get('type')}"
        elif is_request and set(kind.get("enum", ())) - set(now.get("enum", ())):
            yield f"{name}.{field} no longer accepts some values"
    required, now_required = set(old.get("required", ())), set(new.get("required", ()))
    for field in (now_required - required) if is_request else (required - now_required):
        yield f"{name}.{field} is {'now required' if is_request else 'no longer always present'}"


@pytest.fixture(scope="module")
def current(starter: TagModel) -> Document:
    return create_app(starter, Settings(model="starter")).openapi()


@pytest.fixture(scope="module")
def committed() -> Document:
    document: Document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    return document


def test_no_change_breaks_a_caller(current: Document, committed: Document) -> None:
    assert list(breaking_changes(committed, current)) == []


def test_the_committed_document_is_up_to_date(current: Document, committed: Document) -> None:
    assert current == committed, (
        "docs/openapi.json is out of date. "
        "Run '.venv/bin/python -m scripts.write_openapi' and commit the file."
    )


def _schema_names(operation: Document) -> Iterator[str]:
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for body in [*bodies, *operation["responses"].values()]:
        for content in body.get("content", {}).values():
            if "$ref" in content.get("schema", {}):
                yield content["schema"]["$ref"].rpartition("/")[2]


def test_every_request_and_answer_has_a_valid_example(current: Document) -> None:
    for methods in current["paths"].values():
        for operation in methods.values():
            names = list(_schema_names(operation))
            assert names
            for name in names:
                examples = current["components"]["schemas"][name]["examples"]
                modules = (schemas, feedback_schemas, service_info, model_health)
                module = next(each for each in modules if hasattr(each, name))
                model: type[BaseModel] = getattr(module, name)
                for example in examples:
                    try:
                        parsed = model.model_validate(example)
                    except ValidationError as error:
                        pytest.fail(f"Correct the example of {name} in {module.__name__}: {error}")
                    assert parsed.model_dump(mode="json", exclude_unset=True) == example


@pytest.mark.parametrize(
    "path",
    [
        ("paths", "/predict"),
        ("paths", "/predict", "post", "responses", "422"),
        ("components", "schemas", "PredictRequest", "properties", "text"),
        ("components", "schemas", "PredictResponse", "properties", "predicted_tags"),
    ],
)
def test_a_removed_part_is_detected(committed: Document, path: tuple[str, ...]) -> None:
    changed = copy.deepcopy(committed)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    assert list(breaking_changes(committed, changed))


def test_a_new_required_field_is_detected(committed: Document) -> None:
    changed = copy.deepcopy(committed)
    changed["components"]["schemas"]["PredictRequest"]["required"] = ["site"]
    assert list(breaking_changes(committed, changed)) == ["PredictRequest.site is now required"]
