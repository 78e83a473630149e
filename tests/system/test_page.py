"""The web page in a real Chromium, with a real server."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, Route, expect

from tests.system.browser import Visit
from tests.system.page_parts import answering, asked, explanation, suggestion, tags
from tests.system.server import SECRET, Server

TITLE = f"How do I merge two dictionaries in Python? {SECRET}"
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


@pytest.fixture
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The options of the browser; by default its language is English."""
    return {"locale": "en-US", **getattr(request, "param", {})}


@pytest.fixture
def visit(browser: Browser, server: Server, options: dict[str, Any]) -> Iterator[Visit]:
    """Visit the page; at the end, check that there were no errors and no other hosts."""
    visit = Visit(browser, **options)
    visit.page.goto(server.url)
    yield visit
    assert visit.complaints == []
    assert visit.hosts() == {server.url.removeprefix("http://")}
    visit.context.close()


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit.page


def test_tags_appear_while_a_person_types(server: Server, visit: Visit) -> None:
    page, start = visit.page, server.logged()
    expect(page.locator("#state")).to_have_text("Suggested tags appear here while you write.")
    page.get_by_label("Title").press_sequentially("How do I merge two dictionaries", delay=20)
    assert asked(visit) < 10  # not one request for each key
    page.get_by_label("Title").press_sequentially(" in Python?", delay=20)
    expect(suggestion(page, "python")).to_be_visible()
    assert re.fullmatch(r"\d\d?%", page.locator(".percent").first.inner_text())
    widths = page.locator("#suggestions .accept .bar span").evaluate_all(
        "bars => bars.map(bar => parseFloat(bar.style.width))"
    )
    assert widths == sorted(widths, reverse=True)
    assert asked(visit) < 15
    page.get_by_label("Title").fill("Undo a commit")
    page.get_by_label("Details").fill("    git reset HEAD~1\n\nundoes the git commit.")
    expect(suggestion(page, "git")).to_be_visible()
    expect(suggestion(page, "python")).to_have_count(0)
    page.get_by_label("Title").fill("")
    page.get_by_label("Details").fill(" ")
    expect(page.locator("#state")).to_have_text("Suggested tags appear here while you write.")
    assert tags(page) == []
    assert server.lines(start) == []  # drafts write no events


def test_the_answer_to_the_newest_question_is_shown(page: Page) -> None:
    held: list[Route] = []

    def hold_git(route: Route) -> None:
        if "git" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/predict", hold_git)
    page.get_by_label("Title").fill("Undo the last git commit")
    expect(page.locator("#state")).to_have_text("Reading your question…")
    page.get_by_label("Title").fill("Merge two dictionaries in Python")
    expect(suggestion(page, "python")).to_be_visible()
    for route in held:
        with suppress(Error):  # the page has cancelled the request
            route.continue_()
    page.wait_for_timeout(500)
    assert held
    assert "git" not in tags(page)
    assert "python" in tags(page)


def test_texts_are_not_interpreted_as_html(visit: Visit) -> None:
    page = visit.page
    evil = {"tag": HOSTILE, "confidence": 0.9, "explanation": None}
    term = {"field": "title", "term": HOSTILE, "weight": 1.0}
    evil["explanation"] = {"score": 1, "intercept": 0, "terms": [term], "other_terms": 0}
    answers = [
        ("#suggestions .tag", {"status": 200, "json": {"suggestions": [evil]}}),
        ("#detail", {"status": 400, "json": {"detail": HOSTILE}}),
    ]
    for place, answer in answers:
        page.unroute("**/predict")
        page.route("**/predict", answering(**answer))
        page.locator("#title").fill(f"{HOSTILE} {answer['status']}")
        page.locator("#body").fill(HOSTILE)
        expect(page.locator(place)).to_have_text(HOSTILE)
        page.locator("#suggestions .ask-why").evaluate_all("all => all.forEach(b => b.click())")
    page.get_by_label("Add a tag").fill("<b>bold</b>")
    page.get_by_label("Add a tag").press("Enter")
    expect(page.locator("#own-help")).to_contain_text("without quotes")
    assert page.locator("img, main script, b").count() == 0
    assert page.title() == "Etiquette: tags for your question"
    [complaint] = visit.complaints
    assert "400" in complaint
    visit.complaints.clear()


