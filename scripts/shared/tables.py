"""Markdown tables whose columns also line up in a terminal."""

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a table. The first column is aligned to the left, the others to the right.

    Examples
    --------
    >>> print(table(["System", "P@1"], [["first", "0.7"], ["second", "0.65"]]))
    | System |  P@1 |
    |--------|-----:|
    | first  |  0.7 |
    | second | 0.65 |
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = (
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join([first, *others])} |"

    rule = ["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]
    return "\n".join([line(header), f"|{'|'.join(rule)}|", *map(line, rows)])
