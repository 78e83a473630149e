"""Where the benchmarks keep models, embeddings and installed packages between runs."""

from typing import Final

from scripts.shared.paths import ROOT

CACHE: Final = ROOT / ".cache" / "bench"
