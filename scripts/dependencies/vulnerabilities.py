"""Look up every locked package in the databases of known vulnerabilities."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from scripts.shared.paths import ROOT

_NPM_FOLDER = ROOT / "infra_cdk"


class Looked(NamedTuple):
    """The result for one locked file."""

    packages: int
    """How many packages the database answered for."""
    vulnerable: list[str]
    """One line per known vulnerability."""
    unreachable: str = ""
    """Why the database did not answer for every package; empty if it did."""


def locked_files(root: Path = ROOT) -> list[Path]:
    """Return every locked requirements file under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "*requirements*.txt"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    files = [root / name for name in listed]
    return [file for file in files if "--hash=" in file.read_text(encoding="utf-8")]


def read_pip_audit(output: str, error: str) -> Looked:
    """Read the JSON report of pip-audit.

    It ends with success and "no known vulnerabilities" when the database knew none of the
    packages, for example behind a mirror without the database. Such packages were not looked up.

    Parameters
    ----------
    output, error : str
        What it wrote to standard output and to standard error.
    """
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        return Looked(0, [], (error.strip().splitlines() or ["pip-audit wrote no report"])[-1])
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    vulnerable = [
        f"{each['name']} {each['version']}: {found['id']}, "
        f"fixed in {', '.join(found['fix_versions']) or 'no version'}"
        for each in packages
        for found in each.get("vulns", [])
    ]
    reason = (
        f"the database did not answer for {len(skipped)} of {len(packages)} packages, such as "
        f"{skipped[0]}"
        if skipped
        else ""
    )
    return Looked(len(packages) - len(skipped), vulnerable, reason)


def read_npm_audit(output: str, error: str) -> Looked:
    """Read the JSON report of npm audit.

    Parameters
    ----------
    output, error : str
        What it wrote to standard output and to standard error.
    """
    try:
        report = json.loads(output)
        packages = report["metadata"]["dependencies"]["total"]
    except (ValueError, KeyError, TypeError):
        return Looked(0, [], (error.strip().splitlines() or ["npm audit wrote no report"])[0])
    vulnerable = [
        f"{name}: {each['severity']}, affects {each['range']}"
        for name, each in report.get("vulnerabilities", {}).items()
    ]
    return Looked(packages, vulnerable)


def summary(results: dict[str, Looked]) -> tuple[str, int]:
    """Return what to print, and the exit code.

    Parameters
    ----------
    results : dict of str to Looked
        By the name of the locked file.

    Returns
    -------
    tuple of str and int
        0 if every package was looked up and none is vulnerable, 1 if one is, and 2 if a database
        could not be reached, so that nothing is known.
    """
    lines = []
    for name, found in results.items():
        state = f"{len(found.vulnerable)} known vulnerabilities in {found.packages} packages"
        if found.unreachable:
            state = f"NOT LOOKED UP: {found.unreachable}"
        lines.append(f"{name}: {state}")
        lines += [f"  {each}" for each in found.vulnerable]
    if any(found.vulnerable for found in results.values()):
        lines.append(
            "Upgrade with 'scripts/lock --upgrade-package NAME'. If no version is fixed, say in "
            "docs/dependencies.md why the vulnerability does not matter here."
        )
        return "\n".join(lines), 1
    if any(found.unreachable for found in results.values()):
        lines.append(
            "A database of vulnerabilities could not be reached, so nothing is known about these "
            "packages. Run the command where pypi.org and the npm registry answer."
        )
        return "\n".join(lines), 2
    return "\n".join(lines), 0


def _run(command: list[str | Path], folder: Path) -> tuple[str, str]:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "", f"{command[0]} is not installed"
    return done.stdout, done.stderr


def main() -> int:
    """Look up all locked packages, print the results, and return the exit code."""
    results: dict[str, Looked] = {}
    for file in locked_files():
        command: list[Any] = [sys.executable, "-m", "pip_audit", "--format", "json"]
        command += ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "-r", file]
        results[str(file.relative_to(ROOT))] = read_pip_audit(*_run(command, ROOT))
    npm = ["npm", "audit", "--package-lock-only", "--json"]
    results["infra_cdk/package-lock.json"] = read_npm_audit(*_run([*npm], _NPM_FOLDER))
    text, code = summary(results)
    print(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
