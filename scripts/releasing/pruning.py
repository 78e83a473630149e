"""Versions that nobody goes back to any more, removed with the roles that were theirs alone."""

import contextlib
from typing import Any, Final

from scripts.emulator.console import say
from scripts.releasing.function import Function, Live, Version

KEPT: Final = 3


def prune_versions(function: Function) -> None:
    """Remove all but the last three versions; never the live one or the one before it.

    Each retained snapshot is billed. Bundles and images stay: their names are hashes of their
    content, and another stack of the account may use the very same.

    Parameters
    ----------
    function
        Whose versions to prune.
    """
    versions = function.versions()
    old = superfluous(versions, function.live())
    kept = [each for each in versions if each not in old]
    latest = function.client.get_function_configuration(FunctionName=function.arn)["Role"]
    in_use = {latest, *(each.role for each in kept)}
    # Roles first: what fails in between is found again by the versions that are left.
    for role in sorted({each.role for each in old} - in_use):
        _delete_role(function.target.client("iam"), role.rpartition("/")[2])
    for version in old:
        function.client.delete_function(FunctionName=function.arn, Qualifier=str(version.number))
    if old:
        say(f"Pruned: versions {', '.join(str(each.number) for each in old)} and their roles")


def superfluous(versions: list[Version], live: Live) -> list[Version]:
    """Choose the versions to remove.

    Parameters
    ----------
    versions
        All, newest first.
    live
        Where the alias points.
    """
    before = [each for each in versions if each.number < live.version][:1]
    kept = {each.number for each in [*versions[:KEPT], *before]}
    kept |= {live.version, live.shifting_to or 0, live.pin.left if live.pin else 0}
    return [each for each in versions if each.number not in kept]


def _delete_role(iam: Any, name: str) -> None:
    with contextlib.suppress(iam.exceptions.NoSuchEntityException):
        # A release's role has policies of its own and none that is managed.
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)
