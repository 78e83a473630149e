"""The emulator's account, made fit for the CDK's own roles."""

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
    """Return a client of boto3 that talks to the emulator and to nothing else.

    Parameters
    ----------
    aws
        The running emulator.
    service
        In boto3's words, "s3".
    """
    environment = aws.environment
    session: Any = boto3.session.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    return session.client(service, endpoint_url=aws.endpoint)


def open_for_cdk(aws: LocalAws) -> None:
    """Let the roles that `cdk bootstrap` made do everything.

    The emulator enforces policies, which is why the function's own role is really tested.
    It understands only some of what stands in the CDK's: not the account of a resource as a
    condition, and it counts its own plain HTTP as a breach of the bucket's policy.
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
