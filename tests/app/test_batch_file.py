"""JOBS.toml: what it may say, and the sentence for what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtkpos.app.batch.jobs_file import KNOWN_KEYS, read_jobs
from rtkpos.app.command_line import main
from rtkpos.errors import InputError

HEAD = '[defaults]\nbase = "b.obs"\nnav = "n.nav"\nbase_xyz = [-3817681.0, 3562839.0, 3650159.0]\n'


def jobs_of(folder: Path, text: str, head: str = HEAD):
    (folder / "jobs.toml").write_text(head + text)
    return read_jobs(folder / "jobs.toml", folder / "out")


def test_defaults_jobs_and_overrides(tmp_path):
    text = """mode = "static"
    [defaults.config]
    ambiguity.min_pairs = 5
    ambiguity.ratio_min = 2.0
    [[job]]
    rover = ["r1.obs", "r2.obs"]
    [[job]]
    name = "other"
    rover = "r3.obs"
    nav = ["n1.nav", "n2.nav"]
    base_position = "header"
    mode = "kinematic"
    systems = "GC"
    bands = "C26"
    format = "csv"
    strict = true
    config.ambiguity.min_pairs = 6
    """
    one, other = jobs_of(tmp_path, text)
    assert (one.name, other.name) == ("r1", "other")
    assert one.request.rover == (tmp_path / "r1.obs", tmp_path / "r2.obs")
    assert one.config.mode == "static"
    assert one.config.ambiguity.min_pairs == 5
    assert other.config.ambiguity.min_pairs == 6
    assert one.config.ambiguity.ratio_min == other.config.ambiguity.ratio_min == 2.0
    assert (other.config.mode, other.config.selection.systems) == ("kinematic", "GC")
    assert other.config.selection.bands == {"C": "26"}
    assert one.request.base_xyz == (-3817681.0, 3562839.0, 3650159.0)
    assert (other.request.base_xyz, other.request.base_position) == (None, "header")
    assert other.output == tmp_path / "out" / "other.csv"
    assert (one.request.strict, other.request.strict) == (False, True)


def test_a_pattern_gives_a_job_for_each_file(tmp_path):
    for name in ("b.obs.gz", "a.obs", "c.nav"):
        (tmp_path / name).touch()
    jobs = jobs_of(tmp_path, '[[job]]\nrover = "*.obs*"\nname = "x_{stem}"\n')
    assert [job.name for job in jobs] == ["x_a", "x_b"]
    assert [job.request.rover[0].name for job in jobs] == ["a.obs", "b.obs.gz"]
    (job,) = jobs_of(tmp_path, '[[job]]\nrover = ["*.obs*"]\n')
    assert len(job.request.rover) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no [[job]] table"),
        ("job = 3\n", "no [[job]] table"),
        ("[[job]]\n", "job 1: the key rover is missing"),
        ('[[job]]\nrover = "r"\nrovre = 3\n', "job 1: unknown key rovre = 3; known are rover"),
        ('name = "x"\n[[job]]\nrover = "r"\n', "job 1: [defaults] unknown key name = 'x'"),
        ('[[job]]\nrover = "r"\n[[job]]\nrover = 3\n', "job 2: rover must be a file name or a"),
        ('[[job]]\nrover = "*.xyz"\n', "rover = '*.xyz' finds no file"),
        ('[[job]]\nrover = "r"\nnav = []\n', "the key nav is missing"),
        ('[[job]]\nrover = "r"\nmode = "fast"\n', "mode must be one of single"),
        ('[[job]]\nrover = "r"\nformat = "doc"\n', "format must be one of pos"),
        ('[[job]]\nrover = "r"\nbands = 3\n', "bands must be text"),
        ('[[job]]\nrover = "r"\nstrict = 1\n', "strict must be true or false; got 1"),
        ('[[job]]\nrover = "r"\nbase_xyz = [1, 2]\n', "base_xyz must be three numbers; got [1, 2]"),
        ('[[job]]\nrover = "r"\nbase_xyz = [1, 2, 3]\n', "not near the surface of the earth"),
        ('[[job]]\nrover = "r"\nbase_position = "x"\n', "base_position must be"),
        ('[[job]]\nrover = "r"\nname = "a/b"\n', "name = 'a/b' cannot be that of a result"),
        ('[[job]]\nrover = "r"\nname = "totals"\n', "but not manifest or totals"),
        ('[[job]]\nrover = "r"\nname = 4\n', "name must be text; got 4"),
        ('[[job]]\nrover = "r"\nconfig = "c.toml"\n', "config must be a table"),
        ('[[job]]\nrover = "r"\nconfig_file = 3\n', "config_file must be a file name"),
        ('[[job]]\nrover = "r"\nconfig.noise.loud = 1\n', "unknown key noise.loud"),
        ('[[job]]\nrover = "r"\nelevation_mask = 1\n', "did you mean elevation_mask_deg?"),
        ('[[job]]\nrover = "r"\nformat = "geo"\n', "got 'geo'; did you mean geojson?"),
        ('[[job]]\nrover = "r"\nrover_antenna = 3\n', "rover_antenna must be text; got 3"),
        ('[[job]]\nrover = "r"\nforce = 1\n', "force must be true or false; got 1"),
        ('[[job]]\nrover = "r"\nconfig.ambiguity.min_pairs = 99\n', "ambiguity.min_pairs must lie"),
        ('[[job]]\nrover = "r"\nconfig.ambiguity = 9\n', "ambiguity must be a section of keys"),
        ('[[job]]\nrover = "r"\n[[job]]\nrover = "R.obs"\n', "two jobs are called 'R'"),
        ('[[jobs]]\nrover = "r"\n', "unknown key 'jobs'"),
        ('[[job]\nrover = "r"\n', "is not valid TOML"),
        ('[[job]]\nrover = "r"\nbase = []\nmode = "static"\n', "mode static needs a base"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_file_key_and_value(text, said, tmp_path, capsys):
    (tmp_path / "jobs.toml").write_text(HEAD + text)
    assert main.run(["batch", str(tmp_path / "jobs.toml"), "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "jobs.toml" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_pattern_needs_names_that_differ(tmp_path):
    for name in ("a.obs", "b.obs"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="would be that of 2 jobs"):
        jobs_of(tmp_path, '[[job]]\nrover = "*.obs"\nname = "x"\n')


def test_missing_file_of_jobs(tmp_path, capsys):
    assert main.run(["batch", str(tmp_path / "none.toml"), "-o", str(tmp_path)]) == 2
    assert "none.toml cannot be read: there is no such file" in capsys.readouterr().err


def test_every_known_key_is_taken(tmp_path):
    (tmp_path / "c.toml").write_text("ar = 'hold'\n")
    values = {
        "rover": '"r"', "base": '"b"', "nav": '"n"', "base_xyz": "[-3817681.0, 3562839.0, 3650159]",
        "base_llh": "[35.0, 137.0, 100.0]", "base_position": '"single"', "mode": '"static"',
        "ar": '"hold"', "profile": '"safe"', "direction": '"backward"', "static_start_s": "5",
        "systems": '"G"', "bands": '"G12"', "elevation_mask_deg": "15", "strict": "true",
        "tow": "true", "velocity": "true", "name": '"x"', "format": '"kml"',
        "config": "{ar = 'off'}", "config_file": '"c.toml"', "force": "true",
        "antex": '"a.atx"', "rover_antenna": '"A NONE"', "base_antenna": '"B NONE"',
        "coordinates": '"antenna"',
    }  # fmt: skip
    assert set(values) == set(KNOWN_KEYS)
    plain = '[[job]]\nrover = "q"\nnav = "m"\nbase = "d"\n'
    (before,) = jobs_of(tmp_path, plain, "")
    for key, value in values.items():
        lines = [line for line in plain.splitlines() if not line.startswith(f"{key} ")]
        (after,) = jobs_of(tmp_path, "\n".join([*lines, f"{key} = {value}\n"]), "")
        assert after != before, key
