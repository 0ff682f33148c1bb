"""What each command of the table runs; the work is in other modules, imported when it is asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rtkpos.app.command_line.parser import Given


def _solve(given: Given) -> int:
    from rtkpos.app.solve.command import run_solve
    from rtkpos.app.solve.request import SolveRequest

    return run_solve(given.request(SolveRequest))


def _explain(given: Given) -> int:
    from rtkpos.app.explain.command import run_explain
    from rtkpos.app.solve.request import SolveRequest

    return run_explain(given.request(SolveRequest), **_flags(given, "as_json"))


def _info(given: Given) -> int:
    from rtkpos.app.info.command import run_info

    return run_info(given.fields["files"], **_flags(given, "as_json"))


def _config(given: Given) -> int:
    from rtkpos.app.configuration.command import run_config
    from rtkpos.app.solve.request import SolveRequest

    request = given.request(SolveRequest, rover=())
    return run_config(request, **_flags(given, "reference"))


def _batch(given: Given) -> int:
    from rtkpos.app.batch.command import BatchRequest, run_batch

    return run_batch(given.request(BatchRequest))


def _network_check(given: Given) -> int:
    from rtkpos.app.network.check_command import MapRequest, run_network_check
    from rtkpos.app.network.network_session import SessionRequest

    session = given.request(SessionRequest) if "nav" in given.fields else None
    stations, at = given.fields["stations"], given.fields.get("at")
    return run_network_check(stations, at, given.request(MapRequest), session)


def _network_plan(given: Given) -> int:
    from rtkpos.app.network.check_command import MapRequest, PlanRequest, run_network_plan

    return run_network_plan(given.request(PlanRequest), given.request(MapRequest))


def _network_vrs(given: Given) -> int:
    from rtkpos.app.network.network_session import SessionRequest
    from rtkpos.app.network.vrs_command import VrsRequest, run_network_vrs

    session = given.request(SessionRequest)
    return run_network_vrs(given.request(VrsRequest, session=session))


def _network_solve(given: Given) -> int:
    from rtkpos.app.network.network_session import SessionRequest
    from rtkpos.app.network.solve_command import NetworkSolveRequest, run_network_solve

    session = given.request(SessionRequest)
    return run_network_solve(given.request(NetworkSolveRequest, session=session))


def _simulate(given: Given) -> int:
    from rtkpos.app.other.simulate_command import run_simulate

    of = given.fields
    return run_simulate(str(of["scenario"]), of["out"], of.get("seed"), **_flags(given, "quiet"))


def _data_list(given: Given) -> int:
    from rtkpos.app.other.data_command import run_list

    return run_list(**_flags(given, "as_json"))


def _data_path(given: Given) -> int:
    from rtkpos.app.other.data_command import run_path

    return run_path(given.fields["name"])


def _data_fetch(given: Given) -> int:
    from rtkpos.app.other.data_command import run_fetch

    return run_fetch(given.fields["names"], given.fields.get("folder"))


def _demo(given: Given) -> int:
    from rtkpos.app.solve.demo import run_demo

    return run_demo(given.fields["out"], **_flags(given, "real"))


def _warmup(given: Given) -> int:
    from rtkpos.app.solve.demo import run_warmup

    return run_warmup(given.fields.get("into"), is_generic=given.fields["cpu"] == "generic")


def _completion(given: Given) -> int:
    from rtkpos.app.reference.completion import completion_script

    sys.stdout.write(completion_script(given.fields["shell"]))
    return 0


def _man(_given: Given) -> int:
    from rtkpos.app.reference.man_page import man_page

    sys.stdout.write(man_page())
    return 0


def _flags(given: Given, *names: str) -> dict[str, Any]:
    """Truth values by name, false for those that were not given."""
    return {name: given.fields.get(name, False) for name in names}


HANDLERS: dict[str, Callable[[Given], int]] = {
    "solve": _solve,
    "explain": _explain,
    "info": _info,
    "config": _config,
    "batch": _batch,
    "network check": _network_check,
    "network plan": _network_plan,
    "network vrs": _network_vrs,
    "network solve": _network_solve,
    "simulate": _simulate,
    "data list": _data_list,
    "data path": _data_path,
    "data fetch": _data_fetch,
    "demo": _demo,
    "warmup": _warmup,
    "completion": _completion,
    "man": _man,
}
