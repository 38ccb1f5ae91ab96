"""Points of many dimensions on two axes: by PCA, and by UMAP and t-SNE where their libraries are installed."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from trimtab.errors import MissingPart, StatisticsError

Array = NDArray[np.float64]
FEWEST = 4
NEIGHBOURS, PERPLEXITY = 15, 30.0
LIBRARIES: Mapping[str, str] = {"umap": "umap", "tsne": "sklearn"}


def pca(points: Array) -> tuple[Array, tuple[float, float]]:
    """The two directions of most variance, by singular values of the centred points.

    Returns:
        The map (n, 2), each axis with its largest coordinate above 0, so that signs are not left to chance; and the
        shares of all variance on either axis, 0 to 1, both 0 where the points are all one.
    """
    centred = points - points.mean(axis=0)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    found = np.zeros((len(points), 2))
    wide = min(2, len(lengths))
    found[:, :wide] = left[:, :wide] * lengths[:wide]
    largest = np.abs(found).argmax(axis=0)
    found *= np.where(found[largest, [0, 1]] < 0, -1.0, 1.0)
    variance = np.pad(lengths**2, (0, 2))
    total = float(variance.sum())
    shares = variance[:2] / total if total > 0 else np.zeros(2)
    return found, (float(shares[0]), float(shares[1]))


def umap(points: Array, seed: int) -> Array:
    """The map (n, 2) of UMAP (McInnes, Healy and Melville 2018), by its own library."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import umap as library

        made = library.UMAP(n_neighbors=min(NEIGHBOURS, len(points) - 1), random_state=seed, n_jobs=1)
        return np.asarray(made.fit_transform(points), dtype=np.float64)


def tsne(points: Array, seed: int) -> Array:
    """The map (n, 2) of t-SNE (van der Maaten and Hinton 2008), from the map of PCA, by scikit-learn."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    made = TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=1)
    return np.asarray(made.fit_transform(points), dtype=np.float64)


MAPS: Mapping[str, Callable[[Array, int], Array]] = {
    "pca": lambda points, seed: pca(points)[0],
    "umap": umap,
    "tsne": tsne,
}


def missing() -> tuple[str, ...]:
    """The maps whose library is not installed here."""
    return tuple(name for name, library in LIBRARIES.items() if importlib.util.find_spec(library) is None)


def drawn(method: str, points: Array, seed: int = 0) -> Array:
    """The map (n, 2) of points (n, hidden), n at least 4, by one method of `MAPS`.

    Raises:
        StatisticsError: too few points, or a method that is not one.
        MissingPart: the library of the method is not installed.
    """
    if method not in MAPS:
        raise StatisticsError(f"map {method!r}: unknown", f"known: {', '.join(MAPS)}")
    if len(points) < FEWEST:
        raise StatisticsError(f"{len(points)} points are too few for a map", f"give {FEWEST} or more")
    if method in missing():
        raise MissingPart(
            f"map {method}: {LIBRARIES[method]} is not installed", "pip install 'trimtab[probe]'"
        )
    return MAPS[method](np.asarray(points, dtype=np.float64), seed)
