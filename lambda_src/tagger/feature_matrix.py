"""Lay out named features as the matrix that a fitted model takes."""

from collections.abc import Mapping, Sequence

import numpy as np

from lambda_src.tagger.vocabulary import Floats


def feature_matrix(
    names: Sequence[str], features: Mapping[str, Floats | float], n_tags: int
) -> Floats:
    """Order the features of some tags by a list of names.

    Parameters
    ----------
    names : sequence of str
        The order of the columns.
    features : mapping of str to ndarray of float, shape (n_tags,), or float
        One value per tag, or one value that all the tags of a question share.
    n_tags : int

    Returns
    -------
    ndarray of float, shape (n_tags, len(names))

    Raises
    ------
    ValueError
        A name of the list has no feature, or a feature is not in the list.

    Examples
    --------
    >>> feature_matrix(["score", "best"], {"best": 2.0, "score": np.array([2.0, 1.0])}, n_tags=2)
    array([[2., 2.],
           [1., 2.]])
    """
    if features.keys() != set(names):
        differences = sorted(features.keys() ^ set(names))
        raise ValueError(
            f"features {differences} are either listed in lambda_src/tagger/rules.py and not "
            "computed, or computed and not listed: change the list and the code together"
        )
    columns = np.empty((len(names), n_tags))
    for column, name in zip(columns, names, strict=True):
        column[:] = features[name]
    return columns.T
