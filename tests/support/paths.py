"""Where the tests find the checkout, its starter bundle and sample questions."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
STARTER: Final = ROOT / "model_build" / "starter" / "starter.safetensors"
SAMPLES: Final = ROOT / "tests" / "samples" / "questions.jsonl"
HEALTH_REPORT: Final = ROOT / "tests" / "support" / "health_report.json"
"""A report as the monitor writes it to reports/latest.json."""
DATA: Final = ROOT.parent / "shared" / "data"
"""Real questions, which are not part of the repository; tests that need them are marked `data`."""
