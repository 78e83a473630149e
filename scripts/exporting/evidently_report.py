"""Evidently's data drift report, run by an interpreter that has Evidently.

python -m scripts.exporting.evidently_report REFERENCE.csv CURRENT.csv REPORT.html
"""

import sys

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from scripts.exporting.columns import COLUMNS

_NUMBERS = {"fraction", "integer"}
_COMPARED = [
    column
    for column in COLUMNS
    if column.role in {"input", "output"} and column.kind in {*_NUMBERS, "category"}
]


def main() -> None:
    """Compare two CSV files of `flat_files.write_evidently` column by column."""
    reference, current, report = sys.argv[1:]
    names = [column.name for column in _COMPARED]
    tables = [pd.read_csv(path, usecols=names) for path in (current, reference)]
    # Evidently refuses a column without any value, such as the reasons if no answer was quiet.
    full = [name for name in names if all(table[name].notna().any() for table in tables)]
    numbers = [each.name for each in _COMPARED if each.kind in _NUMBERS and each.name in full]
    categories = [name for name in full if name not in numbers]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    datasets = [Dataset.from_pandas(table[full], data_definition=definition) for table in tables]
    Report([DataDriftPreset()]).run(*datasets).save_html(report)


if __name__ == "__main__":
    main()
