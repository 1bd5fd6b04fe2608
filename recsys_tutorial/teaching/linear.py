"""Worlds that are linear throughout, where what pretraining does can be worked out: notebook 03.

A linear autoencoder, the projection it arrives at, and a simulation of learning from few labels beside its theory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..engine.ridge import STRENGTHS, ridge_head
from ..errors import InputError
from ..metrics.intervals import seed_interval


def linear_autoencoder(x: np.ndarray, dim: int, seed: int = 0, rounds: int = 5000) -> np.ndarray:
    """Train ``x̂ = (x U + c) V + b`` from random weights until ``Σ (x̂ - x)²`` rests; return x̂, the shape of x.

    By alternating least squares: the best decoder (V, b) for these codes, then the best encoder (U, c) for it.
    """
    v, b = np.random.default_rng(seed).normal(size=(dim, x.shape[1])), np.zeros(x.shape[1])
    x_hat = np.full(x.shape, np.inf)
    for _ in range(rounds):
        z = (x - b) @ np.linalg.pinv(v)
        v, b = np.split(np.linalg.lstsq(np.column_stack([z, np.ones(len(x))]), x, rcond=None)[0], [dim])
        before, x_hat = x_hat, z @ v + b
        if np.abs(x_hat - before).max() < 1e-13:
            break
    return x_hat


def principal_directions(x: np.ndarray, dim: int) -> np.ndarray:
    """Return V ``(items, dim)``, orthonormal columns: the directions in which the rows of x vary most."""
    return np.linalg.svd(x - x.mean(0), full_matrices=False)[2][:dim].T


def projection(x: np.ndarray, dim: int) -> np.ndarray:
    """Return ``μ + (x - μ) V Vᵀ``: x projected on its ``dim`` leading principal directions V."""
    mean, v = x.mean(0), principal_directions(x, dim)
    return mean + (x - mean) @ v @ v.T


def spread_kept(x: np.ndarray) -> np.ndarray:
    """Return, for 1, 2, ... principal directions, the share of ``Σ (x - μ)²`` that they keep."""
    spread = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2
    return np.cumsum(spread) / spread.sum()


def few_labels(
    labels: Sequence[int] = (20, 50, 100, 200, 400),
    unlabelled: Sequence[int] = (50, 1000),
    seeds: int = 20,
    *,
    seed: int = 0,
    n_inputs: int = 200,
    dim: int = 5,
    signal: float = 2.0,
    noise: float = 0.5,
    strengths: Sequence[float] = STRENGTHS,
) -> pd.DataFrame:
    r"""Simulate how the error of a ridge head falls with the number of labels, for features from bad to perfect.

    A user is ``dim`` hidden numbers ``u ~ N(0, I)``. What is seen of them is ``x = signal · u Bᵀ + N(0, I)``, with B
    of orthonormal columns ``(n_inputs, dim)``; the label is ``y = u w + noise · N(0, 1)``, ``|w| = 1``. The features
    are ``z = x V``: x itself (V = I), the principal directions of as many users without labels as ``unlabelled`` says,
    or B itself, the true g, which loses nothing that x knows of u.

    Args:
        labels: numbers of labelled users.
        unlabelled: numbers of users that g was pretrained on, each more than ``dim``.
        seeds: worlds to draw, at least 2; within one, all features see the same users.
        seed: the first of them.
        n_inputs: length of x.
        dim: length of u and of every z but x itself.
        signal: how loud u is in x.
        noise: standard deviation of y that nothing explains.
        strengths: of the ridge head, chosen among by leave-one-out; one that is nearly 0 makes it least squares.

    Returns:
        One row per model, number of labels and seed: ``model, dim, labels, seed, value, theory``. ``value`` is the
        expected squared error for a new user, worked out and not sampled: all is Gaussian. ``theory`` is
        :func:`least_squares_error` for these features.
    """
    if dim >= min(n_inputs, *unlabelled, *labels):
        raise InputError(f"dim={dim}: it needs to be below n_inputs, and below every number of users")
    rows = []
    for one in range(seed, seed + seeds):
        rng = np.random.default_rng(one)
        b = np.linalg.qr(rng.normal(size=(n_inputs, dim)))[0]
        w = rng.normal(size=dim)
        w /= np.linalg.norm(w)
        pool = _users(rng, max(unlabelled), b, signal)[1]
        u, x = _users(rng, max(labels), b, signal)
        y = (u @ w + noise * rng.normal(size=len(u)))[:, None]
        features = {"x itself": np.eye(n_inputs)}
        features |= {f"g from {n:,} users": principal_directions(pool[:n], dim) for n in unlabelled}
        features["true g"] = b
        for model, v in features.items():
            left = unexplained(v, b, w, signal, noise)
            for n in labels:
                head = ridge_head(x[:n] @ v, y[:n], strengths=strengths)
                slope, bias = head.weight.detach().numpy().ravel().astype(float), head.bias.item()
                error = expected_error(v, slope, bias, b, w, signal, noise)
                rows.append((model, v.shape[1], n, one, error, least_squares_error(n, v.shape[1], left)))
    return pd.DataFrame(rows, columns=["model", "dim", "labels", "seed", "value", "theory"])


def expected_error(
    v: np.ndarray, slope: np.ndarray, bias: float, b: np.ndarray, w: np.ndarray, signal: float, noise: float
) -> float:
    """Return the expected squared error of ``x V slope + bias`` for a new user of this world."""
    left_of_u = w - signal * b.T @ v @ slope
    return float((left_of_u**2).sum() + ((v @ slope) ** 2).sum() + noise**2 + bias**2)


def unexplained(v: np.ndarray, b: np.ndarray, w: np.ndarray, signal: float, noise: float) -> float:
    """Return the variance of y that the best linear guess from ``z = x V`` leaves.

    With ``M = signal · Bᵀ V``: ``cov(z) = Mᵀ M + Vᵀ V`` and ``cov(z, y) = Mᵀ w``.
    """
    m = signal * b.T @ v
    return float(1 + noise**2 - w @ m @ np.linalg.solve(m.T @ m + v.T @ v, m.T @ w))


def least_squares_error(n: int, p: int, unexplained: float) -> float:
    r"""Return the expected squared error, for a new user, of least squares with p features fitted to n labels.

    ``τ² (1 + 1/n) (1 + p / (n - p - 2))`` for Gaussian features, where τ² = ``unexplained`` is the variance of y that
    they leave: the price of estimating one mean, and of estimating p slopes. NaN where it is not finite.

    Source: Stein (1960), Multiple Regression; Hastie et al. (2022), Surprises in High-Dimensional Ridgeless Least
    Squares Interpolation.
    """
    return unexplained * (1 + 1 / n) * (1 + p / (n - p - 2)) if n > p + 2 else np.nan


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over seeds of :func:`few_labels` with Student's interval, and the mean theory."""
    keys, rows = ["model", "dim", "labels"], []
    for key, group in results.groupby(keys, sort=False):
        value, low, high = seed_interval(group["value"])
        rows.append((*key, value, low, high, group["theory"].mean()))
    return pd.DataFrame(rows, columns=[*keys, "value", "ci_low", "ci_high", "theory"])


def _users(rng: np.random.Generator, n: int, b: np.ndarray, signal: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw n users: their hidden numbers ``(n, dim)`` and what is seen of them ``(n, n_inputs)``."""
    u = rng.normal(size=(n, b.shape[1]))
    return u, signal * u @ b.T + rng.normal(size=(n, len(b)))
