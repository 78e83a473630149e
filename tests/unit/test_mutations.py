"""The changes of `scripts/mutation_check` fit the code, which the check itself finds out late."""

import pytest

from tests.mutation.mutations import MUTATIONS, Mutation
from tests.support.paths import ROOT


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: f"{each.area}-{each.rule}")
def test_the_changed_text_is_in_its_file_once(mutation: Mutation) -> None:
    assert (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.before) == 1
    assert mutation.after != mutation.before
