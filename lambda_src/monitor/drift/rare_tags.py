"""How often the tags of the corpus occur that are too rare for the model to know."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Final, Self
from zlib import crc32

MAX_RARE_TAGS: Final = 4_000
"""So many of the most common rare tags are kept."""
_HASH_BYTES: Final = 3
"""A tag is kept as the last bytes of a checksum: names would take five times the space. Two tags
have the same ones by chance once in 16 million; the less common one then counts as the other."""


class RareTags:
    """The uses of rare tags.

    Parameters
    ----------
    uses_by_hash : mapping of bytes to int
    max_other_uses : int
        The largest number of uses that a tag which is not kept can have.
    """

    def __init__(self, uses_by_hash: Mapping[bytes, int], max_other_uses: int) -> None:
        self._uses = dict(uses_by_hash)
        self.max_other_uses = max_other_uses

    @classmethod
    def of(cls, uses: Mapping[str, int]) -> Self:
        """Keep the most common ones of all rare tags."""
        order = sorted(uses.items(), key=lambda tag_and_uses: (-tag_and_uses[1], tag_and_uses[0]))
        kept, others = order[:MAX_RARE_TAGS], order[MAX_RARE_TAGS:]
        by_hash = {_hash(tag): n_uses for tag, n_uses in reversed(kept)}
        return cls(by_hash, others[0][1] if others else 0)

    @classmethod
    def from_json(cls, value: Mapping[str, str], max_other_uses: int) -> Self:
        """Read what `to_json` wrote."""
        uses = {
            each: int(n_uses)
            for n_uses, hashes in value.items()
            for each in _parts(b64decode(hashes))
        }
        return cls(uses, max_other_uses)

    def to_json(self) -> dict[str, str]:
        """Give the hashes of the tags by their number of uses."""
        by_uses: dict[int, list[bytes]] = {}
        for each, n_uses in self._uses.items():
            by_uses.setdefault(n_uses, []).append(each)
        return {
            str(n_uses): b64encode(b"".join(sorted(hashes))).decode()
            for n_uses, hashes in sorted(by_uses.items())
        }

    def __contains__(self, tag: str) -> bool:
        return _hash(tag) in self._uses

    def max_uses(self, tag: str) -> int:
        """Give the largest number of uses that a tag can have had in the corpus."""
        return self._uses.get(_hash(tag), self.max_other_uses)


def _hash(tag: str) -> bytes:
    return crc32(tag.encode()).to_bytes(4, "big")[-_HASH_BYTES:]


def _parts(hashes: bytes) -> Iterable[bytes]:
    return (hashes[at : at + _HASH_BYTES] for at in range(0, len(hashes), _HASH_BYTES))
