"""How the starter model behaves, whatever its metrics are."""

import re

import pytest

from lambda_src.tagger import TagModel
from lambda_src.tagger.rules import SIGNAL_NAMES
from model_build.questions import Question


def suggested(model: TagModel, title: str, body: str = "") -> set[str]:
    return {each.tag for each in model.suggest(title, body).suggestions}


def confidence(model: TagModel, tag: str, title: str, body: str = "") -> float:
    return dict(model.rank(title, body, limit=25)).get(tag, 0.0)


@pytest.mark.parametrize(
    ("question", "tag"),
    [
        ("How do I merge two dictionaries in Python?", "python"),
        ("How do I merge two dictionaries in Python?", "dictionary"),
        ("Python is very cool !", "python"),
        ("jQuery: hide a div when a button is clicked", "jquery"),
        ("C# LINQ group by several columns", "linq"),
        ("Center a div with CSS", "css"),
        ("Regular expression that matches an e-mail address", "regex"),
        ("git: undo the last commit but keep the changes", "git"),
        ("Left join returns duplicate rows in MySQL", "mysql"),
        ("How do I sort an ArrayList of objects in Java?", "java"),
        ("PHP session is lost after a redirect", "php"),
        ("Segmentation fault when I free a pointer twice in C", "c"),
        ("std::vector of unique_ptr in C++11", "c++"),
        ("UITableView cell height in iOS", "ios"),
        ("Rails: validate the uniqueness of two columns", "ruby-on-rails"),
        ("Start an activity from a service in Android", "android"),
        ("Bash: loop over files whose names have spaces", "bash"),
        ("Convert a JSON string to an object in JavaScript", "javascript"),
        ("Find the second highest salary in SQL Server", "sql-server"),
        ("WPF DataGrid does not update after binding", "wpf"),
        ("Haskell: how do monads compose?", "haskell"),
        ("How to unit test a private method", "unit-testing"),
        ("ASP.NET MVC route with an optional parameter", "asp.net-mvc"),
        ("Django queryset filter by related field", "django"),
    ],
)
def test_a_plain_question_gets_its_obvious_tag(starter: TagModel, question: str, tag: str) -> None:
    assert tag in suggested(starter, question)


@pytest.mark.parametrize(
    "rewordings",
    [
        ("How do I sort a list in Python?", "Sorting lists in python", "python: sort the list"),
        ("Merging two MySQL tables", "How can two tables be merged in MySQL?"),
        ("jQuery click event fires twice", "Why is my click event firing twice with jquery?"),
    ],
)
def test_a_rewording_keeps_the_best_tag(starter: TagModel, rewordings: tuple[str, ...]) -> None:
    assert len({starter.rank(each)[0].tag for each in rewordings}) == 1


def test_a_title_in_capital_letters_is_read_as_one_in_small_letters(
    starter: TagModel, samples: list[Question]
) -> None:
    for question in samples[:60]:
        plain = starter.rank(question.title.lower(), question.body)
        assert starter.rank(question.title.upper(), question.body) == plain


def test_letter_case_hardly_changes_plain_questions(
    starter: TagModel, samples: list[Question]
) -> None:
    changed = 0
    for question in samples[:60]:
        best = starter.rank(question.title, question.body)[0].tag
        changed += starter.rank(question.title.lower(), question.body)[0].tag != best
    assert changed <= 3


@pytest.mark.parametrize(
    ("title", "body", "tag"),
    [
        (
            "Does anybody see the problem?",
            "```\nimport pandas as pd\npd.DataFrame()\n```",
            "pandas",
        ),
        ("Why is this slow?", "```rust\nlet x = y.clone();\n```", "rust"),
        ("Why is this slow?", "<pre class='lang-rust'><code>let x = y;</code></pre>", "rust"),
    ],
)
def test_code_and_its_language_are_a_topic(
    starter: TagModel, title: str, body: str, tag: str
) -> None:
    assert tag in suggested(starter, title, body)


def test_html_and_markdown_get_the_same_tags(starter: TagModel) -> None:
    html = "<p>My <code>for</code> loop in Java is slow:</p>\n<pre><code>int i = 0;\n</code></pre>"
    markdown = "My `for` loop in Java is slow:\n\n```\nint i = 0;\n```\n"
    title = "Why is my loop slow?"
    assert suggested(starter, title, html) == suggested(starter, title, markdown)


