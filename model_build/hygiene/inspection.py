"""Count what a corpus holds, and what would distort a model."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tqdm import tqdm

from lambda_src.tagger.markup import split_body
from model_build.collect.records import CollectedQuestion
from model_build.duplicates import MIN_SIMILARITY, group_duplicates
from model_build.hygiene.languages import UNCLEAR, language_of
from model_build.hygiene.licences import attribution_of, licence_by_date, licence_of
from model_build.questions import Question

COMMON_TAG_USES: Final = 20
"""Training leaves out tags with fewer uses, by default."""
_N_LISTED: Final = 20
_LATELY: Final = timedelta(days=365)
_MIN_EXPECTED_USES: Final = 10
"""By chance, a tag with so many expected uses has none in one of 20,000 cases (Poisson)."""
_MANY: Final = 0.02
"""A share of the questions that deserves a remark."""
_FEW_BODIES: Final = 0.5
_BIASED_MEAN_TAGS: Final = 4.5
"""Stack Exchange allows five tags. On no site do questions have so many on average."""

Figures = dict[str, Any]


def inspect(questions: Sequence[CollectedQuestion], synonyms: Mapping[str, str]) -> Figures:
    """Inspect a corpus.

    Parameters
    ----------
    questions : sequence of CollectedQuestion
    synonyms : mapping of str to str
        The tag that each synonym stands for.

    Returns
    -------
    dict
        Can be written as JSON. ``remarks`` holds sentences about what deserves attention.
    """
    plain = [each.question for each in questions]
    figures: Figures = {
        "questions": len(plain),
        "sites": _counted(each.site or "unknown" for each in plain),
        "same_id": _n_same_id(plain),
        "near_duplicates": _near_duplicates(plain),
        **_texts(plain),
        "tags": _tags(plain),
        "synonyms": _synonyms(plain, synonyms),
        "dates": _dates(plain),
        "licences": _licences(questions),
        "attribution": _attribution(questions),
    }
    figures["remarks"] = list(_remarks(figures))
    return figures


def _counted(values: Iterable[object]) -> dict[str, int]:
    """Count values, most frequent first."""
    return {str(value): count for value, count in Counter(values).most_common()}


def _n_same_id(questions: Sequence[Question]) -> int:
    ids = [(each.site, each.source, each.id) for each in questions if each.id is not None]
    return len(ids) - len(set(ids))


def _near_duplicates(questions: Sequence[Question]) -> Figures:
    sizes = Counter(group_duplicates(questions))
    groups = sorted((size for size in sizes.values() if size > 1), reverse=True)
    return {
        "min_similarity": MIN_SIMILARITY,
        "questions": sum(groups),
        "groups": len(groups),
        "surplus": sum(groups) - len(groups),
        "largest_groups": groups[:_N_LISTED],
    }


def _texts(questions: Sequence[Question]) -> Figures:
    languages, formats = Counter[str](), Counter[str]()
    n_bodies = n_code = 0
    for each in tqdm(questions, desc="languages", unit="question", disable=None):
        prose = ""
        if each.body.strip():
            body = split_body(each.body, each.body_format)
            prose = body.prose
            n_bodies += 1
            n_code += bool(body.code.strip())
            formats[each.body_format] += 1
        languages[language_of(f"{each.title} {prose}")] += 1
    return {
        "languages": dict(languages.most_common()),
        "bodies": {
            "with_body": n_bodies,
            "share": n_bodies / len(questions),
            "with_code": n_code,
            "formats": dict(formats.most_common()),
        },
    }


def _tags(questions: Sequence[Question]) -> Figures:
    uses = Counter(tag for each in questions for tag in each.tags)
    out_of_use = _out_of_use(questions)
    return {
        "tags": len(uses),
        "common": sum(count >= COMMON_TAG_USES for count in uses.values()),
        "mean_per_question": uses.total() / len(questions),
        "per_question": {
            str(n_tags): count
            for n_tags, count in sorted(Counter(len(each.tags) for each in questions).items())
        },
        "n_out_of_use": len(out_of_use),
        "out_of_use": out_of_use[:_N_LISTED],
    }


def _out_of_use(questions: Sequence[Question]) -> list[Figures]:
    """List the tags that the newest year should have, at their rate before, but does not have."""
    dated = [(each.creation_date, each) for each in questions if each.creation_date is not None]
    if not dated:
        return []
    start = max(date for date, _ in dated) - _LATELY
    uses, last_uses = Counter[str](), dict[str, datetime]()
    n_new = 0
    for date, each in dated:
        n_new += date > start
        for tag in each.tags:
            uses[tag] += 1
            last_uses[tag] = max(last_uses.get(tag, datetime.min), date)
    return [
        {"tag": tag, "uses": count, "last_use": last_uses[tag].date().isoformat()}
        for tag, count in uses.most_common()
        if last_uses[tag] <= start and count * n_new / len(dated) >= _MIN_EXPECTED_USES
    ]


def _synonyms(questions: Sequence[Question], synonyms: Mapping[str, str]) -> Figures:
    names = {*synonyms, *synonyms.values()}
    dates = defaultdict[str, list[datetime | None]](list)
    n_questions = 0
    for each in questions:
        n_questions += not synonyms.keys().isdisjoint(each.tags)
        for tag in names.intersection(each.tags):
            dates[tag].append(each.creation_date)
    used = sorted(synonyms.keys() & dates.keys(), key=lambda tag: (-len(dates[tag]), tag))
    return {
        "known": len(synonyms),
        "questions": n_questions,
        "used": [
            {
                "synonym": {"tag": synonym, **_period(dates[synonym])},
                "stands_for": {"tag": synonyms[synonym], **_period(dates[synonyms[synonym]])},
            }
            for synonym in used[:_N_LISTED]
        ],
    }


def _period(dates: Sequence[datetime | None]) -> Figures:
    known = [date for date in dates if date is not None]
    return {
        "uses": len(dates),
        "first": min(known).date().isoformat() if known else None,
        "last": max(known).date().isoformat() if known else None,
    }


def _dates(questions: Sequence[Question]) -> Figures:
    dates = [each.creation_date for each in questions if each.creation_date is not None]
    now = datetime.now(UTC).replace(tzinfo=None)
    return {
        "dated": len(dates),
        "first": min(dates).date().isoformat() if dates else None,
        "last": max(dates).date().isoformat() if dates else None,
        "in_the_future": sum(date > now for date in dates),
        "years": dict(sorted(_counted(date.year for date in dates).items())),
    }


def _licences(questions: Sequence[CollectedQuestion]) -> Figures:
    differing = sum(
        each.content_license is not None
        and each.last_edit_date is None
        and each.question.creation_date is not None
        and each.content_license != licence_by_date(each.question.creation_date)
        for each in questions
    )
    return {
        "counts": _counted(licence_of(each) or "unknown" for each in questions),
        "named_by_the_source": sum(each.content_license is not None for each in questions),
        "unlike_the_date": differing,
    }


def _attribution(questions: Sequence[CollectedQuestion]) -> Figures:
    found = [attribution_of(each) for each in questions]
    return {
        "with_link": sum(bool(each.link) for each in found),
        "with_author": sum(bool(each.author or each.author_link) for each in found),
    }


def _remarks(figures: Figures) -> Iterable[str]:
    n_questions: int = figures["questions"]
    many = _MANY * n_questions
    if figures["same_id"]:
        yield (
            f"Questions with the id of another one: {figures['same_id']:,}. Two files may overlap, "
            "or two sites are mixed without the column site."
        )
    surplus = figures["near_duplicates"]["surplus"]
    if surplus > many:
        yield (
            f"Questions that repeat another one: {surplus:,}. `split` keeps near-duplicates in the "
            "same part; a split by hand would let the model see the answers."
        )
    foreign = n_questions - _main_language_count(figures["languages"])
    if foreign > many:
        yield (
            f"Questions that are probably not in the main language: {foreign:,}. The model learns "
            "their words, too, but has few examples."
        )
    if figures["tags"]["mean_per_question"] >= _BIASED_MEAN_TAGS:
        yield (
            f"Tags of a question on average: {figures['tags']['mean_per_question']:.1f}. This is a "
            "biased sample, such as the preset most-viewed. A model would suggest too many tags."
        )
    if figures["synonyms"]["questions"]:
        yield (
            f"Questions with a tag that is a synonym: {figures['synonyms']['questions']:,}. "
            "`train` replaces the well-known synonyms; name files with more with --synonyms."
        )
    if figures["tags"]["n_out_of_use"]:
        yield (
            f"Tags out of use: {figures['tags']['n_out_of_use']:,}. At the rate before, the "
            "corpus's last year should have at least ten questions with each, and has none. They "
            "may have been renamed: look for them among the site's synonyms."
        )
    undated = n_questions - figures["dates"]["dated"]
    if undated:
        yield (
            f"Questions without a date: {undated:,}. Their licence is unknown, and a split "
            "cannot order them by time."
        )
    if figures["dates"]["in_the_future"]:
        yield f"Questions with a date in the future: {figures['dates']['in_the_future']:,}."
    if figures["bodies"]["share"] < _FEW_BODIES:
        yield (
            f"Questions with a body: {figures['bodies']['share']:.0%}. A model that is trained on "
            "titles knows little about code and long texts."
        )
    if figures["licences"]["unlike_the_date"]:
        yield (
            f"Questions with another licence than their date implies: "
            f"{figures['licences']['unlike_the_date']:,}. They were never edited, so check where "
            "they come from."
        )


def _main_language_count(languages: Mapping[str, int]) -> int:
    clear = {name: count for name, count in languages.items() if name != UNCLEAR}
    return max(clear.values(), default=0) + languages.get(UNCLEAR, 0)
