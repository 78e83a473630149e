"""The functions that keep the event lines of the log as files in S3, by day.

They need only the standard library and the boto3 of Lambda's runtime. Their zip file holds this
folder alone, so the modules import each other relatively.
"""
