"""Train a model: TF-IDF, one logistic regression per tag, calibrator and re-ranker."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.tagger.calibrator import Candidates, best_candidates
from lambda_src.tagger.vocabulary import Ints
from model_build.calibration import ScoredQuestion
from model_build.code_copies import code_alone, rows_with_code
from model_build.cross_fitting import cross_fit
from model_build.drift_baseline import drift_baseline, evidence_out_of_fold
from model_build.features import FeatureOptions, NotEnoughQuestionsError, fit_tfidf, tokens_of
from model_build.made_questions import (
    MadeQuestion,
    code_questions,
    misleading_questions,
    named_questions,
    title_questions,
    uses_of,
)
from model_build.metrics import JudgedQuestion
from model_build.model_card import corpus_card, judge_ranked, quality_card
from model_build.off_topic import OffTopicRegression, fit_off_topic
from model_build.questions import Question
from model_build.ranking import FittedRanking, RankingCorpus, fit_ranking, question_facts
from model_build.splitting import fold_numbers
from model_build.stage_times import StageTimes
from model_build.synonyms import replace_synonyms
from model_build.tag_regressions import TagRegressions
from model_build.tag_sets import TagSet, tag_set_matrix
from model_build.taught import CodeExample, TitleExample
from model_build.truth import Truth
from model_build.vocabulary import FittedVocabulary, build_vocabulary

PRUNE: Final = 0.0075
"""`TrainingOptions.prune` of a model that is served. docs/quality.md shows what it costs."""

_SCORES_AT_ONCE: Final = 2_000_000
"""So many scores of questions and tags are held at a time: all of them would fill the memory."""


@dataclass(frozen=True)
class TrainingOptions:
    """The choices that an engineer has."""

    min_tag_count: int = 20
    """A tag with fewer uses in the corpus is left out, unless tag sets know it well."""
    min_tag_set_count: int = 60
    """A tag with fewer uses in the corpus becomes a tag of the model, too, if corpus and tag sets
    together have this many; see `model_build.made_questions`."""
    features: FeatureOptions = field(default_factory=FeatureOptions)
    inverse_regularization: float = 1.5
    """``C`` of scikit-learn's `LogisticRegression`."""
    balance: float = 0.75
    """A question with the tag weighs (questions without / questions with the tag) to this power.
    With 0, all questions weigh the same; with 1, both groups weigh the same."""
    tolerance: float = 0.1
    """When the solver stops: ``tol`` of scikit-learn's `LogisticRegression`."""
    prune: float = 0.0
    """A weight whose worth is below this is left out. The worth of a weight is what it adds on
    average to the score of a question with its term, times the fourth root of the share of
    questions with the term: few questions contain a rare term, and the weights of common terms
    take most of the time of an answer."""
    n_similar: int = 3000
    """How many questions without its tag a regression is fitted on: this many, or eight for each
    question with the tag if that is more. The most similar ones are chosen."""
    n_random: int = 3000
    """How many random questions represent all the other questions without the tag."""
    folds: int = 5
    """Calibrator and re-ranker are fitted on scores from this many rounds of training; each one
    scores the questions that it leaves out."""
    code_copies: bool = True
    """Whether each question with code and complete tags is also learned from without its title and
    prose; see `model_build.code_copies`. A copy is in the fold of its question. It counts for the
    regressions, the calibrator and the re-ranker, but not for document frequencies, counts of tags
    and pairs, or the figures of the card."""
    misleading_per_tag: int = 0
    """How many questions are made for each tag that have a word of the tag in their titles, but not
    the tag; see `model_build.made_questions`. They make the model trust single words less, for
    the price of some precision on questions that are like those of the corpus."""
    jobs: int = -1
    """Number of processes; -1 for one per processor."""
    seed: int = 0

    def regressions(self) -> TagRegressions:
        """Make the estimator that these options describe."""
        return TagRegressions(
            inverse_regularization=self.inverse_regularization,
            tolerance=self.tolerance,
            balance=self.balance,
            prune=self.prune,
            n_similar=self.n_similar,
            n_random=self.n_random,
            jobs=self.jobs,
            seed=self.seed,
        )


