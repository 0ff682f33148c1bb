"""Simulated observations with truth: satellites, stations, vehicles, atmosphere, faults.

`simulate(parse_scenario(text), folder)` writes files; `simulate_in_memory(parse_scenario(text))`
returns tables as the readers give them, and the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtkpos._lazy import public_words

if TYPE_CHECKING:
    from rtkpos.simulate.in_memory import Simulated, simulate_in_memory
    from rtkpos.simulate.scenario.scenario import Scenario, parse_scenario
    from rtkpos.simulate.simulation import simulate

_PLACES = {
    "in_memory": (
        "Simulated",
        "simulate_in_memory",
    ),
    "scenario.scenario": (
        "Scenario",
        "parse_scenario",
    ),
    "simulation": ("simulate",),
}
__getattr__, __dir__ = public_words(__name__, _PLACES)

__all__ = [
    "Scenario",
    "Simulated",
    "parse_scenario",
    "simulate",
    "simulate_in_memory",
]