@pytest.mark.parametrize(
    ("title", "word", "tag"),
    [
        ("How do I select rows by date in Python?", "pandas", "pandas"),
        ("How do I select rows by date?", "mysql", "mysql"),
        ("The page does not load", "asp.net", "asp.net"),
        ("My loop never ends", "java", "java"),
        ("The button does nothing", "jquery", "jquery"),
        ("Threads wait for each other", "c#", "c#"),
        ("The build fails", "maven", "maven"),
    ],
)
def test_naming_a_technology_raises_its_tag(
    starter: TagModel, title: str, word: str, tag: str
) -> None:
    before = confidence(starter, tag, title)
    assert confidence(starter, tag, f"{title} ({word})") > before
    assert confidence(starter, tag, title, f"<p>I use {word}.</p>") > before


# Our own, and not the texts that the gate was made with.
EMPTY_TEXTS = [
    *("sdkfjh wieur skdjfh", "xcvbnm qwerty lkjhgf poiuyt", "brrp flonk zizzle wumpus"),
    *("aaa aaaa aaaaa", "98765 43210 11111", "!!! ??? ...", "hgjk tyui vbnm fghj rtyu"),
    *("oats, pears, honey, salt", "carrots potatoes leeks celery", "toothbrush, towel, sandals"),
    *("bring tent, sleeping bag, stove, matches", "flour yeast olives anchovies"),
    *("Hello everyone!", "Good evening, I hope you are all fine", "Thank you so much, really"),
    *("Can anyone help me with this please?", "I really need help as soon as possible"),
    *("Nice to meet you", "Have a wonderful weekend", "Sorry, this is my first question here"),
]


def test_texts_without_a_topic_mostly_get_no_tags(starter: TagModel) -> None:
    answered = [text for text in EMPTY_TEXTS if suggested(starter, text)]
    assert len(answered) <= 0.2 * len(EMPTY_TEXTS), answered


def test_whether_the_model_is_quiet_does_not_depend_on_the_options(
    starter: TagModel, samples: list[Question]
) -> None:
    for question in samples[:100]:
        whole = starter.suggest(question.title, question.body).suggestions
        single = starter.suggest(question.title, question.body, max_tags=1).suggestions
        assert single == whole[:1]


def test_questions_are_mostly_answered(starter: TagModel, samples: list[Question]) -> None:
    quiet = [q.title for q in samples if not suggested(starter, q.title, q.body)]
    assert len(quiet) <= 0.03 * len(samples), quiet


def test_an_excluded_tag_is_never_suggested_nor_by_its_synonym(starter: TagModel) -> None:
    title = "JavaScript closures in a loop"
    assert "javascript" in suggested(starter, title)
    for excluded in ("javascript", "js"):
        names = [each.tag for each in starter.suggest(title, exclude=[excluded]).suggestions]
        assert "javascript" not in names


PUBLIC_WORDS = {
    "1000000000",
    "1073741819",
    "1224043200000",
    "1234567890",
    "2147352567",
    "2147483647",
    "2147483648",
    "3000000000",
    "4294967295",
    "activityinstrumentationtestcase2",
    "amazons3clientbuilder",
    "corewebview2initializationcompleted",
    "createtoolhelp32snapshot",
    "d3d11createdeviceandswapchain",
    "d3dxcreateeffectfromfile",
    "dynamicproxygenassembly2",
    "ensurecorewebview2async",
    "glcompressedteximage2d",
    "globalaveragepooling2d",
    "http2unencryptedsupport",
    "icapturegraphbuilder2",
    "id3d12graphicscommandlist",
    "jackson2jsonmessageconverter",
    "lpdirect3dvertexbuffer9",
    "mappingjackson2httpmessageconverter",
    "oauth2authorizedclientmanager",
    "oauth2passwordbearer",
    "oauth2permissiongrants",
    "oauth2resourceserver",
    "springjunit4classrunner",
    "win32disableacceptex",
    "x509trustmanagerimpl",
}
"""Numbers and names of classes and functions, which look like secrets and are none."""


def test_no_address_or_secret_is_a_word_of_the_model(starter: TagModel) -> None:
    looks_secret = re.compile(r"(?=[^-]*\d)(?=[^-]*[a-z])[a-z0-9]{20,}|[0-9a-f]{16,}|\d{10,}")
    words = starter.vocabulary.words.numbers().keys() - set(SIGNAL_NAMES)
    assert not [word for word in words if "@" in word or "://" in word]
    assert {word for word in words if looks_secret.fullmatch(word)} <= PUBLIC_WORDS


def test_suggestions_are_few_distinct_and_best_first(
    starter: TagModel, samples: list[Question]
) -> None:
    for question in samples:
        prediction = starter.suggest(question.title, question.body)
        tags = [each.tag for each in prediction.suggestions]
        confidences = [each.confidence for each in prediction.suggestions]
        assert len(tags) == len(set(tags)) <= 5
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 <= confidence <= 1 for confidence in confidences)
        assert (prediction.quiet_reason is None) == bool(tags)
