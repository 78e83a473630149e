"""The synthesized stack: the same one is shown and deployed."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from scripts.releasing.errors import ReleaseError
from scripts.releasing.target import Target
from scripts.shared.commands import run
from scripts.shared.paths import CDK, ROOT
from scripts.shared.terminal import UserError, step

_SCRIPT: Final = ROOT / "scripts" / "cdk"


@dataclass(frozen=True)
class Assembly:
    """A folder that `cdk synth` wrote."""

    folder: Path
    stack: str

    @classmethod
    def synthesize(cls, target: Target, settings: Mapping[str, str]) -> Self:
        """Synthesize a target's stack.

        Parameters
        ----------
        target
            Where the stack will be deployed.
        settings
            Context values that override those of the target, as for the CDK's option `-c`.

        Raises
        ------
        ReleaseError
            If a setting is wrong. The message names the setting.
        """
        chosen = {**target.context, **settings}
        try:
            if target.emulator is not None:
                return cls(target.emulator.synthesize(chosen), target.stack)
            folder = ROOT / "cdk.out" / target.stack
            context = [f"-c{name}={value}" for name, value in chosen.items()]
            with step("Synthesizing the stack (cdk synth)"):
                run([_SCRIPT, "synth", "--quiet", "--no-notices", "--output", folder,
                     "-c", f"environment={target.environment}", *context],
                    env={"ETIQUETTE_CDK_BUILDS": "1"})  # fmt: skip
        except UserError as error:
            reasons = re.findall(r"^etiquette: (.*)", str(error), re.MULTILINE)
            raise ReleaseError(reasons[0] if reasons else str(error)) from error
        return cls(folder, target.stack)

    @property
    def description(self) -> str:
        """The description of the new version of the API function."""
        return str(self._api_function()["Description"])

    @property
    def image_source(self) -> str:
        """The tag of the API function's image, which is the hash of its sources."""
        return str(self._api_function()["Code"]["ImageUri"]["Fn::Sub"].rpartition(":")[2])

    @property
    def template(self) -> Any:
        """The template that CloudFormation gets."""
        return json.loads((self.folder / f"{self.stack}.template.json").read_text())

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs that are known before the deployment, by name."""
        values = {name: each["Value"] for name, each in self.template.get("Outputs", {}).items()}
        return {name: value for name, value in values.items() if isinstance(value, str)}

    def _api_function(self) -> dict[str, Any]:
        template = self.template
        alias = template["Outputs"]["FunctionAlias"]["Value"]["Ref"]
        name = template["Resources"][alias]["Properties"]["FunctionName"]["Ref"]
        return dict(template["Resources"][name]["Properties"])

    def deploy(self, target: Target, *, approve: bool) -> None:
        """Deploy it with the CDK command line.

        Parameters
        ----------
        target
            The target that it was synthesized for.
        approve
            Deploy changes of permissions without asking.

        Raises
        ------
        ReleaseError
            If the deployment fails.
        """
        if target.emulator is not None:
            try:
                target.emulator.deploy(self.folder)
            except UserError as error:
                raise ReleaseError(str(error)) from error
            return
        approval = ["--require-approval", "never"] if approve else []
        # Not through scripts/cdk, which would check and show the same again.
        command: list[str | Path] = [
            CDK,
            "deploy",
            self.stack,
            "--app",
            self.folder,
            "--no-notices",
            *approval,
        ]
        if subprocess.run(command, check=False).returncode:
            raise ReleaseError(
                f"The deployment of {self.stack} failed: see the output above. To see which "
                "version is live, run scripts/releases."
            )
