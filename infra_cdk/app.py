"""What the CDK command line runs: `.venv/bin/python -m infra_cdk.app`."""

import os
import sys

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from infra_cdk.context import settings_from_context
from infra_cdk.cross_build import CrossBuildError, check_can_build
from infra_cdk.model import BundleError
from infra_cdk.settings import Settings, SettingsError
from infra_cdk.stack import EtiquetteStack


def compose(app: App, settings: Settings) -> EtiquetteStack:
    """Put the stack into an app that refuses what AWS's rules for solutions refuse.

    Parameters
    ----------
    app
        Synthesizes; a finding that nobody has argued against stops it.
    settings
        The choices of this deployment.
    """
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return EtiquetteStack(app, settings=settings)


def main() -> None:
    """Synthesize the stack that the context asks for."""
    app = App()
    try:
        settings = settings_from_context(app.node)
        # Set where a build follows, by scripts/cdk and scripts/release.
        if "ETIQUETTE_CDK_BUILDS" in os.environ:
            check_can_build(settings.architecture)
        compose(app, settings)
    except (SettingsError, BundleError, CrossBuildError) as error:
        sys.exit(f"etiquette: {error}")
    app.synth()


if __name__ == "__main__":
    main()
