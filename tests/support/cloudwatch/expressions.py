"""The part of CloudWatch's metric math that the alarms use, and no more.

References
----------
"Using metric math",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

Series = dict[float, float]
"""Values by the start of their period; a period without one is missing."""
Value = float | Series | list[Series]
Band = Callable[[str, float], list[Series]]
"""Gives the upper and the lower limit of a series' band: its id, and the band's width in standard
deviations."""


class ExpressionError(ValueError):
    """CloudWatch would refuse the expression, or this reader does not know what is in it."""


_TOKEN: Final = re.compile(
    r'\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<text>"[^"]*")'
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]]))"
)
_COMPARISONS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "<=": lambda a, b: float(a <= b),
    ">=": lambda a, b: float(a >= b),
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
}
_LOGICAL: Final[Mapping[str, Callable[[float, float], float]]] = {
    "AND": lambda a, b: float(bool(a) and bool(b)),
    "&&": lambda a, b: float(bool(a) and bool(b)),
    "OR": lambda a, b: float(bool(a) or bool(b)),
    "||": lambda a, b: float(bool(a) or bool(b)),
}
_SUMS: Final = {"+": operator.add, "-": operator.sub}
_PRODUCTS: Final = {"*": operator.mul, "/": operator.truediv}
_POWERS: Final = {"^": operator.pow}
_LEVELS: Final = (
    {name: _LOGICAL[name] for name in ("OR", "||")},
    {name: _LOGICAL[name] for name in ("AND", "&&")},
    _COMPARISONS,
    _SUMS,
    _PRODUCTS,
    _POWERS,
)
"""Operators that bind loosest come first."""


@dataclass(frozen=True)
class Surroundings:
    """What an expression may refer to."""

    metrics: Mapping[str, Series]
    """By id."""
    value_of: Callable[[str], Value]
    """Gives a metric or the result of another expression, by id."""
    times: tuple[float, ...]
    """The starts of the periods that are asked for."""
    period: float
    band: Band


def evaluate(expression: str, surroundings: Surroundings) -> Value:
    """Evaluate an expression.

    Raises
    ------
    ExpressionError
        It is no expression of this part of metric math.
    """
    reader = _Reader(_tokens(expression), surroundings)
    value = reader.level(0)
    if reader.kind() != "end":
        raise ExpressionError(f"{expression!r}: {reader.word()!r} was not expected")
    return value


@cache
def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while expression[place:].strip():
        match = _TOKEN.match(expression, place)
        if match is None or match.lastgroup is None:
            raise ExpressionError(f"{expression!r}: cannot read {expression[place:]!r}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return [*tokens, ("end", "")]


class _Reader:
    """Reads from left to right and computes while it reads."""

    def __init__(self, tokens: list[tuple[str, str]], surroundings: Surroundings) -> None:
        self._tokens = tokens
        self._place = 0
        self._around = surroundings

    def kind(self) -> str:
        return self._tokens[self._place][0]

    def word(self) -> str:
        return self._tokens[self._place][1]

    def level(self, number: int) -> Value:
        if number == len(_LEVELS):
            return self._unary()
        value = self.level(number + 1)
        while self.word() in _LEVELS[number] and self.kind() in {"sign", "name"}:
            compute = _LEVELS[number][self._take()]
            value = combine(compute, value, self.level(number + 1))
        return value

    def _unary(self) -> Value:
        if self.word() == "-":
            self._take()
            return combine(operator.sub, 0.0, self._unary())
        return self._primary()

    def _primary(self) -> Value:
        kind, word = self._tokens[self._place]
        self._place += 1
        if kind == "number":
            return float(word)
        if word == "(":
            value = self.level(0)
            self._expect(")")
            return value
        if kind != "name":
            raise ExpressionError(f"{word!r} was not expected")
        if self.word() == "(":
            return self._call(word)
        return self._around.value_of(word)

    def _call(self, function: str) -> Value:
        self._expect("(")
        if function == "METRICS":
            wanted = self._take().strip('"') if self.kind() == "text" else ""
            self._expect(")")
            return [each for name, each in self._around.metrics.items() if wanted in name]
        if function == "ANOMALY_DETECTION_BAND":
            name = self._take()
            width = float(self._after_comma()) if self.word() == "," else 2.0
            self._expect(")")
            return self._around.band(name, width)
        arguments = [self.level(0)]
        while self.word() == ",":
            self._take()
            arguments.append(self.level(0))
        self._expect(")")
        return self._apply(function, arguments)

    def _apply(self, function: str, arguments: list[Value]) -> Value:
        match function, arguments:
            case "FILL", [dict() as series, float() as filler]:
                return {time: series.get(time, filler) for time in self._around.times}
            case "FILL", [list() as many, float() as filler]:
                return [
                    {time: one.get(time, filler) for time in self._around.times} for one in many
                ]
            case "SUM", [list() as many]:
                times = sorted(set().union(*many))
                return {time: sum(one.get(time, 0.0) for one in many) for time in times}
            case "PERIOD", [dict()]:
                return self._around.period
            case "IF", [dict() as condition, chosen]:
                return choose(condition, chosen, None)
            case "IF", [dict() as condition, chosen, other]:
                return choose(condition, chosen, other)
        raise ExpressionError(f"{function} with these arguments is not known here")

    def _take(self) -> str:
        word = self.word()
        self._place += 1
        return word

    def _after_comma(self) -> str:
        self._take()
        return self._take()

    def _expect(self, sign: str) -> None:
        if self._take() != sign:
            raise ExpressionError(f"{sign!r} was expected")


def combine(compute: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Apply an operator to each period.

    "Missing values in a time series are treated as 0", and a value that needs a division by zero
    is dropped. A period in which no series has a value stays missing.
    """
    if isinstance(left, list):
        return [_series(combine(compute, each, right)) for each in left]
    if isinstance(right, list):
        return [_series(combine(compute, left, each)) for each in right]
    if isinstance(left, float) and isinstance(right, float):
        return float(compute(left, right))
    both = [each for each in (left, right) if isinstance(each, dict)]
    values = {}
    for time in sorted(set().union(*both)):
        a = left.get(time, 0.0) if isinstance(left, dict) else left
        b = right.get(time, 0.0) if isinstance(right, dict) else right
        try:
            values[time] = float(compute(a, b))
        except ZeroDivisionError:
            continue
    return values


def choose(condition: Series, chosen: Value, other: Value | None) -> Series:
    """Apply IF: as its tables show, what is chosen and missing is 0, what is else is dropped."""
    values = {}
    for time, holds in condition.items():
        if holds:
            values[time] = chosen.get(time, 0.0) if isinstance(chosen, dict) else _scalar(chosen)
        elif isinstance(other, dict):
            if time in other:
                values[time] = other[time]
        elif other is not None:
            values[time] = _scalar(other)
    return values


def _series(value: Value) -> Series:
    if not isinstance(value, dict):
        raise ExpressionError("a series was expected")
    return value


def _scalar(value: Value) -> float:
    if not isinstance(value, float):
        raise ExpressionError("a number or one series was expected")
    return value
