"""Does it work at all? The one alarm that pages."""

from typing import Final

from infra_cdk.observability.watch import Outage

SERVICE_DOWN: Final = Outage(
    name="Service down",
    meaning="Callers do not get answers: the function is silent (Heartbeat), or a large share of "
    "the answers are 5xx (Failed requests). This is the only alarm of the stack that pages.",
    first_command="""aws cloudwatch describe-alarms --alarm-name-prefix "$STACK-" """
    """--state-value ALARM --query 'MetricAlarms[].AlarmName'\n"""
    'curl -i "$API/health"',
    hours=2,
    advice=[
        "A release is under way or just done: run `scripts/rollback --environment prod` first, and "
        "investigate afterwards.",
        "The first command names the alarms behind this one. Their entries below say what to do; "
        "they notify nobody themselves.",
        "The stack is new: until the heartbeat has asked twice, this alarm is raised.",
        "`/health` answers: the outage may be over, or may concern one route. See Server errors.",
    ],
)
"""What people are woken for."""
