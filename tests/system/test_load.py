"""Many requests at once or after each other: short versions of scripts/bench load and soak."""

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from scripts.benchmarks.keep_alive import Connection
from scripts.benchmarks.open_loop import LambdaFront, Outcome, ServerFront, open_loop
from scripts.benchmarks.request_mix import HttpRequest, questions, suggestions
from scripts.benchmarks.running_services import Copy, Server, Service, copies, server
from scripts.benchmarks.soak import Record, soak
from scripts.emulator.local_aws import LocalAws

REQUESTS = 1_000
SAMPLES = 25
LIMIT = 5
AT_ONCE = 40


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("limited") / "log"
    with server(log, ETIQUETTE_MAX_WAITING=str(LIMIT)) as running:
        yield running


@pytest.fixture(scope="module")
def copy(aws: LocalAws, image: str) -> Iterator[Copy]:
    with copies(aws.engine, image, 1) as (running,):
        yield running


def endured(service: Service) -> Record:
    # No request waits for its time: the rate is higher than any machine's.
    return asyncio.run(soak(service, rate=REQUESTS * 1_000, seconds=1 / 1_000, samples=SAMPLES))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells what is held")
def test_a_server_s_memory_and_files_stay_the_same(limited: Server) -> None:
    record = endured(limited)
    assert record.requests == REQUESTS
    assert record.complaints() == []


def test_the_image_s_memory_and_files_stay_the_same(copy: Copy) -> None:
    record = endured(copy)
    assert record.requests == REQUESTS
    assert record.complaints() == []


def test_past_its_limit_a_server_refuses_at_once(limited: Server) -> None:
    batch = json.dumps({"questions": questions()}).encode()
    headers = {"content-type": "application/json"}

    async def flood() -> list[tuple[int, bytes]]:
        opened = [await Connection.open(limited.host) for _ in range(AT_ONCE)]
        # While the server is stopped, the requests arrive, and none is answered.
        limited.signal(signal.SIGSTOP)
        try:
            asked = [
                asyncio.create_task(each.exchange("POST", "/predict/batch", batch, headers))
                for each in opened
            ]
            await asyncio.sleep(0.2)
        finally:
            limited.signal(signal.SIGCONT)
        answers = await asyncio.gather(*asked)
        for each in opened:
            await each.aclose()
        return answers

    answers = asyncio.run(flood())
    refused = [json.loads(body) for status, body in answers if status == 503]
    served = [body for status, body in answers if status == 200]
    assert len(refused) + len(served) == AT_ONCE
    assert len(served) > LIMIT
    assert refused
    assert {each["status"] for each in refused} == {503}
    request = next(suggestions())
    assert asyncio.run(ask(limited, request)) == 200


async def ask(service: Service, request: HttpRequest) -> int:
    async with aclosing(await Connection.open(service.host)) as connection:
        status, _ = await service.send(connection, request)
    return status


def test_requests_arrive_whether_others_were_answered_or_not(limited: Server) -> None:
    async def measure() -> Outcome:
        async with aclosing(ServerFront(limited)) as front:
            return await open_loop(front, suggestions(), rate=100, seconds=2)

    outcome = asyncio.run(measure())
    assert outcome.statuses.total() > 100
    assert outcome.failures == 0
    assert len(outcome.latencies) == outcome.statuses[200] > 0
    assert outcome.percentile(0.5) <= outcome.percentile(0.99)


def test_a_copy_gets_one_request_at_a_time(copy: Copy) -> None:
    async def flood() -> list[int]:
        requests = suggestions()
        async with aclosing(LambdaFront([copy])) as front:
            return await asyncio.gather(*(front.ask(next(requests)) for _ in range(AT_ONCE)))

    assert sorted(asyncio.run(flood())) == [200] + [503] * (AT_ONCE - 1)
