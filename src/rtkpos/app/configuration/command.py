"""`rtkpos config`: the effective configuration as TOML, or the reference of all its values."""

from __future__ import annotations

import sys

from rtkpos.app.configuration.toml_text import explained_toml
from rtkpos.app.solve.request import SolveRequest, config_values_of
from rtkpos.records.config import RtkConfig


def run_config(request: SolveRequest, *, reference: bool) -> int:
    """Print the configuration of a request, or the reference; ConfigError for wrong values.

    request : of `solve`, whose files are not looked at but for its configuration
    """
    if reference:
        from rtkpos.app.reference.markdown import configuration_page

        sys.stdout.write(configuration_page())
        return 0
    from rtkpos.app.solve.network_run import network_config

    config = RtkConfig.from_dict(config_values_of(request))
    sys.stdout.write(explained_toml(config, network_config(config, request.config)))
    return 0
