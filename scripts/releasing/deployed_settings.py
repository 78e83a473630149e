"""The settings that are live, and which of them a deployment would lose.

The stack's outputs describe its settings (infra_cdk/recorded_settings.py).
"""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

from lambda_src.model_signature import signature_path
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function, Version
from scripts.releasing.target import Target
from scripts.shared.paths import ROOT
from scripts.shared.terminal import say

_KEPT_MODELS: Final = ROOT / ".cache" / "live_models"
_SHOWN_DIGITS: Final = 12


class Settings(NamedTuple):
    """What a stack's outputs say about its settings."""

    values: Mapping[str, str]
    """The settings that are not at their defaults."""
    given: frozenset[str]
    """The names of the settings that were given by the command line."""

    @classmethod
    def of(cls, outputs: Mapping[str, str]) -> Self | None:
        """Return the settings, or None if the outputs do not contain any."""
        if "Settings" not in outputs:
            return None
        return cls(
            json.loads(outputs["Settings"]), frozenset(json.loads(outputs["CommandSettings"]))
        )


class Change(NamedTuple):
    """A setting whose value is another one after the deployment. None is the default."""

    name: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        old, new = ("default" if each is None else each for each in (self.old, self.new))
        return f"{self.name}: {old} -> {new}"


def changed(live: Settings, new: Settings) -> list[Change]:
    """Return every setting that a deployment changes, by name."""
    changes = (
        Change(name, live.values.get(name), new.values.get(name))
        for name in sorted({*live.values, *new.values})
    )
    return [each for each in changes if each.old != each.new]


def lost(live: Settings, new: Settings) -> list[Change]:
    """Return the settings that a deployment changes although nobody asked for it.

    A setting is lost if the new command does not give it, and either an earlier command gave it or
    it falls back to its default. Another value in infra_cdk/settings.py is a reviewed change.

    Examples
    --------
    >>> live = Settings({"alarm_email": "a@example.org"}, frozenset({"alarm_email"}))
    >>> print(*lost(live, Settings({}, frozenset())))
    alarm_email: a@example.org -> default
    >>> lost(live, Settings({}, frozenset({"alarm_email"})))
    []
    """
    return [
        each
        for each in changed(live, new)
        if each.old is not None
        and each.name not in new.given
        and (each.name in live.given or each.new is None)
    ]


def refuse_to_lose(
    function: Function, live: Settings | None, new: Settings, model_sha256: str
) -> None:
    """Raise an error if a deployment would lose a setting, or replace the model by the starter.

    Parameters
    ----------
    function
        The deployed function.
    live, new
        The settings that are live, and those of the deployment.
    model_sha256
        The digest of the deployment's model.

    Raises
    ------
    ReleaseError
        If something would be lost. The message names each value and says how to keep it.
    """
    changes = [] if live is None else lost(live, new)
    lost_model = []
    model = live_version(function)
    if "model" not in new.given and model.model_sha256 != model_sha256:
        name = model.facts.get("model", "?")
        lost_model.append(
            f"model: {name} ({model.model_sha256[:_SHOWN_DIGITS]}) -> the starter "
            f"({model_sha256[:_SHOWN_DIGITS]})"
        )
    advice = [
        "Add --keep-settings to keep the live values, or give new ones with -c NAME=VALUE (a "
        "model with -c model=PATH, or --model PATH of scripts/release). To drop one on purpose, "
        "give -c NAME=default."
    ]
    of_file = [each.name for each in changes if live and each.name not in live.given]
    if of_file:
        advice.append(
            f"--keep-settings cannot keep {', '.join(of_file)}, because infra_cdk/settings.py set "
            "it: use a checkout whose settings.py still does."
        )
    _refuse(function.target, [*changes, *lost_model], "\n".join(advice))


def refuse_to_lose_beside(target: Target, live: Settings, new: Settings) -> None:
    """Raise an error if a deployment of a stack beside the service's would lose a setting.

    Such a stack is that of infra_cdk/probe.py. It has no model, and few settings.

    Raises
    ------
    ReleaseError
        If something would be lost.
    """
    advice = (
        "Give each again with -c NAME=VALUE, or another value. To drop one on purpose, give -c "
        "NAME=default."
    )
    _refuse(target, lost(live, new), advice)


def _refuse(target: Target, lost_values: Sequence[object], advice: str) -> None:
    if lost_values:
        shown = "\n".join(f"  {each}" for each in lost_values)
        raise ReleaseError(
            f"This deployment would lose what is live in {target.stack}:\n{shown}\n{advice}"
        )


def kept(target: Target, given: Mapping[str, str]) -> dict[str, str]:
    """Return the live settings that a command does not give, for the CDK's option `-c`.

    Parameters
    ----------
    target
        The deployment.
    given
        The settings that the command gives.

    Returns
    -------
    dict
        Empty before the first deployment. The live model is downloaded, and named by its path.
    """
    outputs = target.outputs() or {}
    if "FunctionAlias" not in outputs:
        return {}
    live = Settings.of(outputs) or Settings({}, frozenset())
    found = {name: live.values[name] for name in sorted(live.given) if name in live.values}
    if "model" not in given:
        found |= live_model(Function.of(target))
    found = {name: value for name, value in found.items() if name not in given}
    say(f"Kept as they are live: {', '.join(sorted(found)) or 'nothing'}")
    return found


def live_version(function: Function) -> Version:
    """Return the version that the alias `live` points to."""
    number = function.live().version
    (version,) = (each for each in function.versions() if each.number == number)
    return version


def live_model(function: Function) -> dict[str, str]:
    """Download the live model, and write its report again if a report described it.

    Parameters
    ----------
    function
        The deployed function.

    Returns
    -------
    dict
        The setting `model`, and `report` if there is one.
    """
    version = live_version(function)
    _KEPT_MODELS.mkdir(parents=True, exist_ok=True)
    path = _KEPT_MODELS / f"{version.model_sha256}.safetensors"
    # The CDK computes the digest of what it deploys, and the function checks it.
    path.write_bytes(function.model_of(version))
    if version.model_signature:
        signature_path(path).write_bytes(base64.b64decode(version.model_signature))
    found = {"model": str(path)}
    # The figures of a report have plain names; those of a bundle's card contain the questions'.
    figures = {
        name: float(value)
        for name, value in version.facts.items()
        if name not in {"model", "tags", "questions"} and "." not in name
    }
    if figures:
        found["report"] = str(_report(path, version.model_sha256, figures))
    return found


def _report(model: Path, sha256: str, figures: Mapping[str, float]) -> Path:
    path = model.with_suffix(".json")
    path.write_text(json.dumps({"model_sha256": sha256, **figures}), encoding="utf-8")
    return path
