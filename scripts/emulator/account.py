"""Clients for the emulated account, and the permissions that the CDK needs there."""

import json
from typing import Any, Final

import boto3

from scripts.emulator.local_aws import LocalAws

_QUALIFIER: Final = "cdk-"
_EVERYTHING: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)


def client(aws: LocalAws, service: str) -> Any:
    """Return a boto3 client that talks only to the emulator.

    Parameters
    ----------
    aws
        The running emulator.
    service
        The name of the service in boto3, such as "s3".
    """
    environment = aws.environment
    session: Any = boto3.session.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    return session.client(service, endpoint_url=aws.endpoint)


def open_for_cdk(aws: LocalAws) -> None:
    """Allow everything to the roles that `cdk bootstrap` created.

    The emulator enforces policies, so the tests cover the function's own role. It supports only
    part of the CDK's policies: it does not know the condition on a resource's account, and the
    bucket policy rejects the plain HTTP that the emulator speaks.

    Parameters
    ----------
    aws
        The running emulator.
    """
    iam, s3 = client(aws, "iam"), client(aws, "s3")
    for role in iam.list_roles()["Roles"]:
        if role["RoleName"].startswith(_QUALIFIER):
            iam.put_role_policy(
                RoleName=role["RoleName"], PolicyName="everything", PolicyDocument=_EVERYTHING
            )
    for bucket in s3.list_buckets()["Buckets"]:
        if bucket["Name"].startswith(_QUALIFIER):
            s3.delete_bucket_policy(Bucket=bucket["Name"])