@dataclass(frozen=True)
class OutOfFold:
    """The answers to the questions whose tags are complete, each by regressions of other folds."""

    questions: list[Question]
    judged: list[JudgedQuestion]
    folds: Ints
    """Shape (n_questions,)."""

    def by_fold(self) -> list[list[JudgedQuestion]]:
        """Give the answers of each fold."""
        rows = [np.flatnonzero(self.folds == fold) for fold in np.unique(self.folds)]
        return [[self.judged[row] for row in of_fold] for of_fold in rows]


@dataclass(frozen=True)
class FittedTagger:
    """A trained model, before it is written as a bundle."""

    tfidf: Pipeline
    regressions: TagRegressions
    off_topic: OffTopicRegression
    vocabulary: FittedVocabulary
    ranking: FittedRanking
    tags: list[tuple[str, int]]
    """Tags and their uses, most common first, in the order of the regressions."""
    synonyms: dict[str, str]
    """Synonyms of these tags, each with the tag that it stands for."""
    options: TrainingOptions
    corpus: dict[str, Any]
    """Facts about the questions; see `model_build.model_card.corpus_card`."""
    quality: dict[str, Any]
    """See `model_build.model_card.quality_card`."""
    out_of_fold: OutOfFold
    """What `quality` was computed from."""
    baseline: Baseline
    """See `model_build.drift_baseline`."""


def choose_tags(questions: Sequence[Question], min_tag_count: int) -> list[tuple[str, int]]:
    """List the tags with enough uses, each with its number of uses, most common first."""
    counts = Counter(tag for question in questions for tag in question.tags)
    common = [(tag, count) for tag, count in counts.items() if count >= min_tag_count]
    return sorted(common, key=lambda tag_and_count: (-tag_and_count[1], tag_and_count[0]))