def test_the_content_security_policy_forbids_html_from_text(
    browser: Browser, server: Server
) -> None:
    visit = Visit(browser)
    visit.page.goto(server.url)
    with suppress(Error):
        visit.page.evaluate("html => { document.body.innerHTML = html }", HOSTILE)
    assert "TrustedHTML" in " ".join(visit.complaints)
    assert visit.page.title() != "1"
    visit.context.close()


def test_tags_are_accepted_and_removed_with_the_keyboard(page: Page) -> None:
    page.get_by_label("Title").fill(TITLE)
    suggestion(page, "python").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 5")).to_be_visible()
    assert tags(page, "chosen") == ["python"]
    expect(suggestion(page, "python")).to_have_count(0)
    expect(page.locator("#spoken")).to_contain_text("python added.")
    # The focus moved to the next suggestion.
    assert page.evaluate("document.activeElement.className") == "accept"
    page.keyboard.press("Space")
    expect(page.get_by_text("2 of 5")).to_be_visible()
    page.get_by_role("button", name="Remove python").focus()
    page.keyboard.press("Enter")
    assert len(tags(page, "chosen")) == 1
    assert page.evaluate("document.activeElement.ariaLabel").startswith("Remove ")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Add a tag")).to_be_focused()
    expect(suggestion(page, "python")).to_be_visible()


def test_an_explanation_opens_on_hover_and_on_focus(page: Page) -> None:
    page.get_by_label("Title").fill(TITLE)
    why = explanation(page, "python")
    expect(suggestion(page, "python")).to_be_visible()
    expect(why).to_be_hidden()
    suggestion(page, "python").hover()
    expect(why).to_be_visible()
    expect(why.locator(".term").first).to_have_text("python")
    expect(why.locator(".number").first).to_have_text(re.compile(r"\+\d\.\d"))
    why.hover()  # the explanation stays open while a person reads it
    expect(why).to_be_visible()
    page.get_by_role("heading", level=1).hover()
    expect(why).to_be_hidden()

    page.get_by_label("Details").focus()
    page.keyboard.press("Tab")
    expect(suggestion(page, "python")).to_be_focused()
    expect(why).to_be_visible()
    page.keyboard.press("Escape")
    expect(why).to_be_hidden()
    page.keyboard.press("Tab")
    button = page.get_by_role("button", name="Why python?")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    expect(why).to_be_hidden()


def test_an_explanation_lingers_until_the_pointer_is_elsewhere(page: Page) -> None:
    page.get_by_label("Title").fill(TITLE)
    suggested = page.locator("#suggestions > li")
    expect(suggested.nth(1)).to_be_visible()
    first, second = (suggested.nth(place).locator(".why") for place in (0, 1))
    suggested.nth(0).locator(".accept").hover()
    expect(first).to_be_visible()
    for event in ("pointerleave", "pointerenter"):  # as when the list moves under the pointer
        suggested.nth(0).dispatch_event(event, {"pointerType": "mouse"})
    page.wait_for_timeout(400)
    expect(first).to_be_visible()
    suggested.nth(1).locator(".accept").hover()
    expect(second).to_be_visible()
    expect(first).to_be_hidden(timeout=1)
    page.get_by_role("heading", level=1).hover()
    expect(second).to_be_hidden()


def test_own_tags_are_completed_to_known_tags(page: Page) -> None:
    own = page.get_by_role("combobox", name="Add a tag of your own")
    own.press_sequentially("pyt")
    first = page.get_by_role("option").first
    expect(first).to_contain_text("python")
    expect(own).to_have_attribute("aria-expanded", "true")
    own.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(own).to_have_attribute("aria-activedescendant", "option-0")
    own.press("Enter")
    own.press_sequentially("My-Own c#,a ")
    expect(page.get_by_text("4 of 5")).to_be_visible()
    own.press_sequentially("java")
    page.get_by_role("option", name="javascript", exact=True).click()
    assert tags(page, "chosen") == ["python", "my-own", "c#", "a", "javascript"]
    expect(own).to_be_focused()
    own.press_sequentially("six ")
    expect(page.locator("#own-help")).to_contain_text("at most 5 tags")
    page.get_by_role("button", name="Remove c#").click()
    own.fill("a")
    own.press("Enter")
    expect(page.locator("#own-help")).to_have_text("a is already one of your tags.")


