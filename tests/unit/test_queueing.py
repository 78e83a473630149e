"""How many requests may wait on a server, with requests that really come at once."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from lambda_src.api.app import create_app
from lambda_src.api.settings import Settings
from lambda_src.tagger import TagModel

QUESTION = {"text": "How do I merge two dictionaries in Python?"}
LIMIT = 3
AT_ONCE = 40


@pytest.fixture
def app(starter: TagModel) -> FastAPI:
    return create_app(starter, Settings(model="starter", service="test", max_waiting=LIMIT))


async def _with_client(app: FastAPI, use: Any) -> Any:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        return await use(client)


def run(app: FastAPI, use: Any) -> Any:
    """Run a coroutine function that gets a client of the application."""
    return asyncio.run(_with_client(app, use))


def ask(client: httpx2.AsyncClient) -> Coroutine[Any, Any, httpx2.Response]:
    return client.post("/predict", json=QUESTION)


def test_past_the_limit_requests_are_refused_with_a_problem(app: FastAPI) -> None:
    async def use(client: httpx2.AsyncClient) -> list[httpx2.Response]:
        return await asyncio.gather(*(ask(client) for _ in range(AT_ONCE)))

    answers = run(app, use)
    refused = [each for each in answers if each.status_code == 503]
    # One is being answered while LIMIT others wait.
    assert len(answers) - len(refused) == LIMIT + 1
    assert {each.status_code for each in answers} == {200, 503}
    for each in refused:
        assert each.headers["content-type"] == "application/problem+json"
        assert each.headers["retry-after"] == "1"
        assert each.json()["status"] == 503
        assert "Try again after 1 s" in each.json()["detail"]


def test_after_a_refusal_the_next_request_is_answered(app: FastAPI) -> None:
    async def use(client: httpx2.AsyncClient) -> int:
        for _ in range(3):
            await asyncio.gather(*(ask(client) for _ in range(AT_ONCE)))
        return (await ask(client)).status_code

    assert run(app, use) == 200


def test_a_refused_request_makes_no_other_wait_for_ever(app: FastAPI) -> None:
    async def use(client: httpx2.AsyncClient) -> list[int]:
        wrong = client.post("/predict", json={"text": ""})
        absent = client.post("/absent", json={})
        answers = await asyncio.gather(wrong, ask(client), absent, ask(client))
        return [each.status_code for each in answers]

    assert run(app, use) == [422, 200, 404, 200]


def test_a_health_check_is_answered_while_no_more_may_wait(app: FastAPI) -> None:
    async def use(client: httpx2.AsyncClient) -> list[int]:
        asked = (ask(client) for _ in range(AT_ONCE))
        *_, health, tags = await asyncio.gather(
            *asked, client.get("/health"), client.get("/tags?prefix=py")
        )
        return [health.status_code, tags.status_code]

    assert run(app, use) == [200, 200]


def test_slow_senders_keep_nobody_waiting(app: FastAPI) -> None:
    async def use(client: httpx2.AsyncClient) -> tuple[int, list[int]]:
        finish = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b'{"text": "a question about '
            await finish.wait()
            yield b'python"}'

        headers = {"content-type": "application/json"}
        slow = [
            asyncio.create_task(client.post("/predict", content=slowly(), headers=headers))
            for _ in range(LIMIT + 1)
        ]
        await asyncio.sleep(0)
        meanwhile = await ask(client)
        finish.set()
        return meanwhile.status_code, [each.status_code for each in await asyncio.gather(*slow)]

    assert run(app, use) == (200, [200] * (LIMIT + 1))


def test_a_request_that_is_cancelled_gives_up_its_place(app: FastAPI) -> None:
    async def use(client: httpx2.AsyncClient) -> list[int]:
        tasks = [asyncio.create_task(ask(client)) for _ in range(LIMIT + 1)]
        await asyncio.sleep(0)
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        answers = await asyncio.gather(*(ask(client) for _ in range(LIMIT + 1)))
        return [each.status_code for each in answers]

    assert run(app, use) == [200] * (LIMIT + 1)
