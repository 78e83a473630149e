"""Alarm drills: the image runs, something goes wrong with it, and what it wrote raises the alarm.

What is real: the image, its log bytes, its answers, how long they took; the alarms of the
synthesized template. What stands in for AWS: `tests/support/cloudwatch` for CloudWatch, by its documented
rules, and `stand_ins` for the metrics that Lambda and API Gateway would publish themselves. Time is
simulated: what the image wrote in seconds is stamped with other times, some of it more than once,
and nothing waits for a period to pass.
"""
