"""Figures for people: a table in Markdown that lines up on a terminal, too."""

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table; the first column stands left, the others right.

    Examples
    --------
    >>> print(table(["System", "P@1"], [["ours", "0.7"], ["theirs", "0.65"]]))
    | System |  P@1 |
    |--------|-----:|
    | ours   |  0.7 |
    | theirs | 0.65 |
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = (
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join([first, *others])} |"

    rule = ["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]
    return "\n".join([line(header), f"|{'|'.join(rule)}|", *map(line, rows)])
