"""What is checked and shown before every deployment."""

from collections.abc import Sequence

from infra_cdk.accounts import ACCOUNTS
from scripts.releasing.account import Account
from scripts.releasing.assembly import Assembly
from scripts.releasing.deployed_settings import (
    Settings,
    changed,
    refuse_to_lose,
    refuse_to_lose_beside,
)
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.releasing.pinning import refuse_if_pinned
from scripts.releasing.removals import Removal, removals
from scripts.releasing.target import Target
from scripts.shared.terminal import say


def review(target: Target, assembly: Assembly, *, confirm_rollback: bool = False) -> list[Removal]:
    """Refuse a deployment that would lose something, and show what it changes.

    Parameters
    ----------
    target
        The deployment.
    assembly
        The stack to deploy.
    confirm_rollback
        Deploy although a rollback has pinned `live`.

    Returns
    -------
    list of Removal
        The resources that the deployment removes or replaces.

    Raises
    ------
    ReleaseError
        If the account is another one, `live` is pinned, or a live setting would be lost.
    """
    account = Account.of(target)
    say(f"Deployment to {account}, stack {target.stack}")
    outputs = target.outputs()
    new = Settings.of(assembly.outputs)
    if new is not None and "ModelSha256" not in assembly.outputs:
        # It is another stack, such as that of infra_cdk/probe.py, for an environment or for all.
        account.refuse_unless(ACCOUNTS.get(new.values.get("environment", "")), target)
        live = Settings.of(outputs or {})
        if live is not None:
            refuse_to_lose_beside(target, live, new)
            _show("Settings that change:", changed(live, new))
    elif new is not None:
        account.refuse_unless(new.values.get("account"), target)
        if outputs is None:
            _refuse_another_service(target, assembly, new)
        elif "FunctionAlias" in outputs:  # otherwise the first deployment failed
            function = Function(target, outputs["FunctionAlias"])
            if not confirm_rollback:
                refuse_if_pinned(function)
            _compare_settings(function, Settings.of(outputs), new, assembly)
    found = [] if outputs is None else removals(target, assembly)
    _show("Resources that are removed or replaced (look at !!):", found)
    return found


def _compare_settings(
    function: Function, live: Settings | None, new: Settings, assembly: Assembly
) -> None:
    if live is None:
        say("The deployed stack does not record its settings: this deployment may change some.")
    refuse_to_lose(function, live, new, assembly.outputs["ModelSha256"])
    _show("Settings that change:", changed(live, new) if live else [])


def _show(title: str, lines: Sequence[object]) -> None:
    if lines:
        say("\n".join([title, *(f"  {line}" for line in lines)]))


def _refuse_another_service(target: Target, assembly: Assembly, new: Settings) -> None:
    """Raise an error if a forgotten `service` would create a second deployment."""
    if "service" in new.given:
        return
    environment = target.stack.rpartition("-")[2]
    pages = target.client("cloudformation").get_paginator("list_stacks").paginate()
    others = [
        each["StackName"].removesuffix(f"-{environment}")
        for page in pages
        for each in page["StackSummaries"]
        if each["StackStatus"] != "DELETE_COMPLETE"
        and each["StackName"].endswith(f"-{environment}")
        and each.get("TemplateDescription") == assembly.template["Description"]
    ]
    if others:
        raise ReleaseError(
            f"There is no stack {target.stack}, but this region already has another service in "
            f"{environment}: {', '.join(others)}. To deploy to it, give -c service={others[0]}. "
            f"For a deployment beside it, give -c service={target.stack.rpartition('-')[0]}."
        )
