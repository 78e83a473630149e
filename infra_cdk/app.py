"""What the CDK command line runs: `.venv/bin/python -m infra_cdk.app`."""

import sys

from aws_cdk import App

from infra_cdk.model import BundleError
from infra_cdk.settings import SettingsError, settings_from_context
from infra_cdk.stack import EtiquetteStack


def main() -> None:
    """Synthesize the stack that the context asks for."""
    app = App()
    try:
        EtiquetteStack(app, settings=settings_from_context(app.node))
    except (SettingsError, BundleError) as error:
        sys.exit(f"etiquette: {error}")
    app.synth()


if __name__ == "__main__":
    main()
