"""Which resources stand out before a deployment removes or replaces them."""

from typing import Final

from scripts.releasing.removals import STANDS_OUT
from tests.infra.synthesis import Synthesized

REPLACED_WITHOUT_LOSS: Final = frozenset(
    {
        "AWS::ApiGatewayV2::Integration",
        "AWS::CloudWatch::Dashboard",
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCEndpoint",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::ECS::Cluster",
        "AWS::ECS::TaskDefinition",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Logs::QueryDefinition",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
    }
)
"""They hold no data, and whatever uses them belongs to the same deployment."""


def test_every_kind_of_resource_is_judged(combination: Synthesized) -> None:
    kinds = {each["Type"] for each in combination.template.to_json()["Resources"].values()}
    assert kinds <= {*STANDS_OUT, *REPLACED_WITHOUT_LOSS}
    assert REPLACED_WITHOUT_LOSS.isdisjoint(STANDS_OUT)
