"""The AWS infrastructure, as a CDK app."""
