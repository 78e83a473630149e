"""What the checks ask: a deployment in an AWS account or on the emulator."""

from typing import Any, NamedTuple, Protocol


class Reply(NamedTuple):
    """The answer to an HTTP request."""

    status: int
    """0 if there was no answer."""
    body: bytes
    failure: str = ""
    """Why there was no answer."""

    def __str__(self) -> str:
        if self.status:
            return f"the status is {self.status}"
        return f"there was no answer: {self.failure}"


class Deployed(Protocol):
    """One deployment, as the checks see it."""

    @property
    def environment(self) -> str:
        """`dev`, `prod` or `emulator`."""

    @property
    def stack(self) -> str:
        """The name of the stack."""

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack, by name."""

    def client(self, service: str) -> Any:
        """Return a boto3 client for a service of the deployment's account."""

    def request(self, path: str, body: Any = None, *, with_credentials: bool = True) -> Reply:
        """Send a request to the public URL.

        Parameters
        ----------
        path
            For example `/health`.
        body
            Sent as JSON with POST. Without a body, the request is a GET.
        with_credentials
            Whether to send the token, or to sign the request, where the API requires it.
        """
