"""What a deployment removes or replaces, for people to read before they agree."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from scripts.releasing.assembly import Assembly
from scripts.releasing.target import Target
from scripts.shared.commands import run
from scripts.shared.paths import CDK

_LINE: Final = re.compile(
    r"^\[[-~]\] (?P<kind>\w+::\S+) (?P<name>.+) \S+ "
    r"(?P<impact>destroy|orphan|replace|may be replaced)$",
    re.MULTILINE,
)
"""A line of `cdk diff` about a resource that does not stay as it is."""
_IMPACTS: Final = {
    "destroy": "removes",
    "orphan": "leaves behind",
    "replace": "replaces",
    "may be replaced": "may replace",
}
STANDS_OUT: Final = (
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Budgets::Budget",
    "AWS::CloudFront::Distribution",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::DynamoDB::Table",
    "AWS::Events::Rule",
    "AWS::IAM::OIDCProvider",
    "AWS::KMS::Key",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::Logs::SubscriptionFilter",
    "AWS::Route53::HealthCheck",
    "AWS::Route53::RecordSet",
    "AWS::S3::Bucket",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
    "AWS::WAFv2::WebACL",
)
"""Resources that hold data, guard the API, watch it, or that callers and operators use by name. The
other ones, such as the version and the role of a release, are replaced without loss."""


class Removal(NamedTuple):
    """A resource that a deployment removes or replaces."""

    kind: str
    """Such as `AWS::Logs::LogGroup`."""
    name: str
    """The path of the construct."""
    impact: str

    @property
    def stands_out(self) -> bool:
        """Whether people should look at it."""
        return self.kind in STANDS_OUT

    @classmethod
    def found_in(cls, difference: str) -> list[Self]:
        """Read the output of `cdk diff`; what stands out comes first."""
        found = [
            cls(each["kind"], each["name"], each["impact"]) for each in _LINE.finditer(difference)
        ]
        return sorted(found, key=lambda each: not each.stands_out)

    def __str__(self) -> str:
        mark = "!!" if self.stands_out else "  "
        return f"{mark} {_IMPACTS[self.impact]} {self.kind} {self.name}"


def removals(target: Target, assembly: Assembly) -> list[Removal]:
    """Compare the deployed template with the one of a deployment.

    A change set would know the same, but to make one, the CDK builds and uploads the images before
    anybody has agreed. The CDK knows from CloudFormation's specification which changes of
    properties replace a resource.

    Parameters
    ----------
    target
        A deployment whose stack exists.
    assembly
        The stack to deploy.

    References
    ----------
    https://docs.aws.amazon.com/cdk/v2/guide/ref-cli-cmd-diff.html
    """
    client = target.client("cloudformation")
    body: Any = client.get_template(StackName=target.stack)["TemplateBody"]
    with tempfile.TemporaryDirectory() as folder:
        deployed = Path(folder) / "deployed.template.json"
        deployed.write_text(body if isinstance(body, str) else json.dumps(body))
        difference = run(
            [CDK, "diff", assembly.stack, "--app", assembly.folder, "--template", deployed,
             "--no-color", "--no-notices"],
            with_errors=True,
        )  # fmt: skip
    return Removal.found_in(difference)
