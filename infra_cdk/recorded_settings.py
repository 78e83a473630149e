"""The settings as outputs of the stack, which say what the next deployment could lose.

See docs/decisions/0021-settings-as-outputs.md.
"""

import json
from collections.abc import Iterable
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any, Final

from constructs import Node

from infra_cdk.context import DEFAULT
from infra_cdk.settings import ENVIRONMENTS, Settings, Throttle

_NOT_RECORDED: Final = {"environment", "service", "model", "report", "given"}
"""The stack's name contains the first two. The stack has outputs of its own for the model, and the
description of a version contains the figures of the report."""


def settings_outputs(settings: Settings) -> dict[str, str]:
    """Return the stack's outputs that describe its settings.

    Parameters
    ----------
    settings
        The settings of the deployment.

    Returns
    -------
    dict
        `Settings`: a JSON object with the settings that are not at their defaults, each as the text
        that `-c NAME=VALUE` takes. `CommandSettings`: a JSON list with the names of the settings
        that were given by the command line, including those that were given as `default`.
    """
    return {
        "Settings": json.dumps(_not_default(settings), sort_keys=True),
        "CommandSettings": json.dumps(sorted(settings.given)),
    }


def given_outputs(node: Node, names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Read the settings of a stack beside the service's, all of which the command line gives.

    Parameters
    ----------
    node
        The node of the app.
    names
        The settings of the stack.

    Returns
    -------
    tuple of two dict
        The values that were given, without those that are `default`, and the stack's outputs that
        describe them, as `settings_outputs` does.
    """
    found = {name: node.try_get_context(name) for name in names}
    given = {name: str(value) for name, value in found.items() if value is not None}
    values = {name: value for name, value in given.items() if value != DEFAULT}
    return values, {
        "Settings": json.dumps(values, sort_keys=True),
        "CommandSettings": json.dumps(sorted(given)),
    }


def _not_default(settings: Settings) -> dict[str, str]:
    """Return the settings that differ from the defaults or from those of their environment."""
    of_environment = ENVIRONMENTS[settings.environment].keywords
    found = {}
    for field in fields(Settings):
        value = getattr(settings, field.name)
        default = _default(field)
        if field.name in _NOT_RECORDED:
            continue
        # This is for one urgent fix: the next deployment must have its canary again.
        if field.name == "rollout" and field.name in settings.given and value == "all_at_once":
            continue
        if value != default or value != of_environment.get(field.name, default):
            found[field.name] = _text(value)
    return found


def _default(field: "Field[Any]") -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _text(value: Any) -> str:
    """Write a value as `-c NAME=VALUE` takes it, if infra_cdk/context.py can read the setting."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Throttle):
        return f"{value.rate}:{value.burst}"
    if is_dataclass(value):
        return " ".join(f"{each.name}={getattr(value, each.name)}" for each in fields(value))
    return str(value)
