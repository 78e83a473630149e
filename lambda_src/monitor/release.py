"""The release that the monitor compares with: the version and the baseline of its bundle."""

from pathlib import Path
from tempfile import TemporaryDirectory

from lambda_src.monitor.detectors import Release
from lambda_src.monitor.store import StoreError, open_store
from lambda_src.tagger import read_bundle


def fetch_release(location: str, sha256: str) -> Release:
    """Read a release from a path or from S3.

    Parameters
    ----------
    location : str
        A path or ``s3://bucket/key``.
    sha256 : str
        The digest that the bundle must have.

    Raises
    ------
    StoreError
        There is no such object.
    BundleError
        The bundle cannot be read, or it has another digest.
    """
    if not location.startswith("s3://"):
        return read_release(Path(location), sha256)
    folder, _, name = location.rpartition("/")
    content = open_store(folder).read(name)
    if content is None:
        raise StoreError(f"{location} does not exist. Correct ETIQUETTE_MODEL, or deploy again.")
    with TemporaryDirectory() as temporary:
        path = Path(temporary) / name
        path.write_bytes(content)
        return read_release(path, sha256)


def read_release(path: Path, sha256: str | None = None) -> Release:
    """Read a release from a bundle file; raises what `read_bundle` raises."""
    manifest = read_bundle(path, sha256).manifest
    return Release(manifest["version"], manifest.get("baseline"))