def test_a_synonym_is_completed_to_the_tag_that_it_means(page: Page) -> None:
    own = page.get_by_role("combobox", name="Add a tag of your own")
    own.press_sequentially("golang")
    expect(page.get_by_role("option").first).to_contain_text("also called golang")
    own.press("Enter")
    assert tags(page, "chosen") == ["go"]
    page.get_by_role("button", name="Français").click()
    own = page.get_by_role("combobox", name="Ajouter votre propre étiquette")
    own.press_sequentially("k8s")
    expect(page.get_by_role("option").first).to_contain_text("aussi appelée k8s")


def test_a_question_has_at_most_five_tags(page: Page) -> None:
    page.get_by_label("Title").fill(TITLE)
    expect(suggestion(page, "python")).to_be_visible()
    page.get_by_label("Add a tag").press_sequentially("a b c d e ")
    expect(suggestion(page, "python")).to_have_attribute("aria-disabled", "true")
    # Playwright's own click would wait until the button is enabled.
    suggestion(page, "python").dispatch_event("click")
    expect(page.locator("#own-help")).to_contain_text("at most 5 tags")
    assert tags(page, "chosen") == ["a", "b", "c", "d", "e"]


def test_ask_counts_one_prediction_and_sends_the_final_tags(server: Server, visit: Visit) -> None:
    page, start = visit.page, server.logged()
    page.get_by_label("Title").fill(TITLE)
    suggestion(page, "python").click()
    suggestion(page, "dictionary").click()
    page.get_by_label("Add a tag").fill("merging")
    page.get_by_role("button", name="Ask", exact=True).dblclick()
    expect(page.get_by_text("Thank you!")).to_be_visible()

    prediction, feedback = [each for each in server.lines(start) if "event_type" in each]
    assert (prediction["event_type"], feedback["event_type"]) == ("prediction", "feedback")
    assert feedback["prediction_id"] == prediction["prediction_id"]
    assert prediction["tags"][0] == "python"  # accepted tags are not excluded
    assert feedback["accepted"] == ["python", "dictionary"]
    assert feedback["final_tags"] == ["python", "dictionary", "merging"]

    # Other tags for the same question are feedback to the same prediction.
    start = server.logged()
    page.get_by_role("button", name="Remove dictionary").click()
    expect(page.get_by_text("Thank you!")).to_be_hidden()
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Thank you!")).to_be_visible()
    [again] = [each for each in server.lines(start) if "event_type" in each]
    assert again["prediction_id"] == prediction["prediction_id"]
    assert again["final_tags"] == ["python", "merging"]

    page.get_by_role("button", name="Ask another question").click()
    expect(page.get_by_label("Title")).to_have_value("")
    expect(page.get_by_label("Title")).to_be_focused()
    assert tags(page, "chosen") == []


def test_ask_says_what_is_missing(server: Server, page: Page) -> None:
    start = server.logged()
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#outcome")).to_have_text("Write a question first.")
    expect(page.get_by_label("Title")).to_be_focused()
    page.get_by_label("Title").fill(TITLE)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#outcome")).to_have_text("Choose at least one tag first.")
    expect(page.get_by_label("Add a tag")).to_be_focused()
    assert server.lines(start) == []


def test_failed_feedback_is_sent_again_without_a_second_prediction(
    browser: Browser, server: Server
) -> None:
    visit = Visit(browser)
    page = visit.page
    page.goto(server.url)
    start = server.logged()
    page.get_by_label("Title").fill(TITLE)
    suggestion(page, "python").click()
    page.route("**/feedback", answering(status=429, json={"message": "Slowly!"}))
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#outcome")).to_contain_text("could not be sent (error 429)")
    expect(page.locator("#outcome")).to_contain_text("Slowly!")
    page.unroute("**/feedback")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Thank you!")).to_be_visible()
    events = [each["event_type"] for each in server.lines(start) if "event_type" in each]
    assert events == ["prediction", "feedback"]
    visit.context.close()


