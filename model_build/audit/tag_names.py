"""Which tags are the same under two names, so that a renamed tag does not look like a mistake."""

from collections.abc import Collection, Iterable, Mapping


class TagNames:
    """Gives all names of a tag one form: the name that the model knows.

    A site renames a tag by making the old name a synonym. Until the model is trained again, it
    suggests the old name, while new questions have the new one. So both directions must match, and
    chains of synonyms, too.

    Parameters
    ----------
    synonyms : mapping of str to str
        The tag that each synonym stands for.
    model_tags : collection of str
        The tags that the model can suggest.
    """

    def __init__(self, synonyms: Mapping[str, str], model_tags: Collection[str]) -> None:
        groups: dict[str, set[str]] = {}
        for synonym, tag in synonyms.items():
            joined = groups.get(synonym, {synonym}) | groups.get(tag, {tag})
            groups |= dict.fromkeys(joined, joined)
        known = set(model_tags)
        self._names: dict[str, str] = {}
        for group in {id(group): group for group in groups.values()}.values():
            # A name that is no synonym itself is the site's own.
            name = min(group, key=lambda each: (each not in known, each in synonyms, each))
            self._names |= dict.fromkeys(group, name)

    def of(self, tag: str) -> str:
        """Return the name that stands for a tag."""
        return self._names.get(tag, tag)

    def of_all(self, tags: Iterable[str]) -> list[str]:
        """Return the names that stand for some tags, each once, in the same order."""
        return list(dict.fromkeys(map(self.of, tags)))
