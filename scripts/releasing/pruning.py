"""Remove old versions, and the roles that only they use."""

import contextlib
from typing import Any, Final

from scripts.releasing.function import Function, Live, Version
from scripts.shared.terminal import say

KEPT: Final = 3


def prune_versions(function: Function) -> None:
    """Remove all but the last three versions, but never the live one or the one before it.

    AWS bills every snapshot that is kept. Bundles and images stay: their names are hashes of their
    content, so another stack of the account may use them.

    Parameters
    ----------
    function
        The function whose versions are pruned.
    """
    versions = function.versions()
    old = superfluous(versions, function.live())
    kept = [each for each in versions if each not in old]
    latest = function.client.get_function_configuration(FunctionName=function.arn)["Role"]
    in_use = {latest, *(each.role for each in kept)}
    # Roles first: after a failure, the next run finds the remaining roles through their versions.
    for role in sorted({each.role for each in old} - in_use):
        _delete_role(function.target.client("iam"), role.rpartition("/")[2])
    for version in old:
        function.client.delete_function(FunctionName=function.arn, Qualifier=str(version.number))
    if old:
        say(f"Removed: versions {', '.join(str(each.number) for each in old)} and their roles")


def superfluous(versions: list[Version], live: Live) -> list[Version]:
    """Return the versions to remove.

    Parameters
    ----------
    versions
        All versions, newest first.
    live
        The state of the alias.
    """
    before = [each for each in versions if each.number < live.version][:1]
    kept = {each.number for each in [*versions[:KEPT], *before]}
    kept |= {live.version, live.shifting_to or 0, live.pin.left if live.pin else 0}
    return [each for each in versions if each.number not in kept]


def _delete_role(iam: Any, name: str) -> None:
    with contextlib.suppress(iam.exceptions.NoSuchEntityException):
        # The role of a release has only inline policies.
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)
