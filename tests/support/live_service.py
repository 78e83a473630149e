"""The real API on a port of this machine, without a server package.

The port also answers as AWS does when somebody invokes the function, at the path of Lambda's API.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from starlette.testclient import TestClient

from lambda_src.api.app import create_app
from lambda_src.api.settings import Settings
from lambda_src.tagger import TagModel

ALIAS = "arn:aws:lambda:eu-west-1:111122223333:function:etiquette:live"


class LiveService:
    """The state of the service: what a test prepares, and what it looks at afterwards."""

    def __init__(self, model: TagModel) -> None:
        self.client = TestClient(create_app(model, Settings(model="starter", service="audited")))
        self.url = ""
        self.failures: list[int] = []
        """The statuses of the next answers; 0 drops the connection. They are those of AWS if the
        function is invoked."""
        self.function_fails = False
        """Whether an invoked function raises an exception."""
        self.headers: list[dict[str, str]] = []
        """Of each request, with names in lower case."""
        self.bodies: list[bytes] = []


@contextmanager
def serve_model(service: LiveService) -> Iterator[LiveService]:
    """Serve on a free port; the service's `url` is its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            path, invoked = self.path, self.path.endswith("/invocations")
            if invoked:
                event = json.loads(content)
                path, content = event["rawPath"], event["body"].encode()
            service.headers.append({name.lower(): value for name, value in self.headers.items()})
            service.bodies.append(content)
            if service.failures:
                status, body = service.failures.pop(0), b'{"message": "Forbidden"}'
                if not status:
                    self.close_connection = True
                    return
            else:
                answer = service.client.post(
                    path, content=content, headers={"content-type": "application/json"}
                )
                status, body = answer.status_code, answer.content
                if invoked:
                    returned = {"statusCode": status, "body": answer.text}
                    status, body = 200, json.dumps(returned).encode()
            self.send_response(status)
            if service.function_fails:
                self.send_header("x-amz-function-error", "Unhandled")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    service.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield service
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def invoke_instead_of_aws(service: LiveService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let AWS's clients invoke the service as a function."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", service.url)
