import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path

import pytest

from model_build.__main__ import main
from model_build.collect import from_api
from model_build.collect.errors import CollectError
from model_build.collect.months import MonthFiles
from model_build.collect.stack_exchange import StackExchange
from model_build.collect.windows import Range, joined, missing, walk
from model_build.commands.collect import start_of
from model_build.corpus import Rejects, read_corpus
from tests.support.collected import all_ids, rows_by_file
from tests.support.paths import ROOT
from tests.support.stack_exchange import (
    FakeClock,
    StackExchangeServer,
    question,
    serve_stack_exchange,
)

START = start_of(date(2026, 1, 1))
WANTED = Range(START, start_of(date(2026, 4, 1)))
HOUR = 3600


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> Iterator[StackExchangeServer]:
    questions = [question(number, START + number * 2 * HOUR) for number in range(1, 951)]
    with serve_stack_exchange(StackExchangeServer(questions, clock.now)) as running:
        yield running


def client_of(server: StackExchangeServer, clock: FakeClock) -> StackExchange:
    return StackExchange(
        "cooking", base_url=server.url, now=clock.now, sleep=clock.sleep, say=lambda line: None
    )


def run(client: StackExchange, folder: Path, wanted: Range = WANTED) -> str:
    """Collect into a folder; return what the command says beforehand."""
    with MonthFiles(folder, "cooking") as months, Rejects(folder / "rejects") as rejects:
        progress = from_api.Progress(months)
        plan = from_api.plan(client, wanted, progress)
        from_api.collect(client, plan, months, progress, rejects)
    return from_api.describe(plan, client, wanted)


def command(server: StackExchangeServer, folder: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "model_build", "collect", "api", "--site", "cooking"),
        *("--base-url", server.url, "--out", str(folder)),
        *("--since", "2026-01-01", "--until", "2026-04-01"),
    ]


def test_every_question_of_the_period_is_collected_once(
    server: StackExchangeServer, clock: FakeClock, tmp_path: Path
) -> None:
    server.questions.append(question(2_000, WANTED.until))
    server.questions.append(question(2_001, WANTED.since - 1))
    text = run(client_of(server, clock), tmp_path)
    assert text.startswith("cooking: 951 questions to collect from 2026-01-01 to 2026-04-01")
    assert text.endswith("The quota allows 298 more today: enough for all.")
    assert all_ids(tmp_path) == list(range(1, 951))
    assert list(rows_by_file(tmp_path)) == ["2026-01", "2026-02", "2026-03"]
    with Rejects(tmp_path / "rejects") as rejects:
        found = read_corpus([tmp_path], rejects)
    assert found[0].title == 'How do I "sort" list 1?'
    assert found[0].site == "cooking"


def test_a_finished_period_is_not_asked_for_again(
    server: StackExchangeServer, clock: FakeClock, tmp_path: Path
) -> None:
    client = client_of(server, clock)
    run(client, tmp_path, Range(START, start_of(date(2026, 2, 1))))
    server.requests.clear()
    assert "collected already" in run(client, tmp_path, Range(START, start_of(date(2026, 2, 1))))
    assert [method for method, _ in server.requests] == ["info"]
    run(client, tmp_path)
    assert all_ids(tmp_path) == list(range(1, 951))
    asked = [int(each["fromdate"]) for method, each in server.requests if method == "questions"]
    assert min(asked) == start_of(date(2026, 2, 1))


def test_deleted_questions_hide_no_others(
    server: StackExchangeServer, clock: FakeClock, tmp_path: Path
) -> None:
    server.deletions = {3: {5, 6, 7}, 5: set(range(200, 250)), 6: {1}}
    run(client_of(server, clock), tmp_path)
    found = set(all_ids(tmp_path))
    assert set(range(1, 951)) - found <= {*range(200, 250)}
    assert len(found) == len(all_ids(tmp_path))


