"""The command line of scripts/verify."""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.session import get_session

from scripts.emulator.deployment import Deployment
from scripts.emulator.local_aws import LocalAws
from scripts.emulator.release_target import ReleaseTarget
from scripts.releasing.account import Account
from scripts.releasing.errors import ReleaseError
from scripts.releasing.target import Target, stack_name
from scripts.shared.terminal import UserError, say
from scripts.verifying.checks import Outcome, Verification
from scripts.verifying.deployed import Reply

_TIMEOUT_SECONDS = 30
_JSON = {"content-type": "application/json"}


def main() -> int:
    """Run the checks, print one line for each, and return 1 if one failed."""
    options = _parser().parse_args()
    try:
        deployed = _deployed(options)
        say(f"Verification of {Account.expected(deployed.target)}, stack {deployed.stack}")
        results = []
        for result in Verification(deployed, options.patience, page=options.page).run():
            print(result, flush=True)
            results.append(result)
    except (UserError, BotoCoreError, ClientError, OSError) as error:
        print(f"verify: {error}", file=sys.stderr)
        return 1
    failed = [each.check for each in results if each.outcome is Outcome.FAILED]
    if failed:
        print(f"verify: {deployed.stack} failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


@dataclass(frozen=True)
class OfTarget(ABC):
    """A deployment that a target describes.

    Attributes
    ----------
    target
        The deployment.
    token
        A bearer token, if the API needs one.
    """

    target: Target
    token: str | None

    @property
    def environment(self) -> str:
        """The name of the environment."""
        return self.target.environment

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return self.target.stack

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack."""
        return _outputs(self.target)

    def client(self, service: str) -> Any:
        """Return a boto3 client."""
        return self.target.client(service)

    @abstractmethod
    def request(self, path: str, body: Any = None, *, with_credentials: bool = True) -> Reply:
        """Send a request, as `Deployed.request` describes."""


@dataclass(frozen=True)
class InAccount(OfTarget):
    """A deployment in an AWS account."""

    def request(self, path: str, body: Any = None, *, with_credentials: bool = True) -> Reply:
        """Send a request to the public URL, with a token or a signature if the API needs it."""
        content = None if body is None else json.dumps(body).encode()
        url = f"{self.outputs['ApiUrl'].rstrip('/')}{path}"
        asked = AWSRequest(
            "GET" if body is None else "POST",
            url,
            headers={} if body is None else dict(_JSON),
            data=content,
        )
        if with_credentials and self.outputs["Auth"] == "jwt":
            if self.token is None:
                raise UserError("The API needs a token (auth=jwt): pass --token TOKEN.")
            asked.headers["authorization"] = f"Bearer {self.token}"
        if with_credentials and self.outputs["Auth"] == "iam":
            credentials = get_session().get_credentials()
            if credentials is None:
                raise NoCredentialsError
            region = self.client("lambda").meta.region_name
            SigV4Auth(credentials, "execute-api", region).add_auth(asked)
        request = urllib.request.Request(  # noqa: S310 (the URL is the stack's own)
            url, content, dict(asked.headers.items()), method=asked.method
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return Reply(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.read())
        except OSError as error:
            return Reply(0, b"", f"{url}: {getattr(error, 'reason', error)}")


@dataclass(frozen=True)
class OnEmulator(OfTarget):
    """A deployment on the emulator."""

    deployment: Deployment

    def request(self, path: str, body: Any = None, *, with_credentials: bool = True) -> Reply:
        """Send a request through the emulator's API Gateway."""
        send_token = with_credentials and self.token is not None
        headers = {"authorization": f"Bearer {self.token}"} if send_token else {}
        answer = self.deployment.call(path, body=body, headers=headers)
        return Reply(answer.status, answer.body)


def _deployed(options: argparse.Namespace) -> OfTarget:
    service = {} if options.service is None else {"service": options.service}
    stack = stack_name(options.environment, service)
    if options.environment != "emulator":
        return InAccount(Target(options.environment, stack), options.token)
    aws = LocalAws.running(options.emulator)
    if aws is None:
        raise ReleaseError(
            "The emulator is not running. Start it with: "
            f"scripts/local_aws --name {options.emulator} up deploy"
        )
    target = Target(options.environment, stack, ReleaseTarget(aws))
    return OnEmulator(target, options.token, Deployment.read(aws))


def _outputs(target: Target) -> dict[str, str]:
    outputs = target.outputs()
    if outputs is None:
        region = target.client("cloudformation").meta.region_name
        raise UserError(
            f"There is no stack {target.stack} in {region}. Deploy it with scripts/release, or set "
            "AWS_REGION to the region of the stack."
        )
    return outputs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/verify", description=__doc__)
    parser.add_argument(
        "--environment", required=True, choices=["dev", "prod", "emulator"], help="what to check"
    )
    parser.add_argument("--service", help="the name of the service (default: etiquette)")
    parser.add_argument(
        "--token",
        default=os.environ.get("ETIQUETTE_TOKEN"),
        help="a bearer token, if the API needs one (default: the variable ETIQUETTE_TOKEN)",
    )
    parser.add_argument(
        "--page",
        action="store_true",
        help="raise the outage alarm, too: the page topic is notified",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=300,
        metavar="SECONDS",
        help="how long to wait for logs, metrics and actions (default: 300)",
    )
    parser.add_argument(
        "--emulator",
        default="local",
        metavar="NAME",
        help="the name of the local AWS, with --environment emulator (default: local)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
