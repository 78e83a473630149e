"""Reads the settings that the command line gives as `-c NAME=VALUE`."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from constructs import Node

from infra_cdk.settings import ENVIRONMENTS, ROOT, Settings, SettingsError, Throttle, check_one_of

DEFAULT: Final = "default"
"""`-c NAME=default` stands for the value that the environment has without `-c NAME=...`. It drops a
setting that is deployed. An empty value does not: an unset shell variable would have one."""


def settings_from_context(node: Node) -> Settings:
    """Read `-c environment=NAME` and the settings that were given with `-c NAME=VALUE`.

    Parameters
    ----------
    node
        The node of a construct, which gives access to the CDK context.

    Returns
    -------
    Settings
        The settings of the environment, with the given values in place of its own. The value
        `default` leaves a setting as it is, and is accepted for every name, so that a setting that
        no longer exists can be dropped, too.

    Raises
    ------
    SettingsError
        If a name is not a setting, or a value is not valid for its setting.
    """
    given = {
        name: value
        for name, value in (node.get_all_context() or {}).items()
        if re.fullmatch(r"[a-z_]+", name)  # the CDK's own names have other characters
    }
    environment = given.pop("environment", "dev")
    check_one_of("environment", environment, ENVIRONMENTS)
    values = {}
    for name, value in given.items():
        if value == DEFAULT:
            continue
        if name not in FROM_CONTEXT:
            raise SettingsError(
                f"-c {name}=... is not possible; -c takes environment, "
                + ", ".join(FROM_CONTEXT)
                + ". Change other settings in infra_cdk/settings.py"
            )
        values[name] = FROM_CONTEXT[name](name, value)
    return ENVIRONMENTS[environment](**values, given=frozenset(given))


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise SettingsError(f"{name} is {value!r}, but it must be text that is not empty")
    return value


def _account(name: str, value: object) -> str:
    return _text(name, str(value))  # in cdk.json it may be a number


def _whole(name: str, value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise SettingsError(f"{name} is {value!r}, but it must be a whole number") from None


def _yes(name: str, value: object) -> bool:
    text = str(value).lower()
    check_one_of(name, text, ("true", "false"))
    return text == "true"


def _throttle(name: str, value: object) -> Throttle:
    match = re.fullmatch(r"(\d+):(\d+)", str(value))
    if match is None:
        raise SettingsError(
            f"{name} is {value!r}, but it must be RATE:BURST, for example 50:100 for 50 requests "
            "a second and 100 at the same time"
        )
    return Throttle(rate=int(match[1]), burst=int(match[2]))


def _list(name: str, value: object) -> tuple[str, ...]:
    words = value if isinstance(value, list) else _text(name, value).split(",")
    return tuple(_text(name, word).strip() for word in words)


def _path(name: str, value: object) -> Path:
    return (ROOT / _text(name, value)).resolve()


FROM_CONTEXT: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "service": _text,
    "account": _account,
    "model": _path,
    "report": _path,
    "signing_key": _text,
    "architecture": _text,
    "reserved_concurrency": _whole,
    "account_concurrency": _whole,
    "rollout": _text,
    "auth": _text,
    "jwt_issuer": _text,
    "jwt_audiences": _list,
    "open_pages": _yes,
    "principal_share": _whole,
    "cors_origins": _list,
    "web_acl_arn": _text,
    "domain_name": _text,
    "certificate_arn": _text,
    "hosted_zone_id": _text,
    "disable_execute_api_endpoint": _yes,
    "throttle": _throttle,
    "batch_throttle": _throttle,
    "feedback_throttle": _throttle,
    "event_retention_days": _whole,
    "event_text": _yes,
    "alarm_email": _text,
    "ticket_email": _text,
    "monthly_budget_usd": _whole,
    "retraining": _yes,
    "retraining_schedule": _text,
    "audit_site": _text,
    "audit_key_parameter": _text,
    "archive_scoring": _whole,
}
"""The settings that differ between accounts or releases, and how to read each of them. Others are
changed in settings.py, where a change is reviewed."""
