"""`rtkpos config`: what it prints is the configuration, explained, and can be read again."""

from __future__ import annotations

import dataclasses
import tomllib

import pytest

from rtkpos.app.command_line import main
from rtkpos.network.network_config import NetworkConfig
from rtkpos.records.config import RtkConfig
from rtkpos.records.config_field import config_fields

FILE = """
mode = "static"
[selection]
bands = { C = "26", G = "1" }
exclude = ["C03", "C05"]
[antenna]
rover = 'T "quoted" \\'
rover_offset_enu_m = [0.1, 0.0, 1.5]
[network]
method = "plane"
"""


def printed(capsys, *words):
    """Text of the command."""
    assert main.run(["config", *words]) == 0
    return capsys.readouterr().out


def test_the_defaults_are_the_defaults(capsys):
    values = tomllib.loads(printed(capsys))
    network = values.pop("network")
    assert RtkConfig.from_dict(values) == RtkConfig()
    assert dataclasses.replace(NetworkConfig.for_rover(RtkConfig()), **network) == (
        NetworkConfig.for_rover(RtkConfig())
    )


def test_file_and_options_are_in_it_and_reading_it_again_changes_nothing(capsys, tmp_path):
    (tmp_path / "c.toml").write_text(FILE)
    words = ["-k", str(tmp_path / "c.toml"), "--profile", "safe", "-m", "15", "--systems", "GC"]
    text = printed(capsys, *words)
    values = tomllib.loads(text)
    assert values["network"]["method"] == "plane"
    assert (values["mode"], values["profile"]) == ("static", "safe")
    assert values["selection"]["bands"] == {"C": "26", "G": "1"}
    assert values["selection"]["elevation_mask_deg"] == 15.0
    assert values["antenna"]["rover"] == 'T "quoted" \\'
    (tmp_path / "d.toml").write_text(text)
    assert printed(capsys, "-k", str(tmp_path / "d.toml")) == text


def test_what_the_profile_decides_is_a_comment(capsys):
    text = printed(capsys, "--profile", "safe")
    assert "\n# probability_min = 0.998\n" in text
    assert "probability_min" not in tomllib.loads(text)["ambiguity"]


def test_every_value_is_explained(capsys):
    text = " ".join(printed(capsys).replace("\n#", " ").split())
    for one in (*config_fields(RtkConfig), *config_fields(NetworkConfig)):
        assert " ".join(one.text.split()) in text, one.path
    assert "satellites below this elevation are not used (in deg; 0 to 60; default 10.0)" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mod = 'static'", "did you mean mode?"),
        ("[network]\nconfirm_epoch = 3", "did you mean network.confirm_epochs?"),
        ("[network]\nselection = 3", "unknown key network.selection"),
    ],
)
def test_unknown_keys_of_a_file_suggest_the_nearest(text, said, capsys, tmp_path):
    (tmp_path / "c.toml").write_text(text)
    assert main.run(["config", "--config", str(tmp_path / "c.toml")]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_reference_is_markdown_of_every_value(capsys):
    text = printed(capsys, "--reference")
    for one in (*config_fields(RtkConfig), *config_fields(NetworkConfig)):
        assert f"| `{one.name}` |" in text
