"""A Streamlit front end of the API: title, body, a button and the tags.

ETIQUETTE_API_URL is the address of the API, ETIQUETTE_API_TOKEN a bearer token if the API needs
one. Start it with scripts/streamlit.
"""

import json
import os
import re
import urllib.error
import urllib.request
from typing import Any

import streamlit as st

TIMEOUT_SECONDS = 15
QUIET_REASONS = {
    "too_few_known_words": "The model knows too few of these words. "
    "Name a language, a library or a tool.",
    "no_topic": "There is nothing to go by yet. Name a language, a library or a tool.",
    "not_sure": "The model is not sure enough to suggest anything. "
    "An error message or some code would help.",
}


class ApiError(Exception):
    """The API returned no tags: the message says why, `detail` is the API's own explanation."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


def main() -> None:
    """Draw the page. Streamlit calls this again after every interaction."""
    st.set_page_config(page_title="Etiquette")
    st.title("Etiquette")
    st.write("Tags for your question.")
    with st.form("question"):
        title = st.text_input("Title", placeholder="Your question in one sentence")
        body = st.text_area(
            "Body", height=240, placeholder="What you tried and what happened. Code helps most."
        )
        asked = st.form_submit_button("Suggest tags", type="primary")
    if asked:
        answer(title, body)


def answer(title: str, body: str) -> None:
    """Show the tags of a question, or why there are none."""
    missing = [name for name, text in (("title", title), ("body", body)) if not text.strip()]
    if len(missing) == 2:
        st.warning("Title and body are empty: write a question first.")
        return
    if missing:
        st.warning(f"The {missing[0]} is empty: the tags come from the other field alone.")
    try:
        with st.spinner("Reading your question…"):
            prediction = predict(title, body)
        suggestions = [(each["tag"], each["confidence"]) for each in prediction["suggestions"]]
    except ApiError as error:
        st.error(str(error))
        # Text of another program must not be interpreted as Markdown.
        st.text(error.detail)
        return
    if not suggestions:
        st.info(QUIET_REASONS.get(prediction.get("quiet_reason", ""), QUIET_REASONS["not_sure"]))
        return
    with st.container(horizontal=True):
        for tag, confidence in suggestions:
            # Never show 100 %: no prediction is certain.
            st.badge(f"{as_text(tag)} {min(confidence, 0.99):.0%}")
    st.caption("With how sure the model is of each.")


def predict(title: str, body: str) -> dict[str, Any]:
    """Ask the API for the tags of a question; raises `ApiError`."""
    url = os.environ.get("ETIQUETTE_API_URL", "http://127.0.0.1:8000").rstrip("/")
    headers = {"content-type": "application/json", "accept": "application/json"}
    if token := os.environ.get("ETIQUETTE_API_TOKEN"):
        headers["authorization"] = f"Bearer {token}"
    if not url.startswith(("http://", "https://")):
        raise ApiError("ETIQUETTE_API_URL is not an http or https address.", url)
    request = urllib.request.Request(  # noqa: S310 (the scheme was checked)
        f"{url}/predict",
        data=json.dumps({"title": title, "body": body}).encode(),
        headers=headers,
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            found = json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            detail = detail_of(error.read())
        if error.code in (401, 403):
            message = "The API wants a bearer token: set ETIQUETTE_API_TOKEN to a valid one."
            raise ApiError(message, detail) from None
        raise ApiError(f"The API answered with an error ({error.code}).", detail) from None
    except (OSError, ValueError) as error:
        message = "The API does not answer. Is it running, and is ETIQUETTE_API_URL right?"
        raise ApiError(message, f"{url}: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("suggestions"), list):
        raise ApiError("What answers at ETIQUETTE_API_URL is not Etiquette.", url)
    return found


def detail_of(content: bytes) -> str:
    """Return the explanation in a problem document or in an API Gateway error, if there is one."""
    try:
        problem = json.loads(content)
    except ValueError:
        return ""
    known = problem if isinstance(problem, dict) else {}
    return str(known.get("detail") or known.get("message") or "")


def as_text(tag: str) -> str:
    """Escape the characters of a tag such as ``c#`` that Markdown interprets."""
    return re.sub(r"([^\w\s])", r"\\\1", tag)


if __name__ == "__main__":
    main()
