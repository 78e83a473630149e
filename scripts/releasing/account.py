"""The AWS account that a command acts on. People see it before they agree to anything."""

from dataclasses import dataclass
from typing import Self

from botocore.exceptions import ClientError

from infra_cdk.accounts import ACCOUNTS
from scripts.releasing.errors import ReleaseError
from scripts.releasing.target import Target


@dataclass(frozen=True)
class Account:
    """An AWS account and a region."""

    number: str
    alias: str | None
    """None if the account has no alias, or if the credentials may not read it."""
    region: str

    @classmethod
    def of(cls, target: Target) -> Self:
        """Return the account of the credentials in use."""
        client = target.client("sts")
        try:
            aliases = target.client("iam").list_account_aliases()["AccountAliases"]
        except ClientError:
            aliases = []
        return cls(
            number=client.get_caller_identity()["Account"],
            alias=next(iter(aliases), None),
            region=client.meta.region_name,
        )

    @classmethod
    def expected(cls, target: Target) -> Self:
        """Return the account of the credentials, if the target's environment is in it.

        Raises
        ------
        ReleaseError
            If infra_cdk/accounts.py or `-c account=` names another account.
        """
        account = cls.of(target)
        given = target.context.get("account", "default")
        named = ACCOUNTS.get(target.environment) if given == "default" else given
        account.refuse_unless(named, target)
        return account

    @property
    def name(self) -> str:
        """The number, and the alias if there is one."""
        alias = f" ({self.alias})" if self.alias else ""
        return f"account {self.number}{alias}"

    def __str__(self) -> str:
        return f"{self.name}, region {self.region}"

    def refuse_unless(self, expected: str | None, target: Target) -> None:
        """Raise an error if an environment names another account.

        Parameters
        ----------
        expected
            The account that the setting `account` names, if it names one.
        target
            The deployment that a command acts on.

        Raises
        ------
        ReleaseError
            If the account is another one.
        """
        if expected not in {None, self.number}:
            raise ReleaseError(
                f"{target.stack} belongs to account {expected} (setting account, "
                f"infra_cdk/accounts.py), but the credentials are those of {self}. Set AWS_PROFILE "
                f"to a profile of account {expected}."
            )
