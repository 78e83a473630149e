"""Exports to other monitoring tools have the formats that those tools document."""

import csv
import json
import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from lambda_src.monitor.store import EventStore, open_store
from scripts.export_command import last_day
from scripts.exporting import flat_files, sagemaker
from scripts.exporting.columns import COLUMNS
from scripts.exporting.rows import Table, read_table
from scripts.shared.terminal import UserError

LAST = date(2026, 11, 26)


def prediction(number: int, day: date, **changes: Any) -> dict[str, Any]:
    return {
        "event_version": 1,
        "event_type": "prediction",
        "timestamp": f"{day}T{number % 24:02}:00:00.000Z",
        "prediction_id": f"p{day}-{number}",
        "correlation_id": "c",
        "model_version": "2026.11.01-new",
        "tags": ["python", "dictionary"] if number % 4 else [],
        "confidences": [0.9, 0.6] if number % 4 else [],
        "top_confidence": 0.9 if number % 4 else 0.2,
        "expected_jaccard": 0.6,
        "known_share": 0.95,
        "quiet_reason": None if number % 4 else "not_sure",
        "words": 20 + number,
        "code_share": 0.25,
        "max_tags": None,
        "min_confidence": None,
        "excluded": None,
        "source": "single",
        "latency_ms": 1.0,
        **changes,
    }


def feedback(of: dict[str, Any], *final_tags: str) -> dict[str, Any]:
    return {
        "event_version": 1,
        "event_type": "feedback",
        "timestamp": of["timestamp"].replace(":00:00.", ":30:00."),
        "prediction_id": of["prediction_id"],
        "correlation_id": "c",
        "accepted": None,
        "final_tags": list(final_tags),
        "unknown_tags": [],
        "authenticated": False,
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EventStore:
    """Forty days, the last seven of them with questions of another kind."""
    folder = tmp_path_factory.mktemp("store")
    for back in range(40):
        day = LAST - timedelta(days=back)
        changes = {"known_share": 0.6, "tags": ["beer"], "confidences": [0.5]} if back < 7 else {}
        lines = [prediction(number, day, **changes) for number in range(10)]
        lines.append(feedback(lines[1], "python", "pandas"))
        lines.append(prediction(11, day, max_tags=1))
        lines.append(prediction(12, day, model_version="2026.01.01-old"))
        path = folder / f"events/date={day}/log.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return open_store(str(folder))


@pytest.fixture(scope="module")
def table(store: EventStore) -> Table:
    return read_table(store, LAST)


def test_the_table_has_the_live_model_joined_with_its_feedback(table: Table) -> None:
    assert (len(table.baseline), len(table.current)) == (33 * 10, 7 * 10)
    assert [column.name for column in COLUMNS] == list(table.current[0])
    judged = [row for row in table.baseline if row["final_tags"]]
    assert len(judged) == 33
    assert judged[0]["final_tags"] == "pandas python"
    assert judged[0]["jaccard"] == pytest.approx(1 / 3)
    assert judged[0]["timestamp"].endswith("T01:00:00.000Z")


def test_the_last_day_is_found_and_a_day_without_predictions_is_refused(
    store: EventStore, tmp_path: Path
) -> None:
    assert last_day(store) == LAST
    with pytest.raises(UserError, match=r"no predictions from .* Name the last day with --day"):
        read_table(store, date(2020, 1, 1))
    with pytest.raises(UserError, match="baseline table"):
        read_table(store, LAST - timedelta(days=38))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="There are no events"):
        last_day(open_store(str(tmp_path / "empty")))


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class CapturedPart(Strict):
    observed_content_type: str = Field(alias="observedContentType")
    mode: Literal["INPUT", "OUTPUT"]
    data: str
    encoding: Literal["CSV", "JSON", "BASE64"]


class CaptureData(Strict):
    endpoint_input: CapturedPart = Field(alias="endpointInput")
    endpoint_output: CapturedPart = Field(alias="endpointOutput")


