"""The files that functions and images are built from: which they are, and who can read them."""

import re
from pathlib import Path
from typing import Final

_ENDINGS: Final = frozenset({".c", ".css", ".csv", ".html", ".js", ".jsonl", ".py", ".txt"})
"""The endings of the files that belong to a function or an image, besides its Dockerfile."""


def is_code(path: Path, root: Path) -> bool:
    """Return whether a file or folder can be part of a function or an image.

    This is a list of what belongs, and not one of exceptions: what the operating system, an editor
    or a tool leaves in a folder must change no asset, because a changed asset is a new version.

    Parameters
    ----------
    path
        An existing file or folder below `root`.
    root
        The folder that something is built from.
    """
    for part in path.relative_to(root).parts:
        if part.startswith((".", "#")) or part == "__pycache__":
            return False
    return path.is_dir() or path.name == "Dockerfile" or path.suffix in _ENDINGS


def not_code(root: Path, *folders: str) -> list[str]:
    """Return what `is_code` refuses, as patterns of a .dockerignore file.

    Parameters
    ----------
    root
        The folder that something is built from.
    *folders
        Where to look below it; by default everywhere.
    """
    found = (
        path
        for folder in folders or ("",)
        for path in sorted((root / folder).rglob("*"))
        if not is_code(path, root)
    )
    return [re.sub(r"([*?\[\\])", r"\\\1", path.relative_to(root).as_posix()) for path in found]


def let_everybody_read(assembly: Path) -> None:
    """Give the copied files of a synthesized app the permissions that Lambda needs.

    The CDK copies files with their permissions, and writes these into the zip file of a function.
    If the checkout was made under umask 077, Lambda could not read the function's code. The name of
    the zip file is a hash of its content alone, so that the wrong file would stay in the bucket
    even if the checkout were corrected.

    Parameters
    ----------
    assembly
        The folder that the CDK has written.

    References
    ----------
    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html#troubleshooting-deployment-denied
    """
    for copied in assembly.glob("asset.*"):
        for path in (copied, *copied.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
