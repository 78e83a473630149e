"""Settings of functions beside the variables that scripts read."""

import re
from pathlib import Path

from lambda_src.api.settings import Settings
from lambda_src.environment_settings import OF_SCRIPTS, PREFIX
from tests.support.paths import ROOT

SHELL_FILES = [*(ROOT / "scripts").iterdir(), *(ROOT / ".github" / "workflows").iterdir()]
PYTHON_FILES = [*(ROOT / "scripts").rglob("*.py"), *(ROOT / "infra_cdk").rglob("*.py")]


def variables_in(files: list[Path]) -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in files if path.is_file())
    read = rf"(?:\$\{{|environ\S*?[\[(]\"|^ +){PREFIX}([A-Z0-9_]+)(?:[:}}\"])"
    return {name.lower() for name in re.findall(read, text, re.M)}


def test_variables_of_scripts_do_not_stop_a_start() -> None:
    exported = {f"{PREFIX}{name.upper()}": "x" for name in OF_SCRIPTS}
    settings = Settings.from_environment({f"{PREFIX}MODEL": "model", **exported})
    assert settings == Settings.from_environment({f"{PREFIX}MODEL": "model"})


def test_scripts_and_workflows_read_no_other_variables() -> None:
    found = variables_in([*SHELL_FILES, *PYTHON_FILES])
    assert {"python", "api_url"} <= found
    assert found <= OF_SCRIPTS | Settings.model_fields.keys()
