"""A Streamlit front end of the API: a form for the question, and the suggested tags.

Start it with scripts/streamlit. ETIQUETTE_API_URL is the address of the API. If the API requires a
bearer token, ETIQUETTE_API_TOKEN is that token.
"""

import json
import os
import re
import urllib.error
import urllib.request
from typing import Any

import streamlit as st

TIMEOUT_SECONDS = 15
HEALTH_SECONDS = 300
TEXT_BY_QUIET_REASON = {
    "too_few_known_words": "The model knows too few of these words. "
    "Name a language, a library or a tool.",
    "no_topic": "The question does not name its topic. Name a language, a library or a tool.",
    "not_sure": "The model is not sure enough to suggest a tag. Add an error message or some code.",
}


class ApiError(Exception):
    """The API returned no prediction: the message says why; `detail` explains it, or is empty."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


def main() -> None:
    """Draw the page. Streamlit calls this again after every interaction."""
    st.set_page_config(page_title="Etiquette")
    st.title("Etiquette")
    st.write("Get tags for your question.")
    if "operator" in st.query_params:
        show_health()
    with st.form("question"):
        title = st.text_input("Title", placeholder="Your question in one sentence")
        body = st.text_area(
            "Body", height=240, placeholder="What you tried and what happened. Code helps most."
        )
        is_submitted = st.form_submit_button("Suggest tags", type="primary")
    if is_submitted:
        show_tags(title, body)


def show_tags(title: str, body: str) -> None:
    """Show the tags of a question, or say why there are none."""
    empty = [name for name, text in (("title", title), ("body", body)) if not text.strip()]
    if len(empty) == 2:
        st.warning("The title and the body are empty. Write a question first.")
        return
    if empty:
        st.warning(f"The {empty[0]} is empty. The tags are based on the other field only.")
    try:
        with st.spinner("Reading your question…"):
            prediction = predict(title, body)
        suggestions = [(each["tag"], each["confidence"]) for each in prediction["suggestions"]]
    except ApiError as error:
        st.error(str(error))
        # st.text shows the text of another program as it is; st.write would read it as Markdown.
        st.text(error.detail)
        return
    if not suggestions:
        reason = prediction.get("quiet_reason", "not_sure")
        st.info(TEXT_BY_QUIET_REASON.get(reason, TEXT_BY_QUIET_REASON["not_sure"]))
        return
    with st.container(horizontal=True):
        for tag, confidence in suggestions:
            # A model is never certain, so the page never shows 100 %.
            st.badge(f"{escape_markdown(tag)} {min(confidence, 0.99):.0%}")
    st.caption("The percentage is the model's confidence in the tag.")


def show_health() -> None:
    """Show how the model does, which the operator sees at ``?operator``."""
    try:
        report = read_health(api_url())
    except ApiError as error:
        st.caption("The model's health is not known.")
        st.text(error.detail or str(error))
        return
    st.caption(f"The model's health. {escape_markdown(report['health'])}")


@st.cache_data(ttl=HEALTH_SECONDS, show_spinner=False)
def read_health(url: str) -> dict[str, Any]:
    """Request the monitor's newest report from an API; raises `ApiError`."""
    return call_api(f"{url}/model/health", expected=("health", str))


def predict(title: str, body: str) -> dict[str, Any]:
    """Request the prediction for a question from the API; raises `ApiError`."""
    return call_api(
        f"{api_url()}/predict", {"title": title, "body": body}, expected=("suggestions", list)
    )


def api_url() -> str:
    """Return the address of the API, without a slash at its end."""
    return os.environ.get("ETIQUETTE_API_URL", "http://127.0.0.1:8000").rstrip("/")


def call_api(
    url: str, body: dict[str, Any] | None = None, *, expected: tuple[str, type]
) -> dict[str, Any]:
    """Send a request to the API and return its JSON object.

    Parameters
    ----------
    url : str
        Of an operation.
    body : dict or None
        Sent as JSON with POST. None for a GET.
    expected : (str, type)
        A member that the answer of an Etiquette API has.

    Raises
    ------
    ApiError
        The API answered with an error, or not at all, or it is another API.
    """
    headers = {"content-type": "application/json", "accept": "application/json"}
    if token := os.environ.get("ETIQUETTE_API_TOKEN"):
        headers["authorization"] = f"Bearer {token}"
    if not url.startswith(("http://", "https://")):
        message = "ETIQUETTE_API_URL is not an http or https address. Correct it and start again."
        raise ApiError(message, url)
    request = urllib.request.Request(  # noqa: S310 (the scheme was checked)
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers=headers,
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            detail = read_detail(error.read())
        if error.code in (401, 403):
            message = "The API requires a bearer token. Set ETIQUETTE_API_TOKEN to a valid one."
            raise ApiError(message, detail) from None
        raise ApiError(f"The API answered with the error {error.code}.", detail) from None
    except (OSError, ValueError) as error:
        message = "The API does not answer. Check that it is running, and check ETIQUETTE_API_URL."
        raise ApiError(message, f"{url}: {error}") from None
    name, kind = expected
    if not isinstance(answer, dict) or not isinstance(answer.get(name), kind):
        message = "The server at ETIQUETTE_API_URL is not an Etiquette API. Correct the address."
        raise ApiError(message, url)
    return answer


def read_detail(content: bytes) -> str:
    """Return the explanation in a problem document or in API Gateway's own errors, else ""."""
    try:
        problem = json.loads(content)
    except ValueError:
        return ""
    if not isinstance(problem, dict):
        return ""
    return str(problem.get("detail") or problem.get("message") or "")


def escape_markdown(tag: str) -> str:
    """Escape characters that Markdown would interpret, as in ``c#``."""
    return re.sub(r"([^\w\s])", r"\\\1", tag)


if __name__ == "__main__":
    main()
