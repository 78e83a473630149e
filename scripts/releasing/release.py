"""One release: a bundle that was read, shown beside what is live, deployed by CloudFormation."""

import dataclasses
import sys
from pathlib import Path

from lambda_src.tagger import BundleError, TagModel
from scripts.emulator.console import say
from scripts.releasing.assembly import Assembly
from scripts.releasing.changes import changes
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.releasing.guard import refuse_if_pinned
from scripts.releasing.pruning import prune_versions
from scripts.releasing.target import Target


def release(
    target: Target, model: Path, *, report: Path | None, yes: bool, confirm_rollback: bool
) -> None:
    """Check a bundle, show what changes, deploy, and prune what is older than three releases.

    Parameters
    ----------
    target
        Where to.
    model
        The bundle.
    report
        What `python -m model_build evaluate` said of it: its figures go with the release.
    yes
        Deploy without asking.
    confirm_rollback
        Let the deployment move `live` on from where a rollback has pinned it.

    Raises
    ------
    ReleaseError
        If the bundle is none, `live` is pinned, nobody agrees, or the deployment fails.
    """
    try:
        bundle = TagModel.load(model)
    except BundleError as error:
        raise ReleaseError(str(error)) from error
    if not (yes or sys.stdin.isatty()):
        raise ReleaseError("nobody is here to be asked: give --yes to deploy without")
    # None before the first deployment, or after one that failed.
    function = Function.of(target) if "FunctionAlias" in (target.outputs() or {}) else None
    if function and not confirm_rollback:
        refuse_if_pinned(function)
    settings = {"model": str(model.resolve())}
    if report is not None:
        settings["report"] = str(report.resolve())
    assembly = Assembly.synthesize(target, settings)
    say(changes(function, bundle, assembly))
    if target.emulator is not None:
        say("The emulator has no CodeDeploy: live moves at once, without the canary.")
    if not yes:
        _ask()
    if function and confirm_rollback:
        _confirm(function)
    before = function.live().version if function else None
    try:
        assembly.deploy(target, approve=yes)
    except ReleaseError as error:
        now = function.live().version if function else None
        if now != before:
            # CloudFormation goes back to where it left live, which a rollback had moved.
            raise ReleaseError(f"{error}\nlive was at version {before}, and is at {now}") from error
        raise
    finally:
        if function:
            _settle(function)
    function = Function.of(target)
    say(f"live: version {function.live().version}, model {bundle.version}")
    prune_versions(function)


def _ask() -> None:
    if input("Deploy this? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise ReleaseError("nothing was deployed")


def _confirm(function: Function) -> None:
    live = function.live()
    if live.pin:
        pin = dataclasses.replace(live.pin, confirmed=True)
        function.update_alias(live, version=live.version, pin=pin)


def _settle(function: Function) -> None:
    """Renew the pin where `live` did not move on, whether or not the deployment succeeded."""
    live = function.live()
    if live.pin is None or not live.pin.confirmed:
        return
    function.update_alias(
        live, version=live.version, pin=dataclasses.replace(live.pin, confirmed=False)
    )
    message = (
        f"live stays pinned to version {live.version}: the deployment did not move it. "
        f"If this was the release of version {live.pin.left} again, CloudFormation had nothing to "
        f"change: scripts/rollback --to {live.pin.left} puts it back"
    )
    if sys.exc_info()[1] is None:
        raise ReleaseError(message)
    say(message)
