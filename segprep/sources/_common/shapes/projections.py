"""Longitude and latitude to the two systems in which most aerial images lie: UTM and web Mercator.

Format: EPSG Guidance Note 7-2, https://epsg.org/guidance-notes.html (sections 3.2.1.2 and 3.5.3);
UTM by the series of Krüger to the third order, exact to a millimeter within a zone.
"""

import math
from collections.abc import Callable

GEOGRAPHIC, WEB_MERCATOR = 4326, 3857
_RADIUS, _FLATTENING = 6_378_137.0, 1 / 298.257223563
_SCALE, _EAST, _SOUTH = 0.9996, 500_000.0, 10_000_000.0
_N = _FLATTENING / (2 - _FLATTENING)
_MERIDIAN = _RADIUS / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_SERIES = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16,
    13 * _N**2 / 48 - 3 * _N**3 / 5,
    61 * _N**3 / 240,
)
Projection = Callable[[float, float], tuple[float, float]]


def from_geographic(epsg: int) -> Projection | None:
    """Longitude, latitude (degrees, WGS 84) -> x, y (meters) of the system *epsg*; None where that
    is neither web Mercator nor a UTM zone of WGS 84.
    """
    if epsg == WEB_MERCATOR:
        return _web_mercator
    zone, south = epsg % 100, epsg // 100 == 327
    if epsg // 100 not in (326, 327) or not 1 <= zone <= 60:
        return None
    return lambda longitude, latitude: _utm(longitude, latitude, zone * 6 - 183, south)


def _web_mercator(longitude: float, latitude: float) -> tuple[float, float]:
    angle = math.radians(min(max(latitude, -89.9), 89.9))
    return _RADIUS * math.radians(longitude), _RADIUS * math.asinh(math.tan(angle))


def _utm(longitude: float, latitude: float, meridian: float, south: bool) -> tuple[float, float]:
    angle, turn = math.radians(latitude), math.radians(longitude - meridian)
    root = 2 * math.sqrt(_N) / (1 + _N)
    sine = math.sin(angle)
    t = math.sinh(math.atanh(sine) - root * math.atanh(root * sine))
    xi, eta = (
        math.atan2(t, math.cos(turn)),
        math.asinh(math.sin(turn) / math.hypot(t, math.cos(turn))),
    )
    x, y = eta, xi
    for n, factor in enumerate(_SERIES, 1):
        x += factor * math.cos(2 * n * xi) * math.sinh(2 * n * eta)
        y += factor * math.sin(2 * n * xi) * math.cosh(2 * n * eta)
    return (
        _EAST + _SCALE * _MERIDIAN * x,
        _SCALE * _MERIDIAN * y + (_SOUTH if south else 0.0),
    )
