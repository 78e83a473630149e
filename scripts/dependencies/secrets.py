"""Look for secrets in the files under version control."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings

from scripts.shared.paths import ROOT

NOT_SECRETS: Final = Path(__file__).with_name("not_secrets.json")
"""Findings that are none: each with its file, the SHA-1 of the text that was found, and the reason.

A finding is not identified by its line, so that a change above it changes nothing here."""
_NOT_SCANNED: Final = re.compile(
    r"requirements[^/]*\.txt$|package-lock\.json$|\.(safetensors|svg|png)$|not_secrets\.json$"
    r"|^tests/(golden|samples)/"
)
"""Digests of packages, binary files, and generated texts, in which everything looks random."""


def scanned_files() -> list[str]:
    """Return the files under version control that a person writes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return [name for name in listed if name and not _NOT_SCANNED.search(name)]


def findings(names: Iterable[str], root: Path = ROOT) -> list[dict[str, Any]]:
    """Return what looks like a secret, but is not named by `NOT_SECRETS`.

    Parameters
    ----------
    names : iterable of str
        Files, relative to `root`.
    root : Path
        The folder of the files.
    """
    known = json.loads(NOT_SECRETS.read_text(encoding="utf-8"))
    accepted = {(each["file"], each["sha1"]) for each in known}
    found = SecretsCollection(root=str(root))
    with default_settings():
        for name in names:
            found.scan_file(name)
    return [
        each
        for name, secrets in sorted(found.json().items())
        for each in secrets
        if (name, each["hashed_secret"]) not in accepted
    ]


def main() -> int:
    """Print every finding, and return 1 if there is one."""
    names = scanned_files()
    found = findings(names)
    for each in found:
        print(
            f"{each['filename']}:{each['line_number']}: {each['type']} "
            f"(SHA-1 {each['hashed_secret']})"
        )
    if found:
        print(
            "Remove each secret from the file and from the history, and replace it where it is "
            f"valid. If it is none, add it to {NOT_SECRETS.relative_to(ROOT)} with the reason."
        )
        return 1
    print(f"No secrets in {len(names)} files.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
