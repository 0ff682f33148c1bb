"""SP3 files of precise orbits and clocks (SP3-c; SP3-d above 85 satellites)."""

from __future__ import annotations

import numpy as np

from rtkpos.constants import NS_PER_DAY, NS_PER_S
from rtkpos.gnss.systems import sat_name
from rtkpos.gnss.time import calendar_from_ns, week_and_tow
from rtkpos.records.precise import PreciseTable

_PER_LINE, _LINES = 17, 5
_MJD_OF_GPS_EPOCH = 44_244
_NO_CLOCK_US = 999_999.999999
_FOOT = (
    "%c M  cc GPS ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc",
    "%c cc cc ccc ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc",
    "%f  1.2500000  1.025000000  0.00000000000  0.000000000000000",
    "%f  0.0000000  0.000000000  0.00000000000  0.000000000000000",
    "%i    0    0    0    0      0      0      0      0         0",
    "%i    0    0    0    0      0      0      0      0         0",
    *("/*",) * 4,
)


def format_sp3(table: PreciseTable) -> str:
    """Text of an SP3 file in GPST; positions in km and clocks in us with six decimals.

    Source: Hilla (2010), The Extended Standard Product 3 Orbit Format (SP3-c); SP3-d (2016) for
    more than 85 satellites. Missing positions are written as zeros, missing clocks as 999999.
    """
    names = [sat_name(int(sat)) for sat in table.sat]
    lines = _header(table, names)
    km = np.where(np.isfinite(table.position_m), table.position_m, 0.0) * 1e-3
    clock_us = np.where(np.isfinite(table.clock_s), table.clock_s * 1e6, _NO_CLOCK_US)
    for k, time_ns in enumerate(table.time_ns.tolist()):
        lines.append(f"*  {_date(time_ns)}")
        lines += [
            f"P{name}{x:14.6f}{y:14.6f}{z:14.6f}{clock:14.6f}"
            for name, (x, y, z), clock in zip(
                names, km[k].tolist(), clock_us[k].tolist(), strict=True
            )
        ]
    return "\n".join([*lines, "EOF"]) + "\n"


def _date(time_ns: int) -> str:
    year, month, day, hour, minute, ns = calendar_from_ns(time_ns)
    return f"{year:4d} {month:2d} {day:2d} {hour:2d} {minute:2d} {ns / NS_PER_S:11.8f}"


def _header(table: PreciseTable, names: list[str]) -> list[str]:
    start_ns = int(table.time_ns[0])
    step_s = float(np.diff(table.time_ns[:2])[0]) / NS_PER_S if len(table.time_ns) > 1 else 900.0
    week, tow_s = week_and_tow(start_ns)
    day, rest_ns = divmod(start_ns, NS_PER_DAY)
    rows = max(_LINES, -(-len(names) // _PER_LINE))
    version = "c" if rows == _LINES else "d"
    padded = names + ["  0"] * (rows * _PER_LINE - len(names))
    lines = [
        f"#{version}P{_date(start_ns)} {len(table.time_ns):7d} ORBIT {table.frame:>5.5s} FIT RTKP",
        f"## {week:4d} {tow_s:15.8f} {step_s:14.8f} {_MJD_OF_GPS_EPOCH + day:5d} "
        f"{rest_ns / NS_PER_DAY:15.13f}",
    ]
    for k in range(rows):
        count = f"{len(names):3d}" if k == 0 else "   "
        lines.append(f"+  {count}   " + "".join(padded[k * _PER_LINE : (k + 1) * _PER_LINE]))
    lines += ["++       " + "  0" * _PER_LINE] * rows
    return [*lines, *_FOOT]
