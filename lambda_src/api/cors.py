"""Cross-origin requests: which web pages may call the API and read its answers (CORS)."""

from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from lambda_src.api import correlation
from lambda_src.api.problems import problem_response

METHODS: Final = ("GET", "HEAD", "POST")
HEADERS: Final = (
    *("content-type", "authorization", correlation.HEADER, "if-none-match", "x-requested-with"),
    # Of a request with a signature (auth=iam): "Create a signed AWS API request",
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    *("x-amz-date", "x-amz-security-token", "x-amz-content-sha256"),
    # Monitoring scripts of a page add these to each of its requests.
    *("traceparent", "tracestate", "x-amzn-trace-id"),
)
"""The headers that a page may send, besides those that every page may send anywhere."""
_ADVICE: Final = {
    "origin": "The operator of the service lists the origins of the pages that may call it in the "
    "setting cors_origins.",
    "method": f"Pages may use {', '.join(METHODS)}.",
    "headers": f"Pages may send the headers {', '.join(HEADERS)}.",
}


class Cors(CORSMiddleware):
    """ASGI middleware for CORS, which refuses preflight requests with a problem.

    It must enclose everything that answers: without its headers, a browser hides an error's text
    from the page, and reports only that the request failed.

    Parameters
    ----------
    app : ASGI application
        Handles all requests except preflights.
    origins : tuple of str
        The origins of the pages that may call the API; ``*`` allows all pages.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=HEADERS,
            expose_headers=[correlation.HEADER, "retry-after"],
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            if "origin" in headers and "access-control-request-method" in headers:
                response = self.preflight_response(request_headers=headers)
                if response.status_code >= 400:
                    cause = bytes(response.body).decode()
                    advice = [text for word, text in _ADVICE.items() if word in cause]
                    detail = " ".join([f"{cause}.", *advice])
                    kept = {
                        name: value
                        for name, value in response.headers.items()
                        if name not in ("content-length", "content-type")
                    }
                    response = problem_response(scope, 400, detail, headers=kept)
                response.headers[correlation.HEADER] = correlation.correlation_id(scope)
                await response(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
