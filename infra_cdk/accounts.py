"""The AWS account of each environment. This module imports nothing, so that every command reads it.

With an entry such as ``"prod": "111122223333"``, every command that changes something in this
environment refuses the credentials of another account. ``-c account=NUMBER`` does the same for a
single command.
"""

from collections.abc import Mapping
from typing import Final

ACCOUNTS: Final[Mapping[str, str]] = {}
