"""Asks the kernel with sanitizers, from Python: questions of any text, and bundles with faults.

Usage: python -m tests.hostile.sanitized LIBRARY, with the sanitizer's runtime preloaded. The
process dies with a report where the kernel reads or writes outside of its memory.
"""

import json
import sys
from pathlib import Path

from hypothesis import given

from lambda_src.tagger import BundleError, TagModel, kernel
from lambda_src.tagger.bundle import Bundle
from tests.hostile.bundles import QUESTIONS, WHOLE, bundles
from tests.hostile.cases import CASES, cases
from tests.hostile.texts import short_texts, texts


def main(library: str) -> None:
    """Run all cases and write how many there were, as JSON."""
    setattr(kernel, "library_path", lambda _: Path(library))  # noqa: B010
    model = TagModel(WHOLE, ranker="kernel")

    @cases(200)
    @given(title=short_texts(), body=texts())
    def ask(title: str, body: str) -> None:
        CASES["questions, kernel with sanitizers"] += 1
        model.suggest(title, body)

    @cases(200)
    @given(bundle=bundles())
    def load(bundle: Bundle) -> None:
        CASES["bundles, kernel with sanitizers"] += 1
        try:
            accepted = TagModel(bundle, ranker="kernel")
        except (BundleError, kernel.KernelError):
            return
        for title, body in QUESTIONS:
            accepted.rank(title, body)

    ask()
    load()
    sys.stdout.write(json.dumps(CASES))


if __name__ == "__main__":
    main(*sys.argv[1:])
