"""The network of the jobs that run on Fargate."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra_cdk.findings import acknowledge


class BuildNetwork(Construct):
    """A network whose only use is that a job on Fargate needs one. It costs nothing.

    Its subnets are public, because a NAT gateway would cost 32 dollars a month for some minutes of
    downloads. Nothing can connect to the jobs.

    Attributes
    ----------
    vpc
        The network.
    security_group
        The group of the jobs, which allows outgoing connections only.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)
            ],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(
                    service=ec2.GatewayVpcEndpointAwsService.DYNAMODB
                ),
            },
            # This would need a function of the CDK's own. The jobs have their own security group.
            restrict_default_security_group=False,
        )
        acknowledge(
            self.vpc,
            "VPC7",
            "Nothing listens in this network, and its only traffic is that of jobs that open "
            "connections.",
        )
        self.security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self.vpc,
            description="The jobs of model_build: they only open connections",
        )
