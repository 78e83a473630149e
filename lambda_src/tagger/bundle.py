"""A bundle: everything a model needs, in one safetensors file that its SHA-256 names.

The file is written with the safetensors library. It is read here, in place, because that library
hands numpy a copy of every array: a memory-mapped bundle starts faster and is shared.
"""

import hashlib
import json
import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

FORMAT_VERSION: Final = 2
MANIFEST_KEY: Final = "manifest"
"""Where the manifest, as JSON, stands in the metadata of the safetensors header."""

Array = npt.NDArray[Any]
Buffer = bytes | memoryview

_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "I8": np.dtype("<i1"),
    "U8": np.dtype("<u1"),
    "U16": np.dtype("<u2"),
    "U32": np.dtype("<u4"),
    "U64": np.dtype("<u8"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}
_MAX_HEADER_BYTES: Final = 16 * 2**20


class BundleError(Exception):
    """A bundle that cannot be used: the message says which and what to do."""


class BundleDigestError(BundleError):
    """The file is not the one that was asked for."""


class BundleFormatError(BundleError):
    """The file is not a bundle, is damaged, or is of a format that this code does not know."""


class Bundle(NamedTuple):
    """What a bundle file holds."""

    sha256: str
    manifest: Mapping[str, Any]
    arrays: Mapping[str, Array]
    """Read-only and backed by the file."""


def read_bundle(path: str | os.PathLike[str], sha256: str | None = None) -> Bundle:
    """Memory-map a bundle and check it before anything in it is used.

    Parameters
    ----------
    path : path-like
    sha256 : str, optional
        The digest, 64 hexadecimal digits, that the file must have.

    Raises
    ------
    BundleError
        The file cannot be read or is empty.
    BundleDigestError
        Its digest is another one; nothing of it was parsed.
    BundleFormatError
        It is no bundle of a known format.
    """
    file = Path(path)
    try:
        with file.open("rb") as opened:
            content = memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise BundleError(f"{file}: cannot read this bundle: {error}. Check the path.") from error
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256.lower():
        raise BundleDigestError(
            f"{file}: its SHA-256 is {digest}, but {sha256} was asked for. "
            "Fetch the bundle again, or name the digest of the release that you mean."
        )
    try:
        manifest, arrays = _parse(content)
    except _Damage as damage:
        raise BundleFormatError(
            f"{file}: {damage}. Fetch the bundle again, or train a new one "
            "with 'python -m model_build train'."
        ) from None
    return Bundle(digest, manifest, arrays)


class _Damage(Exception):  # noqa: N818 (never leaves this module)
    pass


def _parse(content: memoryview) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
    if len(content) < 8:
        raise _Damage("this is no safetensors file: it ends before its header")
    header_bytes = int.from_bytes(content[:8], "little")
    if header_bytes > min(len(content) - 8, _MAX_HEADER_BYTES):
        raise _Damage(f"its header claims {header_bytes} bytes, more than there are or may be")
    header = _json_object(bytes(content[8 : 8 + header_bytes]), "header")
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get(MANIFEST_KEY), str):
        raise _Damage("its header holds no manifest, so it is no Etiquette bundle")
    manifest = _json_object(metadata[MANIFEST_KEY].encode(), "manifest")
    version = manifest.get("format")
    if version != FORMAT_VERSION:
        raise _Damage(f"its format is {version!r}, but this release reads {FORMAT_VERSION} only")
    return manifest, _arrays(content[8 + header_bytes :], header)


def _json_object(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _Damage(f"its {what} is not a JSON object")
    return value


def _arrays(data: memoryview, header: Mapping[str, Any]) -> Mapping[str, Array]:
    arrays = {}
    end = 0
    for name, entry in sorted(header.items(), key=_first_byte):
        dtype, shape, (start, stop) = _entry(name, entry)
        if start != end:
            raise _Damage(f"array {name!r} overlaps another or leaves a gap")
        count = 1
        for length in shape:
            count *= length
        fits = stop - start == count * dtype.itemsize and stop <= len(data)
        # Of an array without numbers, a side may be of any length.
        if not fits or max(shape, default=0) > len(data):
            raise _Damage(f"array {name!r} does not fit its place in the file")
        arrays[name] = np.frombuffer(data, dtype, count, start).reshape(shape)
        end = stop
    if end != len(data):
        raise _Damage(f"{len(data) - end} bytes belong to no array")
    return arrays


def _first_byte(item: tuple[str, Any]) -> tuple[int, int]:
    _, _, (start, stop) = _entry(*item)
    return start, stop


def _entry(name: str, entry: Any) -> tuple[np.dtype[Any], tuple[int, ...], tuple[int, int]]:
    try:
        dtype = _DTYPES[entry["dtype"]]
        shape, offsets = entry["shape"], entry["data_offsets"]
        numbers = [*shape, *offsets]
        well_formed = len(offsets) == 2 and all(type(n) is int and n >= 0 for n in numbers)
    except (KeyError, TypeError):
        well_formed = False
    if not well_formed or len(shape) > 2 or offsets[0] > offsets[1]:
        raise _Damage(f"array {name!r} is declared in a way this release does not know")
    return dtype, tuple(shape), (offsets[0], offsets[1])
