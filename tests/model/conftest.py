import pytest

from lambda_src.tagger import TagModel, read_bundle
from lambda_src.tagger.model import RankerChoice
from tests.support.paths import STARTER


@pytest.fixture(scope="session")
def starter(ranker: RankerChoice) -> TagModel:
    """The model that the repository carries, with each implementation of the ranker."""
    return TagModel(read_bundle(STARTER), ranker=ranker)
