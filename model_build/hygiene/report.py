"""Write an inspection as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_ATTRIBUTION: Final = """\
The texts are under CC BY-SA. Whoever shows a question to others links it, names its author, links
the author's profile, and names and links the licence. A changed text stays under the same licence.
Weights and figures of a model hold no text of a question."""


def as_markdown(figures: Mapping[str, Any]) -> str:
    """Format the result of `model_build.hygiene.inspection.inspect`."""
    n_questions = figures["questions"]
    duplicates, bodies, tags = figures["near_duplicates"], figures["bodies"], figures["tags"]
    synonyms, dates, licences = figures["synonyms"], figures["dates"], figures["licences"]
    attribution = figures["attribution"]
    parts = [
        "# Inspection of a corpus",
        f"{n_questions:,} questions in {', '.join(figures['files'])}. "
        f"{figures['rejected_rows']:,} rows are not usable questions.",
        "## What deserves attention",
        "\n".join(f"- {remark}" for remark in figures["remarks"]) or "Nothing.",
        "## Sites",
        _shares(figures["sites"], n_questions, "Site"),
        "## Near-duplicates",
        f"{duplicates['questions']:,} questions are in {duplicates['groups']:,} groups of "
        "near-duplicates: their titles have the same words, or the Jaccard index of their word "
        f"triples is at least {duplicates['min_similarity']}. Without the repetitions, there would "
        f"be {duplicates['surplus']:,} questions less. {figures['same_id']:,} have the id of "
        "another question.",
        "## Languages",
        "Guessed from scripts and function words.",
        _shares(figures["languages"], n_questions, "Language"),
        "## Bodies",
        f"{bodies['share']:.1%} of the questions have a body, {bodies['with_code']:,} have code.",
        _shares(bodies["formats"], n_questions, "Format"),
        "## Tags",
        f"{tags['tags']:,} tags, {tags['common']:,} of them with at least 20 uses. A question has "
        f"{tags['mean_per_question']:.2f} tags on average.",
        _shares(tags["per_question"], n_questions, "Tags of a question"),
        f"Tags out of use: {tags['n_out_of_use']:,}. At the rate before, the last year of the "
        "corpus should have at least ten questions with each, and has none.",
        _table(
            ("Tag", "Uses", "Last use"),
            [(each["tag"], each["uses"], each["last_use"]) for each in tags["out_of_use"]],
        ),
        "## Synonyms and renamed tags",
        f"{synonyms['questions']:,} questions have a tag that is one of {synonyms['known']:,} "
        "known synonyms. The dates show when a tag was renamed.",
        _table(
            ("Synonym", "Uses", "First and last use", "Stands for", "Uses", "First and last use"),
            [(*_cells(each["synonym"]), *_cells(each["stands_for"])) for each in synonyms["used"]],
        ),
        "## Dates",
        f"{dates['dated']:,} questions have a date, from {dates['first']} to {dates['last']}.",
        _shares(dates["years"], n_questions, "Year"),
        "## Licence and attribution",
        _shares(licences["counts"], n_questions, "Licence"),
        f"The source names the licence of {licences['named_by_the_source']:,} questions; that of "
        "the others follows from their date.",
        _ATTRIBUTION,
        f"This corpus knows the link of {attribution['with_link']:,} questions and the author of "
        f"{attribution['with_author']:,}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _shares(counts: Mapping[str, int], total: int, heading: str) -> str:
    rows = [(name, f"{count:,}", f"{count / total:.1%}") for name, count in counts.items()]
    return _table((heading, "Questions", "Share"), rows)


def _cells(tag: Mapping[str, Any]) -> tuple[str, int, str]:
    period = f"{tag['first']} to {tag['last']}" if tag["first"] else "no date"
    return tag["tag"], tag["uses"], period if tag["uses"] else "never"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(header)} |", "|---" * len(header) + "|", *lines])


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
