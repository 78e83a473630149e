"""Alarm drills: the image runs, something goes wrong, and what it wrote must raise the alarm.

The image is real: its log, its answers and their times. So are the alarms, which come from the
synthesized template. Two things replace AWS: `tests/support/cloudwatch` evaluates alarms by
CloudWatch's documented rules, and `stand_ins` makes the metrics that Lambda and API Gateway publish
themselves. Time is simulated: what the image wrote within seconds gets other timestamps, some of it
more than once, so that nothing waits for a period to pass.
"""
