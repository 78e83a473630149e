"""What is checked and shown before every deployment."""

from collections.abc import Sequence

from scripts.releasing.account import Account
from scripts.releasing.assembly import Assembly
from scripts.releasing.deployed_settings import Settings, changed, refuse_to_lose
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.releasing.pinning import refuse_if_pinned
from scripts.releasing.removals import removals
from scripts.releasing.target import Target
from scripts.shared.terminal import say


def review(target: Target, assembly: Assembly, *, confirm_rollback: bool = False) -> None:
    """Refuse a deployment that would lose something, and show what it changes.

    Parameters
    ----------
    target
        The deployment.
    assembly
        The stack to deploy.
    confirm_rollback
        Deploy although a rollback has pinned `live`.

    Raises
    ------
    ReleaseError
        If the account is another one, `live` is pinned, or a live setting would be lost.
    """
    account = Account.of(target)
    say(f"Deployment to {account}, stack {target.stack}")
    new = Settings.of(assembly.outputs)
    if new is None:
        return  # another stack, such as that of infra_cdk/delivery.py
    account.refuse_unless(new.values.get("account"), target)
    outputs = target.outputs()
    if outputs is None:
        _refuse_another_service(target, assembly, new)
    if not outputs or "FunctionAlias" not in outputs:
        return  # this is the first deployment, or the first one failed
    function = Function(target, outputs["FunctionAlias"])
    if not confirm_rollback:
        refuse_if_pinned(function)
    live = Settings.of(outputs)
    if live is None:
        say("The deployed stack does not record its settings: this deployment may change some.")
    refuse_to_lose(function, live, new, assembly.outputs["ModelSha256"])
    _show("Settings that change:", changed(live, new) if live else [])
    _show("Resources that are removed or replaced (look at !!):", removals(target, assembly))


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
