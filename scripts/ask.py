"""Send a question to a running Etiquette API and print its answer as one line of JSON."""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request

_TIMEOUT_SECONDS = 10
_START_SECONDS = 30


def main() -> int:
    """Send the question; with --wait-for, repeat it until the started server answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="the address of the API, such as http://127.0.0.1:8000")
    parser.add_argument("text", help="the question")
    parser.add_argument(
        "--wait-for",
        type=int,
        metavar="PID",
        help="the process of a server that is starting: wait up to "
        f"{_START_SECONDS} s for its first answer, as long as the process runs",
    )
    options = parser.parse_args()
    request = urllib.request.Request(  # noqa: S310 (the caller chooses the address)
        f"{options.url.rstrip('/')}/predict",
        data=json.dumps({"text": options.text}).encode(),
        headers={"content-type": "application/json"},
    )
    deadline = time.monotonic() + (_START_SECONDS if options.wait_for else 0)
    while True:
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
                print(json.dumps(json.load(response)))
                return 0
        except urllib.error.HTTPError as error:
            print(
                f"{options.url} answered with the error {error.code}: {error.read().decode()}",
                file=sys.stderr,
            )
            return 1
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline or not _is_running(options.wait_for):
                print(
                    f"{options.url} does not answer: {error}. "
                    "Check the address, and that the server is running.",
                    file=sys.stderr,
                )
                return 1
        time.sleep(0.1)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
