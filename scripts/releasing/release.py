"""One release: a bundle that was read, shown beside what is live, deployed by CloudFormation."""

import sys
from contextlib import nullcontext
from pathlib import Path

from lambda_src.tagger import BundleError, TagModel
from scripts.emulator.console import say
from scripts.releasing.assembly import Assembly
from scripts.releasing.changes import changes
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.releasing.pinning import confirmed, refuse_if_pinned
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
        If the bundle is none, `live` is pinned, the API would open by a setting that was left out,
        nobody agrees, or the deployment fails.
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
    _refuse_to_open(target, assembly)
    say(changes(function, bundle, assembly))
    if target.emulator is not None:
        say("The emulator has no CodeDeploy: live moves at once, without the canary.")
    if not yes:
        _ask()
    with confirmed(function) if function and confirm_rollback else nullcontext():
        _deploy(assembly, target, function, approve=yes)
    function = Function.of(target)
    say(f"live: version {function.live().version}, model {bundle.version}")
    prune_versions(function)


def _refuse_to_open(target: Target, assembly: Assembly) -> None:
    """Stop what a forgotten `-c auth` would do."""
    live = (target.outputs() or {}).get("Auth", "none")
    if live != "none" and assembly.auth == "none" and "auth" not in target.context:
        raise ReleaseError(
            f"the deployed API wants auth={live}, and this release would open it to everybody: "
            f"give -c auth={live} with its settings again (or write them into "
            "infra_cdk/settings.py), or -c auth=none if that is meant"
        )


def _ask() -> None:
    if input("Deploy this? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise ReleaseError("nothing was deployed")


def _deploy(
    assembly: Assembly, target: Target, function: Function | None, *, approve: bool
) -> None:
    before = function.live().version if function else None
    try:
        assembly.deploy(target, approve=approve)
    except ReleaseError as error:
        now = function.live().version if function else None
        if now != before:
            # CloudFormation goes back to where it left live, which a rollback had moved.
            raise ReleaseError(f"{error}\nlive was at version {before}, and is at {now}") from error
        raise
