"""Circles, their products and a torus: manifolds whose distance, tangents and normals are known in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Manifold(Protocol):
    """A compact manifold around the origin; a point beside it has the tangents and normals of the nearest one."""

    @property
    def dim(self) -> int: ...

    @property
    def space(self) -> int: ...

    def draw(self, n: int, random: np.random.Generator) -> Floats:
        """Points on it, of a law with a density along it [n, space]."""
        ...

    def offsets(self, x: Floats) -> Floats:
        """How far points [n, space] are from it along each of its normals [n, space - dim]; their norm is the distance."""
        ...

    def nearest(self, x: Floats) -> Floats:
        """The points of it that are nearest to others [n, space]."""
        ...

    def tangents(self, x: Floats) -> Floats:
        """An orthonormal basis along it [n, dim, space]."""
        ...

    def normals(self, x: Floats) -> Floats:
        """An orthonormal basis across it [n, space - dim, space]."""
        ...


@dataclass(frozen=True)
class Circles:
    """A product of unit circles, each in a plane of its own, in a space that may have further coordinates.

    Args:
        circles: how many.
        further: coordinates that are 0 on it.

    Example:
        >>> Circles(1, 1).offsets(np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 3.0]])).tolist()
        [[1.0, 0.0], [0.0, 3.0]]
    """

    circles: int
    further: int = 0

    @property
    def dim(self) -> int:
        return self.circles

    @property
    def space(self) -> int:
        return 2 * self.circles + self.further

    def draw(self, n: int, random: np.random.Generator) -> Floats:
        x = np.zeros((n, self.space))
        for i in range(self.circles):
            angle = random.uniform(0, 2 * np.pi, n)
            x[:, 2 * i], x[:, 2 * i + 1] = np.cos(angle), np.sin(angle)
        return x

    def offsets(self, x: Floats) -> Floats:
        off = [np.hypot(x[:, 2 * i], x[:, 2 * i + 1]) - 1 for i in range(self.circles)]
        return np.stack([*off, *x[:, 2 * self.circles :].T], axis=1)

    def nearest(self, x: Floats) -> Floats:
        return x - (self.offsets(x)[:, None] @ self.normals(x))[:, 0]

    def tangents(self, x: Floats) -> Floats:
        along = np.zeros((len(x), self.dim, self.space))
        for i in range(self.circles):
            radius = np.hypot(x[:, 2 * i], x[:, 2 * i + 1])
            along[:, i, 2 * i], along[:, i, 2 * i + 1] = -x[:, 2 * i + 1] / radius, x[:, 2 * i] / radius
        return along

    def normals(self, x: Floats) -> Floats:
        across = np.zeros((len(x), self.space - self.dim, self.space))
        for i in range(self.circles):
            plane = slice(2 * i, 2 * i + 2)
            across[:, i, plane] = x[:, plane] / np.linalg.norm(x[:, plane], axis=1, keepdims=True)
        for j in range(self.further):
            across[:, self.circles + j, 2 * self.circles + j] = 1
        return across


@dataclass(frozen=True)
class Torus:
    """The surface at a distance from a unit circle in space.

    Args:
        thin: that distance, below 1.

    Example:
        >>> Torus(0.4).offsets(np.array([[1.5, 0.0, 0.0], [1.0, 0.0, 0.1]])).round(12).tolist()
        [[0.1], [-0.3]]
    """

    thin: float = 0.4

    @property
    def dim(self) -> int:
        return 2

    @property
    def space(self) -> int:
        return 3

    def draw(self, n: int, random: np.random.Generator) -> Floats:
        around, across = random.uniform(0, 2 * np.pi, (2, n))
        radius = 1 + self.thin * np.cos(across)
        return np.stack([radius * np.cos(around), radius * np.sin(around), self.thin * np.sin(across)], axis=1)

    def offsets(self, x: Floats) -> Floats:
        return np.asarray(np.linalg.norm(Circles(1, 1).offsets(x), axis=1, keepdims=True) - self.thin)

    def nearest(self, x: Floats) -> Floats:
        return x - self.offsets(x) * self.normals(x)[:, 0]

    def normals(self, x: Floats) -> Floats:
        radius = np.hypot(x[:, 0], x[:, 1])
        from_circle = x - np.stack([x[:, 0] / radius, x[:, 1] / radius, np.zeros(len(x))], axis=1)
        return np.asarray((from_circle / np.linalg.norm(from_circle, axis=1, keepdims=True))[:, None])

    def tangents(self, x: Floats) -> Floats:
        around = Circles(1, 1).tangents(x)
        return np.concatenate([around, np.cross(around, self.normals(x))], axis=1)
