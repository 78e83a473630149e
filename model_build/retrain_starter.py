"""From corpora to the committed starter model and its page, if the gate lets the new model pass.

The training options of the starter are here and nowhere else. Exit codes are those of the gate: 0
replaced, 1 not good enough, 3 not enough questions for the gate, 2 an error.
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Final

from lambda_src.tagger import BundleError, read_bundle
from model_build.__main__ import main as model_build
from model_build.starter_page import PAGE, ROOT, STARTER, StarterPageError, with_figures

MIN_TAG_COUNT: Final = 14
MISLEADING_PER_TAG: Final = 15
INVERSE_REGULARIZATION: Final = 1.0
PRUNE: Final = 0.0185
NEW_TAGS: Final = [STARTER.with_name("new_tags.csv")]
CODE_EXAMPLES: Final = sorted(STARTER.with_name("code").glob("*.txt"))
TITLE_EXAMPLES: Final = sorted(STARTER.with_name("titles").glob("*.txt"))
_FOLDER: Final = ROOT / ".cache" / "starter"


def main() -> int:
    """Train, ask the gate, and replace the starter and the figures of its page."""
    options = _parser().parse_args()
    try:
        page = options.page.read_text(encoding="utf-8")
        with_figures(page, read_bundle(options.starter).manifest)
    except (OSError, BundleError, StarterPageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    candidate = _FOLDER / "candidate.safetensors"
    corpus = [*options.questions, *options.partial_questions]
    code = model_build(
        [
            *("train", "--out", str(candidate), "--jobs", str(options.jobs)),
            *_files("--questions", options.questions),
            *_files("--partial-questions", options.partial_questions),
            *_files("--tag-sets", options.tag_sets),
            *_files("--new-tags", NEW_TAGS),
            *_files("--code-examples", CODE_EXAMPLES),
            *_files("--title-examples", TITLE_EXAMPLES),
            *("--min-tag-count", str(options.min_tag_count), "--prune", str(PRUNE)),
            *("--misleading-per-tag", str(MISLEADING_PER_TAG)),
            *("--inverse-regularization", str(INVERSE_REGULARIZATION)),
        ]
    )
    if code:
        return 2
    if options.gate_questions:
        dates = [f"--newer-than={options.newer_than}"] if options.newer_than else []
        code = model_build(
            [
                *("gate", "--champion", str(options.starter), "--challenger", str(candidate)),
                *_files("--questions", options.gate_questions),
                *_files("--corpus", [*corpus, *options.old_corpus]),
                *(["--any-date"] if options.any_date else dates),
                *("--json", str(_FOLDER / "gate.json")),
                *("--min-questions", str(options.min_questions)),
            ]
        )
        if code:
            print(f"The starter stays as it is. The new model is {candidate}.", file=sys.stderr)
            return code
    # Running servers have mapped the old file, so its content must not change.
    unfinished = options.starter.with_name(f"{options.starter.name}.new")
    shutil.copyfile(candidate, unfinished)
    unfinished.replace(options.starter)
    options.page.write_text(
        with_figures(page, read_bundle(options.starter).manifest), encoding="utf-8"
    )
    print(f"replaced {options.starter} and the figures in {options.page}")
    print("Now compare the other rows of the page with the new model, run 'python -m tests.golden'")
    print("and 'python -m tests.model.sample_measures', and then scripts/unit.")
    return 0


def _files(option: str, paths: list[Path]) -> list[str]:
    return [option, *map(str, paths)] if paths else []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/retrain_starter", description=__doc__)
    for name, what in (
        ("questions", "the corpus"),
        ("partial-questions", "see 'python -m model_build train'"),
        ("tag-sets", "see 'python -m model_build train'"),
        ("old-corpus", "files that the old starter was trained on and the new one is not"),
    ):
        parser.add_argument(
            f"--{name}",
            nargs="+",
            type=Path,
            default=[],
            required=name == "questions",
            metavar="FILE",
            help=what,
        )
    decision = parser.add_mutually_exclusive_group(required=True)
    decision.add_argument(
        "--gate-questions",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="questions that are newer than both corpora",
    )
    decision.add_argument(
        "--without-gate",
        action="store_true",
        help="replace the starter in any case, as after a change of the analyzer: this release "
        "cannot read the old starter then",
    )
    dates = parser.add_mutually_exclusive_group()
    dates.add_argument(
        "--newer-than", metavar="YYYY-MM-DD", help="see 'python -m model_build gate'"
    )
    dates.add_argument("--any-date", action="store_true", help="see 'python -m model_build gate'")
    parser.add_argument(
        "--min-questions", type=int, default=3_000, help="of the gate (default: %(default)s)"
    )
    parser.add_argument(
        "--min-tag-count", type=int, default=MIN_TAG_COUNT, help="(default: %(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=-1, help="number of processes")
    parser.add_argument(
        "--starter", type=Path, default=STARTER, help="the bundle to replace (default: %(default)s)"
    )
    parser.add_argument(
        "--page", type=Path, default=PAGE, help="the page with its figures (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
