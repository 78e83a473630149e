from collections.abc import Iterator

import pytest

from model_build.collect.errors import CollectError, QuotaUsedUpError
from model_build.collect.stack_exchange import StackExchange
from tests.support.stack_exchange import (
    KEY,
    FakeClock,
    StackExchangeServer,
    question,
    serve_stack_exchange,
)

START = 1_600_000_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> Iterator[StackExchangeServer]:
    questions = [question(number, START + number * 60) for number in range(1, 151)]
    with serve_stack_exchange(StackExchangeServer(questions, clock.now)) as running:
        yield running


def client_of(
    server: StackExchangeServer, clock: FakeClock, *, site: str = "cooking", key: str | None = None
) -> StackExchange:
    return StackExchange(
        site, base_url=server.url, key=key, now=clock.now, sleep=clock.sleep, say=lambda line: None
    )


def test_pages_are_in_order_and_say_whether_there_are_more(
    server: StackExchangeServer, clock: FakeClock
) -> None:
    client = client_of(server, clock)
    first = client.questions(START, START + 10_000)
    second = client.questions(START, START + 10_000, page=2)
    ids = [item["question_id"] for item in first.items + second.items]
    assert ids == list(range(1, 151))
    assert (first.has_more, second.has_more) == (True, False)
    assert client.remaining == 298


def test_titles_and_names_are_unescaped_and_bodies_are_kept(
    server: StackExchangeServer, clock: FakeClock
) -> None:
    client = client_of(server, clock)
    row = client.row(client.questions(START, START + 60).items[0])
    assert row["title"] == 'How do I "sort" list 1?'
    assert row["owner_name"] == "Ann & Bob"
    assert "a &lt; b" in str(row["body_html"])
    assert (row["id"], row["owner_id"], row["site"]) == (1, 1001, "cooking")


def test_the_quota_and_the_number_of_questions(
    server: StackExchangeServer, clock: FakeClock
) -> None:
    client = client_of(server, clock)
    assert client.quota() == (299, 300)
    assert client.count(START, START + 600) == 10


def test_backoff_is_waited_out(server: StackExchangeServer, clock: FakeClock) -> None:
    server.backoffs.extend([30, 0, 10])
    client = client_of(server, clock)
    for _ in range(4):
        client.questions(START, START + 10_000)
    assert server.violations == 0
    assert sum(clock.slept) >= 40


def test_backoff_holds_for_its_own_method_only(
    server: StackExchangeServer, clock: FakeClock
) -> None:
    server.backoffs.append(30)
    client = client_of(server, clock)
    client.questions(START, START + 60)
    client.quota()
    assert sum(clock.slept) < 5


@pytest.mark.parametrize(
    "failure", ["html", "drop", "cut", "temporary", "internal", "throttle:17", "throttle:0"]
)
def test_failures_that_pass_are_waited_out(
    failure: str, server: StackExchangeServer, clock: FakeClock
) -> None:
    server.failures.extend([failure, failure])
    client = client_of(server, clock)
    assert len(client.questions(START, START + 60).items) == 1
    assert sum(clock.slept) >= (34 if failure == "throttle:17" else 12)


@pytest.mark.parametrize("failure", ["html", "drop", "throttle:17"])
def test_the_client_gives_up_after_several_failures(
    failure: str, server: StackExchangeServer, clock: FakeClock
) -> None:
    server.failures.extend([failure] * 6)
    with pytest.raises(CollectError, match=r"failed 6 times.*Run the same command again"):
        client_of(server, clock).questions(START, START + 60)
    assert server.counts["questions"] == 6


def test_a_used_up_quota_stops_at_once_and_says_when_to_go_on(
    server: StackExchangeServer, clock: FakeClock
) -> None:
    server.quota = 0
    with pytest.raises(QuotaUsedUpError, match="answers again in 12 h 0 min"):
        client_of(server, clock).questions(START, START + 60)
    assert server.counts["questions"] == 1


def test_page_26_needs_a_key(server: StackExchangeServer, clock: FakeClock) -> None:
    with pytest.raises(CollectError, match=r"access_denied.*--key"):
        client_of(server, clock).questions(START, START + 60, page=26)
    assert client_of(server, clock, key=KEY).questions(START, START + 60, page=26).items == []


def test_a_wrong_site_and_a_wrong_key_are_refused_without_another_attempt(
    server: StackExchangeServer, clock: FakeClock
) -> None:
    with pytest.raises(CollectError, match=r"'kooking'.*No site found"):
        client_of(server, clock, site="kooking").quota()
    with pytest.raises(CollectError, match="known application") as caught:
        client_of(server, clock, key="secret").quota()
    assert "secret" not in str(caught.value)
    assert server.counts["info"] == 2


def test_a_server_that_is_not_there(clock: FakeClock) -> None:
    nobody = StackExchangeServer([])
    nobody.url = "http://127.0.0.1:1/2.3"
    with pytest.raises(CollectError, match="no connection"):
        client_of(nobody, clock).quota()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "api.stackexchange.com", "http://[", ""])
def test_addresses_that_are_not_http_are_refused(url: str) -> None:
    with pytest.raises(CollectError, match="not an address"):
        StackExchange("cooking", base_url=url)


@pytest.mark.parametrize("site", ["", "../x", "Cooking", "a b", "a&key=1"])
def test_names_that_no_site_has_are_refused(site: str) -> None:
    with pytest.raises(CollectError, match="not the name of a site"):
        StackExchange(site)


def test_synonyms_come_from_all_pages(server: StackExchangeServer, clock: FakeClock) -> None:
    server.synonyms = [(f"old-{number}", f"new-{number}") for number in range(120)]
    assert list(client_of(server, clock).synonyms()) == server.synonyms


@pytest.mark.parametrize("method", ["questions", "info"])
def test_an_answer_of_another_server_is_an_error(
    method: str, server: StackExchangeServer, clock: FakeClock
) -> None:
    server.failures.append("another")
    client = client_of(server, clock)
    with pytest.raises(CollectError, match="Check the address of the API"):
        client.quota() if method == "info" else client.questions(START, START + 60)
