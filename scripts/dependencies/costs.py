"""What each dependency of the API's function costs at its start: milliseconds and megabytes."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from scripts.shared.paths import ROOT
from scripts.shared.tables import table

_STARTER: Final = ROOT / "model_build" / "starter" / "starter.safetensors"
_RUNS: Final = 15
"""Other load on the machine makes imports slower, never faster, so the least time counts."""
_START: Final = "import lambda_src.api.handler"
_EXTRA_MODULES: Final = {"cryptography": "cryptography.hazmat.primitives.asymmetric.padding"}
"""What to import of a further package, where the package alone imports next to nothing."""


def direct_dependencies(extra: str) -> list[str]:
    """Return the packages that pyproject.toml names for a purpose."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.match(r"[\w-]+", each) for each in project["optional-dependencies"][extra]]
    return [name.group() for name in names if name and name.group() != "etiquette"]


def locked(requirements: Path) -> list[str]:
    """Return the names of all packages of a locked file."""
    return re.findall(r"^([\w.-]+)==", requirements.read_text(encoding="utf-8"), re.MULTILINE)


def import_times(report: str) -> dict[str, float]:
    r"""Sum the time of each top-level package, in milliseconds.

    Parameters
    ----------
    report : str
        What Python writes to standard error with the option `-X importtime`.

    Examples
    --------
    >>> import_times("import time:      1500 |       2000 |   numpy.linalg\nother")
    {'numpy': 1.5}
    """
    times: dict[str, float] = defaultdict(float)
    for own, name in re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", report, re.MULTILINE):
        times[name.partition(".")[0]] += int(own) / 1000
    return dict(times)


def start_times(program: str, path: Path | None = None) -> dict[str, float]:
    """Return the import time of each top-level package in a new process, the least of several."""
    environment = {**os.environ, "ETIQUETTE_MODEL": str(_STARTER), "PYTHONHASHSEED": "0"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    runs = [
        import_times(
            subprocess.run(
                [sys.executable, "-X", "importtime", "-c", program],
                cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
            ).stderr
        )
        for _ in range(_RUNS)
    ]  # fmt: skip
    names = {name for run in runs for name in run}
    return {name: min(run.get(name, 0.0) for run in runs) for name in names}


def megabytes(distribution: str) -> float:
    """Return the size of an installed package in MB, without its dependencies."""
    files = metadata.files(distribution) or []
    paths = {Path(str(each.locate())) for each in files}
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def licence(distribution: str) -> str:
    """Return what a package's metadata says about its licence, in one line."""
    found = metadata.metadata(distribution)
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in found.get_all("Classifier") or []
        if each.startswith("License :: OSI Approved :: ")
    ]
    expression = (found.get_all("License-Expression") or [""])[0]
    text = expression or ", ".join(classifiers) or (found.get_all("License") or ["?"])[0]
    return text.splitlines()[0]


def cost_rows(times: Mapping[str, float]) -> list[list[str]]:
    """Return a row for each package of the image, the direct dependencies first."""
    modules: dict[str, set[str]] = defaultdict(set)
    for module, distributions in metadata.packages_distributions().items():
        for name in distributions:
            modules[re.sub(r"[-_.]+", "-", name).lower()].add(module)
    direct = direct_dependencies("api")
    names = locked(ROOT / "lambda_src" / "api" / "requirements.txt")
    rows = []
    for name in sorted(names, key=lambda each: (each not in direct, each)):
        milliseconds = sum(times.get(module, 0.0) for module in modules[name])
        kind = "direct" if name in direct else ""
        size = megabytes(name)
        rows.append([name, kind, f"{milliseconds:.1f}", f"{size:.1f}", licence(name)])
    ours = sum(times.get(module, 0.0) for module in ("lambda_src",))
    known = sum(float(row[2]) for row in rows)
    rest = sum(times.values()) - known - ours
    rows.append(["Python's standard library", "", f"{rest:.1f}", "", ""])
    rows.append(["our own code and the model", "", f"{ours:.1f}", "", ""])
    return rows


def extra_row(name: str) -> list[str]:
    """Install a further package into a temporary folder, and measure it with what it needs."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [ROOT / ".venv/bin/uv", "pip", "install", "--quiet", "--target", folder,
             "--python", sys.executable, "--compile-bytecode", name],
            check=True,
        )  # fmt: skip
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 1e6
        module = _EXTRA_MODULES.get(name, name.replace("-", "_"))
        before, after = (
            sum(start_times(program, Path(folder)).values())
            for program in ("pass", f"import {module}")
        )
    return [name, "further", f"{after - before:.1f}", f"{size:.1f}", ""]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="scripts/supply_chain costs")
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="further packages")
    options = parser.parse_args()
    rows = cost_rows(start_times(_START))
    rows += [extra_row(name) for name in options.packages]
    print(table(["Package", "", "Import, ms", "Size, MB", "Licence"], rows))


if __name__ == "__main__":
    main()
