"""Write the golden files again: ``python -m tests.golden``."""

import sys

from lambda_src.tagger.rules import ANALYZER_VERSION
from tests.golden import results


def main() -> int:
    """Write the files, unless a rule changed and `ANALYZER_VERSION` did not; give the exit code."""
    if (results.FOLDER / "model.json").exists():
        golden = results.read()
        changed = results.differences(golden)
        if changed and golden.analyzer_version >= ANALYZER_VERSION:
            sys.stderr.write(
                f"The ranking rules changed: {len(changed)} golden cases have other results, such "
                f"as {changed[0]!r}. Raise ANALYZER_VERSION in lambda_src/tagger/rules.py above "
                f"{golden.analyzer_version}, run 'python -m tests.golden' again and train new "
                "bundles, or undo the change of the rules.\n"
            )
            return 1
    results.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
