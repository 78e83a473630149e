"""A bundle: everything a model needs, in one safetensors file that its SHA-256 names.

The safetensors library writes the file. This module reads it in place, because that library gives
numpy a copy of every array. A memory-mapped bundle loads faster, and processes share its memory.

`infra_cdk.model` reads the version out of a bundle's header by itself, on purpose: the
infrastructure imports nothing of the tagger, which needs numpy.
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

FORMAT_VERSION: Final = 3
MANIFEST_KEY: Final = "manifest"
"""The name of the manifest, as JSON, in the metadata of the safetensors header."""

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
    """A bundle cannot be used; the message says which one and what to do."""


class BundleDigestError(BundleError):
    """The file has another SHA-256 than the one that was asked for."""


class BundleFormatError(BundleError):
    """The file is not a bundle, is damaged, or has a format that this release cannot read."""


class Bundle(NamedTuple):
    """The contents of a bundle file."""

    sha256: str
    manifest: Mapping[str, Any]
    arrays: Mapping[str, Array]
    """Read-only; their memory is the mapped file."""


def read_bundle(path: str | os.PathLike[str], sha256: str | None = None) -> Bundle:
    """Memory-map a bundle and check its digest and its layout.

    Parameters
    ----------
    path : path-like
    sha256 : str, optional
        The digest that the file must have: 64 hexadecimal digits.

    Raises
    ------
    BundleError
        The file cannot be read.
    BundleDigestError
        It has another digest; nothing in it was parsed.
    BundleFormatError
        It is not a bundle, or its format is unknown.
    """
    file = Path(path)
    try:
        with file.open("rb") as opened:
            is_empty = os.fstat(opened.fileno()).st_size == 0
            # An empty file cannot be mapped.
            content = memoryview(
                b"" if is_empty else mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
            )
    except (OSError, ValueError) as error:
        raise BundleError(
            f"{file}: this bundle cannot be read: {error}. Check the path."
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256.lower():
        raise BundleDigestError(
            f"{file}: its SHA-256 is {digest}, but {sha256} was asked for. "
            "Download the bundle again, or give the digest of the release that you mean."
        )
    try:
        manifest, arrays = _parse(content)
    except _LayoutError as error:
        raise BundleFormatError(
            f"{file}: {error}. Download the bundle again, or train a new one "
            "with 'python -m model_build train'."
        ) from None
    return Bundle(digest, manifest, arrays)


class _LayoutError(Exception):
    """The bytes are not a bundle of a known layout; never leaves this module."""


def _parse(content: memoryview) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
    if len(content) < 8:
        raise _LayoutError("it is not a safetensors file: it ends before its header")
    header_bytes = int.from_bytes(content[:8], "little")
    if header_bytes > min(len(content) - 8, _MAX_HEADER_BYTES):
        raise _LayoutError(f"its header claims {header_bytes} bytes, more than there are or may be")
    header = _json_object(bytes(content[8 : 8 + header_bytes]), "header")
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get(MANIFEST_KEY), str):
        raise _LayoutError("its header has no manifest, so it is not an Etiquette bundle")
    manifest = _json_object(metadata[MANIFEST_KEY].encode(), "manifest")
    version = manifest.get("format")
    if version != FORMAT_VERSION:
        raise _LayoutError(
            f"its format is {version!r:.80}, but this release reads only {FORMAT_VERSION}"
        )
    return manifest, _arrays(content[8 + header_bytes :], header)


def _json_object(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _LayoutError(f"its {what} is not a JSON object")
    return value


def _arrays(data: memoryview, header: Mapping[str, Any]) -> Mapping[str, Array]:
    arrays = {}
    end = 0
    for name, entry in sorted(header.items(), key=_first_byte):
        dtype, shape, (start, stop) = _entry(name, entry)
        if start != end:
            raise _LayoutError(f"array {name!r} overlaps another or leaves a gap")
        count = 1
        for length in shape:
            count *= length
        fits = stop - start == count * dtype.itemsize and stop <= len(data)
        # The shape of an empty array may have any length in its other dimension.
        if not fits or max(shape, default=0) > len(data):
            raise _LayoutError(f"array {name!r} does not fit into its place in the file")
        arrays[name] = np.frombuffer(data, dtype, count, start).reshape(shape)
        end = stop
    if end != len(data):
        raise _LayoutError(f"{len(data) - end} bytes belong to no array")
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
        raise _LayoutError(f"array {name!r} is declared in a way that this release does not know")
    return dtype, tuple(shape), (offsets[0], offsets[1])
