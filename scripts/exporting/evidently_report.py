"""Evidently's data drift report, run by an interpreter that has Evidently.

python -m scripts.exporting.evidently_report REFERENCE.csv CURRENT.csv REPORT.html
"""

import sys

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from scripts.exporting.columns import COLUMNS

_COMPARED = [column for column in COLUMNS if column.role in {"input", "output"}]


def main() -> None:
    """Compare two CSV files of `flat_files.write_evidently` column by column."""
    reference, current, report = sys.argv[1:]
    numbers = [each.name for each in _COMPARED if each.kind in {"fraction", "integer"}]
    categories = [each.name for each in _COMPARED if each.kind == "category"]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    datasets = [
        Dataset.from_pandas(
            pd.read_csv(path, usecols=[*numbers, *categories]), data_definition=definition
        )
        for path in (current, reference)
    ]
    Report([DataDriftPreset()]).run(*datasets).save_html(report)


if __name__ == "__main__":
    main()