def fit(
    questions: Sequence[Question],
    options: TrainingOptions,
    synonyms: Mapping[str, str] | None = None,
    *,
    tag_sets: Sequence[TagSet] = (),
    new_tags: Sequence[TagSet] = (),
    code_examples: Sequence[CodeExample] = (),
    title_examples: Sequence[TitleExample] = (),
    times: StageTimes | None = None,
) -> FittedTagger:
    """Train a model.

    Parameters
    ----------
    questions : sequence of Question
    options : TrainingOptions
    synonyms : mapping of str to str, optional
        Each synonym with the tag that it stands for. A synonym that is itself used often enough
        remains a tag of its own.
    tag_sets : sequence of TagSet
        The tags of other questions, whose text is not known: the re-ranker counts in them which
        tags occur together, and they teach names; see `model_build.made_questions`.
    new_tags : sequence of TagSet
        More tag sets. The first tag of each one becomes a tag of the model, however rare it is; see
        `model_build.taught.read_new_tags`.
    code_examples : sequence of CodeExample
    title_examples : sequence of TitleExample
        Only the regressions learn from examples, and the document frequencies count them.
        Calibrator and re-ranker learn from those without tags, too.
    times : StageTimes, optional
        Takes the time of each stage.

    Raises
    ------
    NotEnoughQuestionsError
        No tag has enough uses, or no term occurs in enough questions.
    """
    times = times or StageTimes()
    common = {tag for tag, _ in choose_tags(questions, options.min_tag_count)}
    synonyms = {synonym: tag for synonym, tag in (synonyms or {}).items() if synonym not in common}
    questions = replace_synonyms(questions, synonyms)
    tags = choose_tags(questions, options.min_tag_count)
    if not tags:
        raise NotEnoughQuestionsError(
            f"No tag is used {options.min_tag_count} times in these {len(questions)} questions. "
            "Give more files, or lower --min-tag-count."
        )
    with times.measure("tokens"):
        tokens = tokens_of(tqdm(questions, desc="words", unit="question", disable=None))
        learned = _learned_tags(questions, tag_sets, new_tags, synonyms, options)
        named = named_questions(
            questions,
            tokens,
            [*tag_sets, *new_tags],
            known=frozenset(tag for tag, _ in tags),
            learned=learned,
            synonyms=synonyms,
            seed=options.seed,
        )
        taught = [
            *named,
            *code_questions(code_examples, len(questions)),
            *title_questions(title_examples, len(questions)),
        ]
        misleading = misleading_questions(
            questions,
            tokens,
            tags=[tag for tag, _ in tags],
            per_tag=options.misleading_per_tag,
            seed=options.seed,
        )
        tags = _with_named(tags, questions, named, learned)
        names = [tag for tag, _ in tags]
    with times.measure("TF-IDF"):
        # Names are among the terms, although few questions of the corpus have them. The titles with
        # the names do not count: a word of one question would seem to be in several.
        tfidf, matrix = fit_tfidf([*tokens, *(each.added for each in taught)], options.features)
        vocabulary = build_vocabulary(tfidf.named_steps["terms"], names, synonyms)
        copied = rows_with_code(questions, tokens) if options.code_copies else np.empty(0, np.intp)
        made = [*taught, *misleading]
        added = [*(each.tokens for each in made), *(code_alone(tokens[row]) for row in copied)]
        if added:
            matrix = sp.vstack([matrix[: len(tokens)], tfidf.transform(added)], format="csr")
            matrix.sort_indices()
        tokens = [*tokens, *added]
    with times.measure("folds"):
        folds = np.array(fold_numbers(questions, options.folds, options.seed))
    # From here on, rows of made questions and of copies follow those of the questions.
    made_rows = np.array([each.row for each in made], dtype=np.intp)
    originals = np.concatenate([np.arange(len(questions)), made_rows, copied])
    folds, is_copy = folds[originals], np.arange(len(originals)) >= len(questions)
    truth = Truth.of(
        [*questions, *(each.question for each in made), *(questions[row] for row in copied)],
        names,
    )
    with times.measure("regressions of the folds"):
        candidates = cross_fit(options.regressions(), matrix, truth, folds, _candidates)
    with times.measure("regressions"):
        regressions = options.regressions().fit(matrix, truth)
    with times.measure("off-topic texts"):
        # Only what is taught can have no tags.
        off_topic, off_topic_scores = fit_off_topic(
            matrix, _has_no_tags(taught, len(questions), len(originals)), folds, options.seed
        )
    with times.measure("names of tags"):
        rows = _ranked_rows(truth, taught, len(questions))
        facts = question_facts(
            [tokens[row] for row in rows],
            off_topic_scores[rows].tolist(),
            vocabulary,
            options.features.title_weight,
        )
    with times.measure("calibrator and re-ranker"):
        ranking = fit_ranking(
            RankingCorpus(
                questions=[
                    ScoredQuestion(of_question, candidates[row])
                    for row, of_question in zip(rows, facts, strict=True)
                ],
                has_tag=truth.has_tag.tocsr()[rows],
                n_true_tags=np.array([len(questions[originals[row]].tags) for row in rows]),
                folds=folds[rows],
                is_copy=is_copy[rows],
                log_uses=np.log([uses for _, uses in tags]),
                tag_sets=tag_set_matrix([*tag_sets, *new_tags], names, synonyms),
            ),
            options.seed,
        )
    with times.measure("card"):
        complete = [question for question in questions if question.judged_tags is None]
        judged = judge_ranked(
            complete, ranking.ranked, names, other_tags=ranking.other_tags, floor=ranking.floor
        )
        quality = quality_card(complete, judged, tags)
    with times.measure("drift baseline"):
        baseline = drift_baseline(
            ranking,
            evidence_out_of_fold(
                [tokens[row] for row, each in enumerate(questions) if each.judged_tags is None],
                vocabulary,
                # What a name teaches, the model would know without this question, too.
                matrix[: len(questions) + len(taught)],
                title_weight=options.features.title_weight,
                min_word_count=options.features.min_word_count,
            ),
            [question.tags for question in complete],
            names,
            n_questions=len(questions),
            uses=Counter(tag for question in questions for tag in question.tags),
        )
    return FittedTagger(
        tfidf=tfidf,
        regressions=regressions,
        off_topic=off_topic,
        vocabulary=vocabulary,
        ranking=ranking,
        tags=tags,
        synonyms={synonym: tag for synonym, tag in synonyms.items() if tag in names},
        options=options,
        corpus={
            **corpus_card(questions),
            "code_copies": len(copied),
            "named_questions": len(named),
            "named_tags": len(learned.intersection(names)),
            "new_tags": len({each.tags[0] for each in new_tags}),
            "code_examples": len(code_examples),
            "title_examples": len(title_examples),
            "misleading_questions": len(misleading),
        },
        quality=quality,
        out_of_fold=OutOfFold(complete, judged, folds[truth.complete_rows][: len(complete)]),
        baseline=baseline,
    )