def test_more_questions_in_a_second_than_a_page_holds(
    server: StackExchangeServer, clock: FakeClock
) -> None:
    same = [question(5_000 + number, START + 500 * HOUR) for number in range(730)]
    server.questions += same
    steps = list(walk(client_of(server, clock), WANTED))
    ids = [item["question_id"] for step in steps for item in step.items]
    assert sorted(ids) == [*range(1, 951), *range(5_000, 5_730)]
    assert [step.walked for step in steps] == sorted(step.walked for step in steps)


def test_no_page_is_above_25_without_a_key(
    server: StackExchangeServer, clock: FakeClock, tmp_path: Path
) -> None:
    server.questions = [question(number, START + number) for number in range(1, 4_001)]
    run(client_of(server, clock), tmp_path)
    assert all_ids(tmp_path) == list(range(1, 4_001))
    assert {each.get("page", "1") for _, each in server.requests} == {"1"}


@pytest.mark.parametrize("failing", range(1, 12))
def test_a_run_that_fails_at_any_request_goes_on_without_loss_or_doubles(
    failing: int, server: StackExchangeServer, clock: FakeClock, tmp_path: Path
) -> None:
    server.failures.extend(["ok"] * failing + ["html"] * 6)
    client = client_of(server, clock)
    with pytest.raises(CollectError, match="failed 6 times"):
        run(client, tmp_path)
    kept = all_ids(tmp_path)
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) >= 90 * (failing - 3)
    run(client, tmp_path)
    assert all_ids(tmp_path) == list(range(1, 951))


def test_a_used_up_quota_keeps_what_was_collected(
    server: StackExchangeServer, clock: FakeClock, tmp_path: Path
) -> None:
    server.quota = 7
    client = client_of(server, clock)
    with pytest.raises(CollectError, match="no more requests today"):
        run(client, tmp_path)
    kept = len(all_ids(tmp_path))
    assert 450 <= kept <= 500
    server.quota = 300
    text = run(client_of(server, clock), tmp_path)
    assert f"cooking: {951 - kept} questions to collect" in text
    assert all_ids(tmp_path) == list(range(1, 951))


def test_the_plan_says_how_many_questions_the_quota_allows(
    server: StackExchangeServer, clock: FakeClock, tmp_path: Path
) -> None:
    server.quota = 5
    client = client_of(server, clock)
    with MonthFiles(tmp_path, "cooking") as months:
        plan = from_api.plan(client, WANTED, from_api.Progress(months))
    text = from_api.describe(plan, client, WANTED)
    assert "The quota allows 3 more today: enough for about 294 questions" in text
    assert "run the same command on 1 more day, or read the site's dump" in text


def test_a_month_whose_file_was_removed_is_collected_again(
    server: StackExchangeServer, clock: FakeClock, tmp_path: Path
) -> None:
    run(client_of(server, clock), tmp_path)
    (tmp_path / "2026-02.parquet").unlink()
    run(client_of(server, clock), tmp_path)
    assert all_ids(tmp_path) == list(range(1, 951))


def test_lost_or_damaged_progress_loses_and_doubles_nothing(
    server: StackExchangeServer, clock: FakeClock, tmp_path: Path
) -> None:
    run(client_of(server, clock), tmp_path)
    progress = tmp_path / "collected.json"
    progress.write_text("{")
    with pytest.raises(CollectError, match="Remove the file"):
        run(client_of(server, clock), tmp_path)
    progress.unlink()
    run(client_of(server, clock), tmp_path)
    assert all_ids(tmp_path) == list(range(1, 951))


def test_a_full_disk_loses_nothing(
    server: StackExchangeServer,
    clock: FakeClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = client_of(server, clock)
    replace, calls = Path.replace, count()

    def replace_until_the_disk_is_full(path: Path, target: Path) -> Path:
        if next(calls) == 1:  # of the second month
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace_until_the_disk_is_full)
        with pytest.raises(CollectError, match=r"cannot write the questions.*run the same command"):
            run(client, tmp_path)
    assert all_ids(tmp_path) == sorted(set(all_ids(tmp_path)))
    run(client, tmp_path)
    assert all_ids(tmp_path) == list(range(1, 951))


