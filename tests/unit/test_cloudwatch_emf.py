"""The embedded metric format, read by its specification.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from typing import Any

import pytest

from tests.support.cloudwatch.emf import EmfError, read_log
from tests.support.cloudwatch.samples import MetricId, Sample


def line(directive: dict[str, Any] | None = None, **root: Any) -> bytes:
    described = {
        "Namespace": "Space",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "time", "Unit": "Milliseconds"}],
        **(directive or {}),
    }
    metadata = {"Timestamp": 1_500, "CloudWatchMetrics": [described]}
    return json.dumps({"_aws": metadata, "service": "s", "time": 7, **root}).encode()


TIME = MetricId("Space", "time", frozenset({("service", "s")}))


def test_a_line_is_a_sample_of_each_metric_in_each_set_of_dimensions() -> None:
    twice = line({"Dimensions": [["service"], []]}, time=[7, 8.5])
    bare = MetricId("Space", "time", frozenset())
    log = b"START RequestId: 1\nplain text\n{}\n[1]\n" + twice + b"\n{broken"
    assert read_log(log.replace(b"\\\n", b"\n")) == [
        Sample(TIME, 1.5, 7),
        Sample(TIME, 1.5, 8.5),
        Sample(bare, 1.5, 7),
        Sample(bare, 1.5, 8.5),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        line(_aws={"CloudWatchMetrics": []}),
        line(_aws={"Timestamp": 1.5, "CloudWatchMetrics": []}),
        line(_aws={"Timestamp": 1, "CloudWatchMetrics": {}}),
        line(_aws=7),
        line({"Namespace": ""}),
        line({"Dimensions": [["absent"]]}),
        line({"Dimensions": [[str(number) for number in range(10)]]}),
        line({"Metrics": [{"Name": "absent"}]}),
        line({"Metrics": [{"Name": "time", "Unit": "Minutes"}]}),
        line({"Metrics": [{"Name": "time"}] * 101}),
        line(service=7),
        line(time="7"),
        line(time=True),
        line(time=list(range(101))),
        line(more="x" * 2**18),
    ],
)
def test_a_line_that_cloudwatch_would_drop_is_refused(wrong: bytes) -> None:
    with pytest.raises(EmfError):
        read_log(wrong)
