"""Releases from the registry, and the alias `champion` after them, with a fake registry."""

import shlex
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from model_build.tracking.environment import TrackingError
from scripts import release_commands
from scripts.releasing import registered_models
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.releasing.registered_models import RegisteredModel, move_champion
from tests.support.paths import STARTER

SHA256 = "5e" * 32


class Live:
    """A function whose version 7 is live."""

    target = SimpleNamespace(stack="etiquette-prod")

    def live(self) -> Any:
        return SimpleNamespace(version=7)

    def versions(self) -> list[Any]:
        return [SimpleNamespace(number=number, model_sha256=SHA256) for number in (8, 7)]


class Registry:
    """Answers calls like the process with MLflow, and keeps where `champion` is."""

    def __init__(self, sha256: str = SHA256) -> None:
        self.sha256 = sha256
        self.champion: str | None = None
        self.error: TrackingError | None = None

    def __call__(self, operation: str, uri: str, **arguments: Any) -> Any:
        if self.error:
            raise self.error
        if operation == "download":
            return {"path": STARTER, "sha256": self.sha256, "name": "etiquette", "version": "3"}
        assert operation == "follow_release"
        known = arguments["sha256"] == SHA256
        self.champion = "etiquette/3" if known else None
        return {"name": "etiquette" if known else None, "version": "3" if known else None}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Registry:
    registry = Registry()
    monkeypatch.setattr(registered_models, "call", registry)
    monkeypatch.setattr(registered_models, "_FOLDER", tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    return registry


def test_a_file_that_is_not_the_registered_one_is_refused_before_it_is_parsed(
    registry: Registry,
) -> None:
    with pytest.raises(ReleaseError, match=r"its SHA-256 is .* but 5e5e5e"):
        RegisteredModel.download("models:/etiquette@challenger")


def test_a_champion_that_cannot_be_moved_is_a_warning_with_the_command_to_repeat(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.error = TrackingError("the server cannot be reached")
    move_champion(Live(), "etiquette")  # type: ignore[arg-type]
    warning, command = capsys.readouterr().err.splitlines()
    assert warning.startswith("Warning: the registry's alias champion was not moved")
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "model_build", "champion"]
    assert words[words.index("--sha256") + 1] == SHA256
    assert words[words.index("--stack") + 1] == "etiquette-prod"


def test_nothing_happens_without_a_registry(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setattr(registered_models, "DEFAULT_STORE", tmp_path / "mlflow.db")
    move_champion(Live())  # type: ignore[arg-type]
    assert registry.champion is None


@pytest.fixture
def released(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The bundles that `scripts/release` deployed, with everything on AWS replaced."""
    released: list[Path] = []
    monkeypatch.setattr(release_commands, "_target", lambda options: None)
    monkeypatch.setattr(Function, "of", lambda target: Live())
    monkeypatch.setattr(
        release_commands, "release", lambda target, model, **options: released.append(model)
    )
    return released


@pytest.mark.parametrize("model", ["models:/etiquette@challenger", "models:/etiquette/3"])
def test_a_release_deploys_the_registered_bundle_and_moves_champion(
    registry: Registry, released: list[Path], model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registered_models, "read_bundle", lambda path, sha256: None)
    monkeypatch.setattr(sys, "argv", ["scripts", "release", "--yes", "--model", model])
    assert release_commands.main() == 0
    assert released == [STARTER]
    assert registry.champion == "etiquette/3"


def test_a_release_that_fails_leaves_champion_where_it_is(
    registry: Registry, released: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ReleaseError("The deployment failed.")

    monkeypatch.setattr(release_commands, "release", fail)
    monkeypatch.setattr(sys, "argv", ["scripts", "release", "--yes", "--model", str(STARTER)])
    assert release_commands.main() == 1
    assert registry.champion is None


def test_champion_follows_a_rollback(
    registry: Registry, released: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_commands, "roll_back", lambda function, to, yes: None)
    monkeypatch.setattr(sys, "argv", ["scripts", "rollback", "--yes"])
    assert release_commands.main() == 0
    assert registry.champion == "etiquette/3"
