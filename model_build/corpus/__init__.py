"""Read questions and tag sets from the files that people have; write them as Parquet.

To add a corpus source, touch these files in this order:

1. ``model_build/corpus/<format>.py``: a function that yields a `Record` per row and gives each row
   that it cannot read to the rejects, with the reason and the line.
2. ``model_build/corpus/reading.py``: the file name's ending in ``READERS``.
3. ``model_build/corpus/columns.py``: the source's column names, where they are new.
4. ``tests/unit/test_corpus_formats.py``: a function in ``WRITERS`` that writes such a file.

``tests/unit/test_corpus_formats.py`` fails while one of them is missing: it compares ``READERS``
with ``WRITERS``, and reads a question with an HTML body and one with a Markdown body from every
kind of file. A source that only has other column names needs the steps 3 and 4.
"""

from model_build.corpus.errors import CorpusError
from model_build.corpus.reading import (
    read_archive,
    read_corpus,
    read_questions,
    read_rows,
    read_tag_sets,
)
from model_build.corpus.rejects import Rejects
from model_build.corpus.writing import write_questions, write_tag_sets

__all__ = [
    "CorpusError",
    "Rejects",
    "read_archive",
    "read_corpus",
    "read_questions",
    "read_rows",
    "read_tag_sets",
    "write_questions",
    "write_tag_sets",
]
