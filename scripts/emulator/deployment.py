"""The stack in local AWS, deployed in the same steps as `cdk deploy` takes in an account."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from scripts.emulator.account import open_for_cdk
from scripts.emulator.local_aws import ACCOUNT, REGION, LocalAws
from scripts.shared.commands import run
from scripts.shared.containers import Engine
from scripts.shared.local_http import Answer, fetch
from scripts.shared.machine import architecture
from scripts.shared.paths import ROOT
from scripts.shared.terminal import UserError, step

STACK: Final = "etiquette-emulator"
_CDK: Final = ROOT / "scripts" / "cdk"
STARTS: Final = 5
TIMED_OUT: Final = b"Sandbox.Timedout"
"""The emulator counts a function's start against its time limit, which AWS does not do: on a busy
machine the start alone can exceed it. A request that only timed out is sent again."""
_QUIET: Final = {"CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_DISABLE_VERSION_CHECK": "1", "CI": ""}


@dataclass(frozen=True)
class Deployment:
    """A deployed stack.

    Attributes
    ----------
    aws
        The emulator that it is deployed to.
    outputs
        The outputs of the stack, by name.
    """

    aws: LocalAws
    outputs: dict[str, str]

    @classmethod
    def read(cls, aws: LocalAws) -> "Deployment":
        """Return the last deployment.

        Raises
        ------
        UserError
            If nothing is deployed yet.
        """
        file = aws.folder / "outputs.json"
        if not file.is_file():
            raise UserError("Nothing is deployed yet. Deploy with: scripts/local_aws deploy")
        return cls(aws, json.loads(file.read_text())[STACK])

    def call(
        self,
        path: str,
        *,
        body: Any = None,
        method: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send an HTTP request to the deployed API.

        Parameters
        ----------
        path
            The path of the URL, such as `/predict`.
        body
            Sent as it is if it is bytes, otherwise as JSON.
        method, headers
            As in `fetch`.
        """
        # The emulator distinguishes APIs by host name. It answers some paths itself, such as
        # /health, unless the path begins with the stage.
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        host = urlsplit(self.outputs["ApiUrl"]).netloc
        for _ in range(STARTS):
            answer = fetch(
                f"{self.aws.endpoint}/$default{path}",
                method=method,
                body=content,
                headers={"Host": host, "Content-Type": "application/json", **(headers or {})},
            )
            if TIMED_OUT not in answer.body:
                break
        return answer


def deploy(aws: LocalAws, *, model: Path | None = None) -> Deployment:
    """Synthesize the stack, build its image and deploy both with the CDK command line.

    Parameters
    ----------
    aws
        The emulator.
    model
        The bundle to serve; by default the starter.
    """
    settings = {} if model is None else {"model": str(model.resolve())}
    return deploy_assembly(aws, synthesize(aws, settings))


def synthesize(aws: LocalAws, settings: Mapping[str, str]) -> Path:
    """Synthesize the stack and return the folder that holds it.

    Parameters
    ----------
    aws
        The emulator that it will be deployed to.
    settings
        Context values, as for the CDK's option `-c`.
    """
    assembly = aws.folder / "cdk.out"
    chosen = {"environment": "emulator", "architecture": architecture(), **settings}
    context = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
    with step("Synthesizing the stack (cdk synth)"):
        _cdk(aws, "synth", "--quiet", "--output", assembly, *context)
    return assembly


def deploy_assembly(aws: LocalAws, assembly: Path) -> Deployment:
    """Build the images of a synthesized stack and deploy it; bootstrap the account if necessary.

    Parameters
    ----------
    aws
        The emulator.
    assembly
        The folder that `synthesize` returned.
    """
    if not (aws.folder / "bootstrapped").exists():
        with step("Preparing the account for the CDK (cdk bootstrap)"):
            _cdk(aws, "bootstrap", "--app", assembly, f"aws://{ACCOUNT}/{REGION}")
            open_for_cdk(aws)
            (aws.folder / "bootstrapped").touch()
    with step("Building the images of the functions"):
        _build_images(aws, assembly)
    with step("Deploying the stack (cdk deploy)"):
        _cdk(aws, "deploy", "--app", assembly, "--require-approval", "never",
             "--outputs-file", aws.folder / "outputs.json")  # fmt: skip
    return Deployment.read(aws)


def _cdk(aws: LocalAws, *arguments: str | Path) -> None:
    run([_CDK, *arguments, "--no-notices"], env=aws.environment | _QUIET)


def build_all_images(engine: Engine, base: str, name: str) -> None:
    """Build all images of the checkout, so that the builds of a deployment find their layers.

    Parameters
    ----------
    engine
        The container engine.
    base
        The name of the base image.
    name
        Distinguishes the images from others of the same functions.
    """
    for file in sorted((ROOT / "lambda_src").glob("*/Dockerfile")):
        build_image(engine, base, file.parent, name)
    job = ROOT / "model_build" / "Dockerfile"
    tag = f"localhost/etiquette/{job.parent.name}:{name}"
    engine.build(ROOT, tag=tag, file=job, args={"BASE_IMAGE": base})


def build_image(engine: Engine, base: str, folder: Path, name: str) -> str:
    """Build the image of a function in the checkout and return its name.

    Parameters
    ----------
    engine
        The container engine.
    base
        The name of the base image.
    folder
        The folder of the function, with its Dockerfile.
    name
        Distinguishes the image from others of the same function.
    """
    tag = f"localhost/etiquette/{folder.name}:{name}"
    engine.build(folder.parent, tag=tag, file=folder / "Dockerfile", args={"BASE_IMAGE": base})
    return tag


def _build_images(aws: LocalAws, assembly: Path) -> None:
    """Build every image of the stack under the name that the stack uses for it.

    On AWS, the CDK builds these images and pushes them to a registry. The emulator has no registry:
    it runs the images that the container engine holds, and the CDK finds them there. Like the CDK,
    this builds no image twice: its tag is a hash of its sources. The hash does not contain the base
    image, which is therefore a label.
    """
    base_image = aws.state.base_image
    label = f"etiquette.base-image={base_image}"
    for manifest in assembly.glob("*.assets.json"):
        # The names in the stack contain placeholders for the account and the region.
        text = manifest.read_text()
        text = text.replace("${AWS::AccountId}", ACCOUNT).replace("${AWS::Region}", REGION)
        for image in json.loads(text).get("dockerImages", {}).values():
            source = image["source"]
            folder = assembly / source["directory"]
            arguments = source.get("dockerBuildArgs", {}) | {"BASE_IMAGE": base_image}
            for place in image["destinations"].values():
                repository = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{place['repositoryName']}"
                tag = f"{repository}:{place['imageTag']}"
                if not aws.engine.has_image(tag, label=label):
                    aws.engine.build(
                        folder,
                        tag=tag,
                        file=folder / source.get("dockerFile", "Dockerfile"),
                        args=arguments,
                        label=label,
                    )
