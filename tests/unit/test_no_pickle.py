"""Nothing that answers questions can execute a pickle: a whole start and every route, with a hook.

numpy and the standard library import the module `pickle`, so its import cannot be forbidden. The
hook replaces everything in it that reads a pickle, and refuses the other modules that do.
"""

import json
import re
import subprocess
import sys

import pytest

from tests.support.paths import HEALTH_REPORT, ROOT, STARTER

FORBIDDEN = ("cPickle", "cloudpickle", "dbm", "dill", "joblib", "pandas", "scipy", "shelve",
             "sklearn", "torch")  # fmt: skip

HOOK = f"""
import sys

class PickleError(RuntimeError):
    pass

def refuse(*_, **__):
    raise PickleError("a pickle was read")

class Refused:
    def __init__(self, *_, **__):
        refuse()

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {FORBIDDEN!r}:
            raise PickleError(f"{{name}} was imported")

sys.meta_path.insert(0, Finder())
import _pickle, pickle
for module in (_pickle, pickle):
    module.load = module.loads = refuse
    module.Unpickler = Refused
pickle._Unpickler = Refused
pickle._load = pickle._loads = refuse

def audit(event, arguments):
    # Raised by every unpickler, also by one that somebody kept before the hook was installed.
    if event == "pickle.find_class":
        refuse()
    # Python's imports read the code of modules with marshal; nobody else may.
    if event in ("marshal.load", "marshal.loads"):
        caller = sys._getframe(1).f_code.co_filename
        if "importlib" not in caller and "zipimport" not in caller:
            refuse()

sys.addaudithook(audit)
"""

START_AND_ANSWER = f"""
import json, os
os.environ["ETIQUETTE_MODEL"] = {str(STARTER)!r}
os.environ["ETIQUETTE_HEALTH_REPORT"] = {str(HEALTH_REPORT)!r}
import numpy
numpy.load = numpy.lib.npyio.NpzFile = numpy.lib.format.read_array = refuse
from lambda_src.api.handler import handler
from tests.support.api_gateway import gateway_event, lambda_context

def call(method, path, body=None):
    event = gateway_event(method, path, body and json.dumps(body))
    if path in ("/predict/batch", "/feedback"):
        event["routeKey"] = f"{{method}} {{path}}"
    return handler(event, lambda_context())

question = {{"title": "How do I merge two dictionaries?", "body": "<p>In <code>python</code></p>"}}
answers = {{"POST /predict": call("POST", "/predict", {{**question, "explain": True}})}}
identifier = json.loads(answers["POST /predict"]["body"])["prediction_id"]
answers["POST /predict/batch"] = call("POST", "/predict/batch", {{"questions": [question]}})
answers["POST /feedback"] = call(
    "POST", "/feedback", {{"prediction_id": identifier, "final_tags": ["python"]}})
for path in ("/", "/health", "/model", "/model/health", "/tags", "/docs", "/openapi.json"):
    answers[f"GET {{path}}"] = call("GET", path)
print(json.dumps({{route: answer["statusCode"] for route, answer in answers.items()}}))
"""

ATTEMPTS = {
    "pickle": "import pickle; pickle.loads(b'')",
    "the class": "import pickle; pickle.Unpickler(None)",
    "Python's own class": "import pickle; pickle._Unpickler(None)",
    "the C module": "import _pickle; _pickle.loads(b'')",
    "marshal": "import marshal; marshal.loads(marshal.dumps(1))",
    "joblib": "import joblib",
    "shelve": "import shelve",
    "scikit-learn": "import sklearn",
    "numpy": """
import io, numpy
file = io.BytesIO()
numpy.save(file, numpy.array([{}], dtype=object), allow_pickle=True)
file.seek(0)
numpy.load(file, allow_pickle=True)""",
}
"""Ways to execute a pickle, which the hook must notice."""


def run(program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", HOOK + program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def routes() -> set[str]:
    """The documented operations."""
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    return {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
        if method in {"get", "post"}
    }


def test_a_start_and_every_route_read_no_pickle() -> None:
    ended = run(START_AND_ANSWER)
    assert ended.returncode == 0, ended.stderr
    statuses = json.loads(ended.stdout.splitlines()[-1])
    assert routes() <= set(statuses)
    assert {status // 100 for status in statuses.values()} == {2}, statuses


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_hook_notices_a_pickle(attempt: str) -> None:
    ended = run(ATTEMPTS[attempt])
    assert ended.returncode == 1
    assert "PickleError" in ended.stderr


def test_the_hook_notices_an_unpickler_that_was_kept_before() -> None:
    kept = "import pickle; kept = pickle.Unpickler\n"
    use = "\nimport io, builtins; kept(io.BytesIO(b'cbuiltins\\neval\\n.')).load()"
    ended = subprocess.run(
        [sys.executable, "-c", kept + HOOK + use], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "PickleError" in ended.stderr


@pytest.mark.parametrize("purpose", ["api", "monitor"])
def test_the_images_contain_no_library_that_stores_objects_as_pickles(purpose: str) -> None:
    lines = (ROOT / "lambda_src" / purpose / "requirements.txt").read_text(encoding="utf-8")
    installed = set(re.findall(r"^([\w.-]+)==", lines, re.MULTILINE))
    assert "numpy" in installed
    assert installed.isdisjoint({"joblib", "dill", "cloudpickle", "scikit-learn", "pandas"})