def test_an_api_that_stops_answering_and_answers_again(browser: Browser, server: Server) -> None:
    visit = Visit(browser)
    page = visit.page
    page.goto(server.url)
    page.route("**/predict", lambda route: route.abort())
    page.get_by_label("Title").fill(TITLE)
    expect(page.locator("#state")).to_contain_text("does not answer")
    expect(page.locator("#spoken")).to_contain_text("does not answer")
    page.unroute("**/predict")
    page.route("**/predict", answering(status=503, json={"detail": "The model rests."}))
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#state")).to_contain_text("error 503")
    expect(page.locator("#detail")).to_have_text("The model rests.")
    page.unroute("**/predict")
    page.route("**/predict", answering(body="<html>Log in to this network"))
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#state")).to_contain_text("does not answer")
    page.unroute("**/predict")
    page.get_by_role("button", name="Try again").click()
    expect(suggestion(page, "python")).to_be_focused()
    expect(page.get_by_label("Title")).to_have_value(TITLE)
    visit.context.close()


def test_the_reason_for_no_suggestions_is_shown(page: Page) -> None:
    page.get_by_label("Title").fill("qwrtzp xkcdvv")
    expect(page.locator("#state")).to_contain_text("too few of these words")
    expect(page.locator("#spoken")).to_contain_text("too few of these words")
    # Which questions a model is not sure about changes with the model, so this answer is fixed.
    unsure = {"suggestions": [], "quiet_reason": "not_sure"}
    page.route("**/predict", answering(status=200, json=unsure))
    page.get_by_label("Title").fill("My thing is broken")
    expect(page.locator("#state")).to_contain_text("not sure enough")
    expect(page.locator("#spoken")).to_contain_text("not sure enough")


def test_a_question_that_is_too_long_is_not_sent(visit: Visit) -> None:
    page = visit.page
    page.get_by_label("Details").fill("é" * 33_000)
    expect(page.locator("#state")).to_have_text(
        "Your question is too long: it has 64.5 KB, and the limit is 64 KB. Shorten it to get tags."
    )
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#outcome")).to_contain_text("too long")
    assert asked(visit) == 0


@pytest.mark.parametrize("options", [{"locale": "fr-CA"}], indirect=True)
def test_the_language_can_be_switched_to_french_and_back(page: Page) -> None:
    html = page.locator("html")
    expect(html).to_have_attribute("lang", "fr")
    expect(page.get_by_role("heading", level=1)).to_have_text("Quelle est votre question\u202f?")
    page.get_by_label("Titre").fill(TITLE)
    page.get_by_role("button", name=re.compile("^Ajouter python ")).click()
    page.get_by_role("button", name="Poser la question").click()
    expect(page.get_by_text("Merci\u202f!")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(html).to_have_attribute("lang", "en")
    expect(page.get_by_text("Thank you!")).to_be_visible()
    assert tags(page, "chosen") == ["python"]
    page.reload()
    expect(html).to_have_attribute("lang", "en")
    expect(page.get_by_role("button", name="English")).to_have_attribute("aria-pressed", "true")


def test_the_example_button_never_replaces_a_person_s_own_text(page: Page) -> None:
    example = page.get_by_role("button", name="Try an example")
    titles = set()
    for tag in ("pandas", "css", "git"):
        example.click()
        expect(suggestion(page, tag)).to_be_visible()
        titles.add(page.get_by_label("Title").input_value())
    assert len(titles) == 3
    page.get_by_label("Details").press_sequentially("my own words")
    expect(example).to_be_hidden()
    page.get_by_label("Details").fill("")
    page.get_by_label("Title").fill("")
    expect(example).to_be_visible()


def test_the_page_works_under_a_path(browser: Browser, server: Server) -> None:
    visit = Visit(browser)
    visit.page.route(
        "**/stage/**",
        lambda route: route.fulfill(
            response=route.fetch(url=route.request.url.replace("/stage/", "/"))
        ),
    )
    visit.page.goto(f"{server.url}/stage/")
    visit.page.get_by_label("Title").fill(TITLE)
    suggestion(visit.page, "python").click()
    visit.page.get_by_role("button", name="Ask", exact=True).click()
    expect(visit.page.get_by_text("Thank you!")).to_be_visible()
    assert all("/stage/" in url for url in visit.requests if not url.startswith("data:"))
    assert visit.complaints == []
    visit.context.close()