def test_an_interruption_after_the_files_are_written_doubles_nothing(
    server: StackExchangeServer,
    clock: FakeClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(from_api.Progress, "record", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(client_of(server, clock), tmp_path)
    assert len(all_ids(tmp_path)) == 950
    run(client_of(server, clock), tmp_path)
    assert all_ids(tmp_path) == list(range(1, 951))


def test_rejected_questions_of_an_earlier_run_are_kept(
    server: StackExchangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server.questions = [
        question(1, START, title=""),
        question(2, START + 1),
        question(3, START + 40 * 24 * HOUR, tags=[]),
    ]
    arguments = [*command(server, Path())[3:], "--since", "2026-01-01", "--until"]
    assert main([*arguments, "2026-02-01"]) == 0
    assert main([*arguments, "2026-03-01"]) == 0
    lines = (tmp_path.parent / f"{tmp_path.name}.rejects.jsonl").read_text().splitlines()
    assert [json.loads(line)["data"]["id"] for line in lines] == [1, 3]
    assert all_ids(tmp_path) == [2]


def test_a_killed_process_loses_and_doubles_nothing(tmp_path: Path) -> None:
    questions = [question(number, START + number * HOUR) for number in range(1, 1_601)]
    folder = tmp_path / "corpus"
    with serve_stack_exchange(StackExchangeServer(questions)) as server:
        process = subprocess.Popen(
            command(server, folder), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

        def kill() -> None:
            if len(server.requests) == 15:
                os.kill(process.pid, signal.SIGKILL)

        server.before_answer = kill
        process.communicate(timeout=180)
        assert process.returncode == -signal.SIGKILL
        kept = all_ids(folder)
        assert kept == list(range(1, len(kept) + 1))
        assert len(kept) >= 1_000
        server.before_answer = lambda: None
        again = subprocess.run(
            command(server, folder),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )
    assert f"{1_600 - len(kept) + 1} questions to collect" in again.stdout
    assert "1,600 questions in 3 files (2026-01 to 2026-03)" in again.stdout
    assert all_ids(folder) == list(range(1, 1_601))


def test_the_command_says_what_is_wrong_in_one_line(
    server: StackExchangeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = command(server, tmp_path / "corpus")[3:]
    server.failures.append("internal")
    assert main([*arguments, "--site", "kooking", "--until", "2026-01-01"]) == 2
    assert "no day between" in capsys.readouterr().err
    server.failures.clear()
    assert main([*arguments, "--key", "wrong"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "--since", "01/02/2026"])
    assert stopped.value.code == 2
    assert "not a date such as" in capsys.readouterr().err


def test_synonyms_become_a_file_for_training(server: StackExchangeServer, tmp_path: Path) -> None:
    server.synonyms = [("py", "python"), ("js", "javascript")]
    path = tmp_path / "synonyms.csv"
    arguments = ["collect", "synonyms", "--site", "cooking", "--base-url", server.url]
    assert main([*arguments, "--out", str(path)]) == 0
    assert path.read_text().splitlines() == ["synonym,tag", "js,javascript", "py,python"]
    assert main([*arguments, "--out", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        ([], [(10, 20)]),
        ([(0, 30)], []),
        ([(12, 14), (16, 18)], [(10, 12), (14, 16), (18, 20)]),
        ([(0, 12), (18, 25)], [(12, 18)]),
        ([(0, 5), (30, 40)], [(10, 20)]),
    ],
)
def test_missing_ranges(done: list[tuple[int, int]], expected: list[tuple[int, int]]) -> None:
    assert missing(Range(10, 20), [Range(*each) for each in done]) == expected
    assert joined([Range(*each) for each in [*done, *expected]])[0].since <= 10


def test_ranges_that_touch_are_joined() -> None:
    ranges = [Range(5, 7), Range(1, 3), Range(3, 4), Range(6, 9), Range(2, 2)]
    assert joined(ranges) == [(1, 4), (5, 9)]