class EventMetadata(Strict):
    event_id: str = Field(alias="eventId")
    inference_time: str = Field(alias="inferenceTime", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


class Captured(Strict):
    """A line of data capture, as the page "Inspect captured data" shows it."""

    capture_data: CaptureData = Field(alias="captureData")
    event_metadata: EventMetadata = Field(alias="eventMetadata")
    event_version: Literal["0"] = Field(alias="eventVersion")


class Common(Strict):
    num_present: int
    num_missing: int


class NumericalStatistics(Strict):
    common: Common
    mean: float
    sum: float
    std_dev: float
    min: float
    max: float
    distribution: dict[Literal["kll"], Any]


class StringStatistics(Strict):
    common: Common
    distinct_count: int
    distribution: dict[Literal["categorical"], Any]


class FeatureStatistics(Strict):
    name: str
    inferred_type: Literal["Fractional", "Integral", "String", "Unknown"]
    numerical_statistics: NumericalStatistics | None = None
    string_statistics: StringStatistics | None = None


class Statistics(Strict):
    """The page "Schema for Statistics (statistics.json file)"."""

    version: Literal[0]
    dataset: dict[Literal["item_count"], int]
    features: list[FeatureStatistics]


class FeatureConstraints(Strict):
    name: str
    inferred_type: Literal["Fractional", "Integral", "String", "Unknown"]
    completeness: float = Field(ge=0, le=1)
    num_constraints: dict[Literal["is_non_negative"], bool] | None = None
    string_constraints: dict[Literal["domains"], list[str]] | None = None


class DistributionConstraints(Strict):
    perform_comparison: Literal["Enabled", "Disabled"]
    comparison_threshold: float
    comparison_method: Literal["Simple", "Robust"]


class MonitoringConfig(Strict):
    evaluate_constraints: Literal["Enabled", "Disabled"]
    emit_metrics: Literal["Enabled", "Disabled"]
    datatype_check_threshold: float
    domain_content_threshold: float
    distribution_constraints: DistributionConstraints


class Constraints(Strict):
    """The page "Schema for Constraints (constraints.json file)"."""

    version: Literal[0]
    features: list[FeatureConstraints]
    monitoring_config: MonitoringConfig


class Violation(Strict):
    feature_name: str
    constraint_check_type: Literal[
        "data_type_check",
        "completeness_check",
        "baseline_drift_check",
        "missing_column_check",
        "extra_column_check",
        "categorical_values_check",
    ]
    description: str


class Violations(Strict):
    """The page "Schema for Violations (constraint_violations.json file)"."""

    violations: list[Violation]


def test_captured_data_is_by_hour_and_has_the_documented_form(table: Table, tmp_path: Path) -> None:
    written = sagemaker.write(table, tmp_path)
    files = [path for path in written if path.suffix == ".jsonl"]
    assert tmp_path / "capture/etiquette/AllTraffic/2026/11/26/01/predictions.jsonl" in files
    lines = [line for path in files for line in path.read_text().splitlines()]
    assert len(lines) == len(table.current)
    captured = Captured.model_validate_json(lines[0])
    given = json.loads(captured.capture_data.endpoint_input.data)
    assert set(given) == {"known_share", "words", "code_share"}
    assert "first_tag" in json.loads(captured.capture_data.endpoint_output.data)


def test_statistics_and_constraints_have_the_documented_form(table: Table, tmp_path: Path) -> None:
    sagemaker.write(table, tmp_path)
    statistics = Statistics.model_validate_json((tmp_path / "statistics.json").read_text())
    constraints = Constraints.model_validate_json((tmp_path / "constraints.json").read_text())
    assert statistics.dataset["item_count"] == 330
    names = [feature.name for feature in sagemaker.FEATURES]
    assert [each.name for each in statistics.features] == names
    assert [each.name for each in constraints.features] == names
    words = next(each for each in statistics.features if each.name == "words")
    assert words.numerical_statistics is not None
    assert (words.numerical_statistics.min, words.numerical_statistics.max) == (20, 29)
    assert words.numerical_statistics.mean == pytest.approx(24.5)
    assert words.numerical_statistics.std_dev == pytest.approx(math.sqrt(8.25))
    kll = words.numerical_statistics.distribution["kll"]
    assert [bucket["count"] for bucket in kll["buckets"]] == [33] * 10
    assert kll["buckets"][-1]["upper_bound"] == pytest.approx(29)


def test_violations_name_what_changed_and_nothing_else(table: Table, tmp_path: Path) -> None:
    sagemaker.write(table, tmp_path)
    text = (tmp_path / "constraint_violations.json").read_text()
    found = {
        (each.feature_name, each.constraint_check_type)
        for each in Violations.model_validate_json(text).violations
    }
    assert found == {
        ("known_share", "baseline_drift_check"),
        ("first_tag", "categorical_values_check"),
        ("first_tag", "baseline_drift_check"),
        ("n_tags", "baseline_drift_check"),
        ("jaccard", "baseline_drift_check"),
    }
    same = Table(table.baseline, table.baseline)
    constraints = sagemaker.suggest_constraints(table.baseline)
    assert sagemaker.violations(same, constraints) == {"violations": []}


@pytest.mark.parametrize("n", [0, 1, 2048, 2049, 10_001])
def test_a_sketch_keeps_the_number_and_the_quantiles(n: int) -> None:
    levels = sagemaker.sketch([float(each) for each in reversed(range(n))])
    assert max(map(len, levels)) <= 2048
    weighted = sorted((item, 2**height) for height, level in enumerate(levels) for item in level)
    assert sum(weight for _, weight in weighted) == n
    below = 0
    for item, weight in weighted:
        assert abs(item - below) <= 16
        below += weight


FIDDLER_COLUMN = {
    *("name", "data_type", "min", "max", "categories", "bins"),
    *("replace_with_nulls", "n_dimensions"),
}
"""The fields of `fiddler.schemas.model_schema.Column` in fiddler-client."""
FIDDLER_TYPES = {"float", "int", "bool", "str", "category", "timestamp", "vector"}


def test_the_files_for_fiddler_fit_their_schema(table: Table, tmp_path: Path) -> None:
    flat_files.write_fiddler(table, tmp_path)
    model = json.loads((tmp_path / "model.json").read_text())
    columns = {column["name"]: column for column in model["schema"]["columns"]}
    for column in columns.values():
        assert set(column) <= FIDDLER_COLUMN
        assert column["data_type"] in FIDDLER_TYPES
    roles = ("inputs", "outputs", "targets", "metadata")
    assert sorted(name for role in roles for name in model["spec"][role]) == sorted(columns)
    assert {model["event_id_col"], model["event_ts_col"]} <= set(columns)
    for name, expected in (("baseline", table.baseline), ("events", table.current)):
        with (tmp_path / f"{name}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(expected)
        assert list(rows[0]) == list(columns)
        assert len({row["prediction_id"] for row in rows}) == len(rows)


def test_the_files_for_evidently_have_all_columns(table: Table, tmp_path: Path) -> None:
    reference, current = flat_files.write_evidently(table, tmp_path)
    assert (reference.name, current.name) == ("reference.csv", "current.csv")
    with current.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["first_tag"] for row in rows[:2]] == ["beer", "beer"]
