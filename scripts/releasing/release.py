"""One release: read a bundle, compare it with the live one, and deploy it by CloudFormation."""

import sys
from contextlib import nullcontext
from pathlib import Path

from lambda_src.tagger import BundleError, TagModel
from scripts.releasing.assembly import Assembly
from scripts.releasing.changes import changes
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.releasing.pinning import confirmed, refuse_if_pinned
from scripts.releasing.pruning import prune_versions
from scripts.releasing.target import Target
from scripts.shared.terminal import say


def release(
    target: Target, model: Path, *, report: Path | None, yes: bool, confirm_rollback: bool
) -> None:
    """Check a bundle, show what changes, deploy, and remove old versions.

    Parameters
    ----------
    target
        The deployment.
    model
        The bundle.
    report
        The report of `python -m model_build evaluate`; its figures become part of the release.
    yes
        Deploy without asking.
    confirm_rollback
        Deploy although a rollback has pinned `live`.

    Raises
    ------
    ReleaseError
        If the bundle is not valid, `live` is pinned, a missing setting would make the API public,
        the user does not agree, or the deployment fails.
    """
    try:
        bundle = TagModel.load(model)
    except BundleError as error:
        raise ReleaseError(str(error)) from error
    if not (yes or sys.stdin.isatty()):
        raise ReleaseError("Not a terminal: pass --yes to deploy without confirmation.")
    # None before the first deployment, or if that failed.
    function = Function.of(target) if "FunctionAlias" in (target.outputs() or {}) else None
    if function and not confirm_rollback:
        refuse_if_pinned(function)
    settings = {"model": str(model.resolve())}
    if report is not None:
        settings["report"] = str(report.resolve())
    assembly = Assembly.synthesize(target, settings)
    _refuse_to_open(target, assembly)
    say(changes(function, bundle, assembly))
    if target.emulator is not None:
        say("The emulator has no CodeDeploy: live moves at once, without a canary.")
    if not yes:
        _ask()
    with confirmed(function) if function and confirm_rollback else nullcontext():
        _deploy(assembly, target, function, approve=yes)
    function = Function.of(target)
    say(f"live: version {function.live().version}, model {bundle.version}")
    prune_versions(function)


def _refuse_to_open(target: Target, assembly: Assembly) -> None:
    """Raise an error if a missing `-c auth` would make the API public."""
    live = (target.outputs() or {}).get("Auth", "none")
    if live != "none" and assembly.auth == "none" and "auth" not in target.context:
        raise ReleaseError(
            f"The deployed API uses auth={live}, and this release would make it public. Give "
            f"-c auth={live} and its settings again (or add them to infra_cdk/settings.py), or "
            "-c auth=none if the API is to be public."
        )


def _ask() -> None:
    if input("Deploy this? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise ReleaseError("Nothing was deployed.")


def _deploy(
    assembly: Assembly, target: Target, function: Function | None, *, approve: bool
) -> None:
    before = function.live().version if function else None
    try:
        assembly.deploy(target, approve=approve)
    except ReleaseError as error:
        now = function.live().version if function else None
        if now != before:
            # CloudFormation restores the version that it set itself, which a rollback had changed.
            moved = f"live was at version {before} and is now at {now}."
            raise ReleaseError(f"{error}\n{moved}") from error
        raise
