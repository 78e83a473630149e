"""One release: read a bundle, compare it with the live one, and deploy it by CloudFormation."""

from contextlib import nullcontext
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from lambda_src.tagger import BundleError, TagModel
from scripts.releasing.assembly import Assembly
from scripts.releasing.changes import changes
from scripts.releasing.deployed_settings import kept
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.releasing.pinning import confirmed, refuse_if_pinned
from scripts.releasing.pruning import prune_versions
from scripts.releasing.question import agree, refuse_without_terminal
from scripts.releasing.review import review
from scripts.releasing.target import Target
from scripts.shared.paths import ROOT
from scripts.shared.terminal import say

STARTER: Final = ROOT / "model_build" / "starter" / "starter.safetensors"


def release(
    target: Target,
    model: Path | None,
    *,
    report: Path | None,
    keep_settings: bool,
    yes: bool,
    confirm_rollback: bool,
) -> None:
    """Check a bundle, show what changes, deploy, and remove old versions.

    Parameters
    ----------
    target
        The deployment.
    model
        The bundle; by default the live one with `keep_settings`, and otherwise the starter.
    report
        The report of `python -m model_build evaluate`; its figures become part of the release.
    keep_settings
        Deploy with the live settings, except for those that the command gives.
    yes
        Deploy without asking.
    confirm_rollback
        Deploy although a rollback has pinned `live`.

    Raises
    ------
    ReleaseError
        If the bundle is not valid, `live` is pinned, the account is another one, a live setting
        would be lost, the user does not agree, or the deployment fails.
    """
    bundle = None if model is None else _read(model)
    if not yes:
        refuse_without_terminal()
    # None before the first deployment, or if that failed.
    function = Function.of(target) if "FunctionAlias" in (target.outputs() or {}) else None
    if function and not confirm_rollback:
        refuse_if_pinned(function)
    settings = {}
    if model is not None:
        settings["model"] = str(model.resolve())
    if report is not None:
        settings["report"] = str(report.resolve())
    if keep_settings:
        settings |= kept(target, {**target.context, **settings})
    if bundle is None:
        bundle = _read(Path(settings.get("model", STARTER)))
    assembly = Assembly.synthesize(target, settings)
    review(target, assembly, confirm_rollback=confirm_rollback)
    say(changes(function, bundle, assembly))
    if target.emulator is not None:
        say("The emulator has no CodeDeploy: live moves at once, without a canary.")
    agree("Deploy this?", yes=yes, otherwise="Nothing was deployed.")
    with confirmed(function) if function and confirm_rollback else nullcontext():
        _deploy(assembly, target, function, approve=yes)
    function = Function.of(target)
    say(f"live: version {function.live().version}, model {bundle.version}")
    remove_old_versions(function)


def _read(model: Path) -> TagModel:
    try:
        return TagModel.load(model)
    except BundleError as error:
        raise ReleaseError(str(error)) from error


def remove_old_versions(function: Function) -> None:
    """Remove old versions. A failure does not undo the release, which is live."""
    try:
        prune_versions(function)
    except (BotoCoreError, ClientError) as error:
        say(f"Warning: old versions were not removed ({error}). The next release tries it again.")


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
