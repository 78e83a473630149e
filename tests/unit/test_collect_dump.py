import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from model_build.__main__ import main
from tests.support.collected import all_ids, rows_by_file
from tests.support.dump import post, write_dump

SEVEN_ZIP = shutil.which("7zz") or shutil.which("7z")
POSTS = [
    post(1),
    post(2, Tags="<c++><.net>", CreationDate="2009-03-01T00:00:00.000", ContentLicense=""),
    {"Id": "3", "PostTypeId": "2", "Body": "<p>An answer</p>", "ParentId": "1"},
    post(4, Title=""),
    post(5),
    post(5, Title="The same id again"),
    {"Id": "6", "PostTypeId": "4", "Body": ""},
]


def collect(path: Path, folder: Path, *options: str) -> int:
    return main(["collect", "dump", "--input", str(path), "--out", str(folder), *options])


def test_questions_of_a_dump_are_collected_by_month(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    dump = write_dump(tmp_path / "Posts.xml", POSTS)
    assert collect(dump, folder, "--site", "cooking") == 0
    found = rows_by_file(folder)
    assert {name: [row["id"] for row in rows] for name, rows in found.items()} == {
        "2009-03": [2],
        "2026-02": [1],
        "2026-03": [5],
    }
    first = found["2026-02"][0]
    assert first["title"] == 'How do I "sort" list 1?'
    assert first["body"] == "<p>My list 1 isn't sorted: <code>a &lt; b</code></p>\n"
    assert first["body_format"] == "html"
    assert first["tags"] == ["python", "sorting"]
    assert found["2009-03"][0]["tags"] == ["c++", ".net"]
    assert first["creation_date"] == datetime(2026, 2, 15, 13, 57, 7, 580_000)
    assert (first["site"], first["owner_id"], first["view_count"]) == ("cooking", 7, 120)
    assert first["content_license"] == "CC BY-SA 4.0"
    assert "the title is empty" in (tmp_path / "corpus.rejects.jsonl").read_text()


def test_reading_a_dump_again_changes_nothing(tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "Posts.xml", POSTS)
    assert collect(dump, tmp_path / "corpus") == 0
    before = rows_by_file(tmp_path / "corpus")
    assert collect(dump, tmp_path / "corpus") == 0
    assert rows_by_file(tmp_path / "corpus") == before


def test_more_questions_than_the_buffer_holds(tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "Posts.xml", map(post, range(1, 6_001)))
    assert collect(dump, tmp_path / "corpus") == 0
    assert all_ids(tmp_path / "corpus") == list(range(1, 6_001))


def test_characters_that_xml_does_not_allow_are_left_out(tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "Posts.xml", [post(1, Title="Bell: BELL"), post(2)])
    dump.write_text(dump.read_text(encoding="utf-8").replace("BELL", "&#x7;rings"))
    assert collect(dump, tmp_path / "corpus") == 0
    assert all_ids(tmp_path / "corpus") == [1, 2]


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    dump = tmp_path / "Posts.xml"
    write_dump(dump, [post(1)])
    text = dump.read_text(encoding="utf-8-sig").replace(
        "<posts>", f'<!DOCTYPE posts [<!ENTITY x SYSTEM "{secret.as_uri()}">]>\n<posts>&x;'
    )
    dump.write_text(text, encoding="utf-8")
    assert collect(dump, tmp_path / "corpus") == 0
    assert all_ids(tmp_path / "corpus") == [1]
    assert rows_by_file(tmp_path / "corpus")["2026-02"][0]["title"] == 'How do I "sort" list 1?'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an XML file"),
        (b"\x00\x01 no XML", "no post in this file"),
        (b"<posts>\n</posts>", "no post in this file"),
        (b"<users><row Id='1' DisplayName='Ann'/></users>", "does not end with </posts>"),
        (b'<posts><row Id="1" PostTypeId="2"/></posts>', "none of its 1 posts"),
    ],
)
def test_other_files_are_refused(
    content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = tmp_path / "Posts.xml"
    dump.write_bytes(content)
    assert collect(dump, tmp_path / "corpus") == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert rows_by_file(tmp_path / "corpus") == {}


@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
def test_a_file_that_is_cut_off_changes_nothing(
    share: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = write_dump(tmp_path / "Posts.xml", map(post, range(1, 50)))
    content = dump.read_bytes()
    dump.write_bytes(content[: int(share * len(content))])
    assert collect(dump, tmp_path / "corpus") == 2
    assert "cut off after" in capsys.readouterr().err
    assert rows_by_file(tmp_path / "corpus") == {}


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert collect(tmp_path / "Posts.xml", tmp_path / "corpus") == 2
    assert collect(tmp_path / "Posts.7z", tmp_path / "corpus") == 2
    assert capsys.readouterr().err.count("No such file") == 2


def test_an_archive_without_the_program_7zz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "cooking.stackexchange.com.7z"
    archive.write_bytes(b"7z")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert collect(archive, tmp_path / "corpus") == 2
    assert "apt-get install 7zip" in capsys.readouterr().err


def stand_in(folder: Path, script: str) -> None:
    """Put a program of the name 7zz into a folder."""
    program = folder / "7zz"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_an_archive_is_read_through_7zz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = write_dump(tmp_path / "unpacked.xml", POSTS)
    archive = tmp_path / "--cooking.7z"
    archive.write_bytes(b"7z")
    stand_in(tmp_path, f'[ "$1 $2 $4 $5" = "x -so -- {archive}" ] || exit 9; /bin/cat "{dump}"')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert collect(archive, tmp_path / "corpus") == 0
    assert all_ids(tmp_path / "corpus") == [1, 2, 5]
    stand_in(tmp_path, f'/bin/cat "{dump}"; echo "ERROR: Data Error : Posts.xml" >&2; exit 2')
    assert collect(archive, tmp_path / "again") == 2
    assert "cannot unpack this archive (ERROR: Data Error : Posts.xml)" in capsys.readouterr().err


@pytest.mark.skipif(SEVEN_ZIP is None, reason="needs the program 7zz (package 7zip)")
def test_a_real_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dump(tmp_path / "Posts.xml", map(post, range(1, 3_000)))
    (tmp_path / "Users.xml").write_text("<users></users>")
    archive = tmp_path / "cooking.stackexchange.com.7z"
    command = [str(SEVEN_ZIP), "a", "-bso0", str(archive), "Posts.xml", "Users.xml"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert collect(archive, tmp_path / "corpus") == 0
    assert all_ids(tmp_path / "corpus") == list(range(1, 3_000))
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    assert collect(archive, tmp_path / "broken") == 2
    assert "cannot unpack this archive" in capsys.readouterr().err
