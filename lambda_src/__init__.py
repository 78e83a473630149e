"""The code that runs in AWS Lambda, and the metric names that other parts share with it."""
