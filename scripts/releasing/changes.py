"""What a release changes, for the user to read before it is deployed."""

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from lambda_src.tagger import BundleError, TagModel, read_bundle
from scripts.releasing.assembly import Assembly
from scripts.releasing.function import Function, Version, facts_of
from scripts.shared.tables import table

_SHOWN_TAGS: Final = 20
_SHOWN_DIGITS: Final = 12


def changes(function: Function | None, bundle: TagModel, assembly: Assembly) -> str:
    """Format the live version and the new one side by side.

    Parameters
    ----------
    function
        The deployed function; None before the first deployment.
    bundle
        The new model.
    assembly
        The stack to deploy.
    """
    new = {"bundle": bundle.sha256[:_SHOWN_DIGITS], **facts_of(assembly.description)}
    new["image"] = assembly.image_source[:_SHOWN_DIGITS]
    if function is None:
        return table(["", "new"], [[name, value] for name, value in new.items()])
    number = function.live().version
    (live,) = (each for each in function.versions() if each.number == number)
    old = {"bundle": live.model_sha256[:_SHOWN_DIGITS], **live.facts}
    old["image"] = function.image(number).source[:_SHOWN_DIGITS]
    rows = [
        [name, old.get(name, "-"), new.get(name, "-")]
        for name in [*new, *(name for name in old if name not in new)]
    ]
    written = table(["", f"live (version {number})", "new"], rows)
    return f"{written}\n{_tags(function, live, bundle)}"


def _tags(function: Function, live: Version, bundle: TagModel) -> str:
    try:
        before = _tags_of(function, live)
    except (BundleError, BotoCoreError, ClientError) as error:
        return f"Cannot compare tags, because the live bundle cannot be read: {error}"
    added, removed = set(bundle.tags) - before, before - set(bundle.tags)
    return f"Tags added: {_some(added)}\nTags removed: {_some(removed)}"


def _tags_of(function: Function, version: Version) -> set[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "live.safetensors"
        path.write_bytes(function.model_of(version))
        return {tag for tag, _ in read_bundle(path, version.model_sha256).manifest["tags"]}


def _some(tags: Collection[str]) -> str:
    if not tags:
        return "none"
    more = f" and {len(tags) - _SHOWN_TAGS} more" if len(tags) > _SHOWN_TAGS else ""
    return f"{len(tags)}: {', '.join(sorted(tags)[:_SHOWN_TAGS])}{more}"