def _learned_tags(
    questions: Sequence[Question],
    tag_sets: Sequence[TagSet],
    new_tags: Sequence[TagSet],
    synonyms: Mapping[str, str],
    options: TrainingOptions,
) -> frozenset[str]:
    """List the tags that are rare in the corpus, but new or common enough with the tag sets."""
    uses = Counter(tag for question in questions for tag in question.tags)
    in_sets = uses_of(tag_sets, synonyms)
    common = {tag for tag, n in in_sets.items() if uses[tag] + n >= options.min_tag_set_count}
    new = {synonyms.get(each.tags[0], each.tags[0]) for each in new_tags}
    return frozenset(tag for tag in common | new if uses[tag] < options.min_tag_count)


def _with_named(
    tags: Sequence[tuple[str, int]],
    questions: Sequence[Question],
    named: Sequence[MadeQuestion],
    learned: frozenset[str],
) -> list[tuple[str, int]]:
    """Add the learned tags; a tag's uses are the questions that its regression is fitted on."""
    rows = [*questions, *(each.question for each in named)]
    taught = learned.intersection(tag for each in named for tag in each.question.tags)
    uses = Counter(tag for question in rows for tag in taught.intersection(question.tags))
    return sorted([*tags, *uses.items()], key=lambda each: (-each[1], each[0]))


def _has_no_tags(
    taught: Sequence[MadeQuestion], n_questions: int, n_rows: int
) -> npt.NDArray[np.bool_]:
    """Tell which rows are taught texts without tags; shape (n_rows,)."""
    found = np.zeros(n_rows, dtype=np.bool_)
    found[n_questions:][: len(taught)] = [not each.question.tags for each in taught]
    return found


def _ranked_rows(truth: Truth, taught: Sequence[MadeQuestion], n_questions: int) -> Ints:
    """List the rows that calibrator and re-ranker learn from.

    What is taught is no real question: names would look surer than they are. But texts without tags
    are kept, once each. Otherwise nothing would show that such texts have no tags.
    """
    is_ranked = truth.scope == -1
    is_ranked[n_questions:][: len(taught)] = [
        not each.question.tags and each is not before
        for before, each in zip([None, *taught], taught, strict=False)
    ]
    return np.flatnonzero(is_ranked)


def _candidates(regressions: TagRegressions, matrix: sp.csr_matrix) -> list[Candidates]:
    found: list[Candidates] = []
    n_rows = max(1, _SCORES_AT_ONCE // len(regressions.classes_))
    for start in range(0, matrix.shape[0], n_rows):
        scores = regressions.decision_function(matrix[start : start + n_rows])
        # Scores are rounded to 32 bits, as in the service.
        scores = scores.astype(np.float32).astype(np.float64)
        found += map(best_candidates, scores)
    return found
