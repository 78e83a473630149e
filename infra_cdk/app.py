"""The CDK app, which the CDK command line runs as `.venv/bin/python -m infra_cdk.app`."""

import os
import sys
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from infra_cdk.build_context import let_everybody_read
from infra_cdk.context import settings_from_context
from infra_cdk.cross_build import CrossBuildError, check_can_build, check_has_buildx
from infra_cdk.model import ModelFileError
from infra_cdk.settings import Settings, SettingsError
from infra_cdk.stack import EtiquetteStack


def compose(app: App, settings: Settings) -> EtiquetteStack:
    """Add the stack to an app that checks it against the AwsSolutions rules of cdk-nag.

    Parameters
    ----------
    app
        The CDK app. Its synthesis fails if it has a finding that is not suppressed, with a reason,
        on that resource.
    settings
        The settings of this deployment.
    """
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return EtiquetteStack(app, settings=settings)


def main() -> None:
    """Synthesize the stack for the settings in the CDK context."""
    app = App()
    try:
        settings = settings_from_context(app.node)
        # scripts/cdk deploy and scripts/release set it: they build the images afterwards.
        if "ETIQUETTE_CDK_BUILDS" in os.environ:
            check_has_buildx()
            check_can_build(settings.architecture)
        compose(app, settings)
    except (SettingsError, ModelFileError, CrossBuildError) as error:
        sys.exit(f"etiquette: {error}")
    let_everybody_read(Path(app.synth().directory))


if __name__ == "__main__":
    main()
