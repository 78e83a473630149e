"""Ask a running API for the tags of a question, and print the JSON response on one line."""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request


def main() -> int:
    """Send one request; with --wait-for, wait until the server of that process answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="the address of the API, such as http://127.0.0.1:8000")
    parser.add_argument("text", help="the question")
    parser.add_argument(
        "--wait-for",
        type=int,
        metavar="PID",
        help="the process ID of a server that was just started",
    )
    options = parser.parse_args()
    request = urllib.request.Request(  # noqa: S310 (the user gives the URL)
        f"{options.url.rstrip('/')}/predict",
        data=json.dumps({"text": options.text}).encode(),
        headers={"content-type": "application/json"},
    )
    deadline = time.monotonic() + (30 if options.wait_for else 0)
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                print(json.dumps(json.load(answer)))
                return 0
        except urllib.error.HTTPError as error:
            print(
                f"{options.url} returned status {error.code}: {error.read().decode()}",
                file=sys.stderr,
            )
            return 1
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline or not _runs(options.wait_for):
                print(f"{options.url} does not answer: {error}", file=sys.stderr)
                return 1
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
