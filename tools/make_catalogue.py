"""Make the catalogue of public data sets that the package carries.

    python tools/make_catalogue.py DATA_FOLDER [OUTPUT]

DATA_FOLDER holds `manifest.json` (for every file its public repository, commit, path, size and
SHA-256) and one folder per data set with README.md and, where there is one, truth.json. Only files
whose repository states a licence enter: `LICENCES` lists them, so a source that is forgotten here
is left out, never let in.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

OUTPUT = Path(__file__).resolve().parent.parent / "data" / "catalogue.json"

# Licence stated by each source repository, and whose work it is.
LICENCES = {
    "JonasBchrt/raw-gnss-fusion": ("LGPL-3.0", ""),
    "PrideLab/PRIDE-PPPAR": ("GPL-3.0", ""),
    "geospace-code/georinex": ("MIT", ""),
    "georust/rinex": ("MPL-2.0", ""),
    "h-shiono/MRTKLIB": ("BSD-2-Clause", ""),
    "hirokawa/cssrlib": ("MIT", "(c) 2021 Rui Hirokawa"),
    "hirokawa/cssrlib-data": ("MIT", "(c) 2022 Rui Hirokawa"),
    "nav-solutions/data": ("MPL-2.0", ""),
    "rodrigo-moliveira/PyGNSSFix": ("MIT", "(c) 2023 Rodrigo Oliveira"),
    "rtklibexplorer/GNSS_IMU": ("BSD-3-Clause", ""),
    "salmoshu/MobileGNSS-SPP": ("MIT", "(c) 2025 Winchell Hu"),
    "swift-nav/gnss-converters": ("LGPL-3.0", ""),
    "taroz/MatRTKLIB": ("MIT", "(c) 2023 Taro Suzuki"),
    "tomojitakasu/RTKLIB": ("BSD-2-Clause with additional clauses", "(c) T. Takasu"),
    "valgur/hatanaka": ("MIT", ""),
}
# Whom the measurements belong to, beside the licence of the repository.
ACKNOWLEDGE = {
    "kinematic-fujisawa-2021-265": "GEONET data (c) Geospatial Information Authority of Japan",
    "static-clas-fujisawa-2021-078": "GEONET data (c) Geospatial Information Authority of Japan",
    "static-geonet-2005": "GEONET data (c) Geospatial Information Authority of Japan",
    "network-netherlands-2021-001": "Dutch permanent networks and EUREF, open data",
    "ppp-ccj2-2021-210": "products of WHU, CODE and IGS, open with acknowledgement",
    "ppp-esbc-2020-177": "EPN and IGS products, open with acknowledgement",
    "ppp-jfng-2019-045": "IGS and CODE data, open with acknowledgement",
    "products-misc": "products of IGS, CODE, JPL, ESA and DLR, open with acknowledgement",
}
# What the files of a pair are for.
ROLES: dict[str, dict[str, list[str]]] = {
    "static-nagoya-2024": {"rover": ["rover.obs"], "base": ["base.obs"], "nav": ["base.nav"]},
    "static-geonet-2005": {
        "rover": ["07590920.05o"],
        "base": ["30400920.05o"],
        "nav": ["07590920.05n", "30400920.05n"],
    },
    "static-clas-fujisawa-2021-078": {
        "rover": ["SEPT078M1.21O"],
        "base": ["3034078M1.21O"],
        "nav": ["SEPT078M.21P"],
    },
    "kinematic-fujisawa-2021-265": {
        "rover": ["SEPT265G.21O"],
        "base": ["3034265G.21O"],
        "nav": ["SEPT2650.21P"],
    },
    "kinematic-phone-beijing-street": {"rover": ["rover.obs"], "nav": ["rover.nav"]},
    "kinematic-phone-beijing-elevated": {"rover": ["rover.obs"], "nav": ["rover.nav"]},
}


def make(folder: Path) -> dict[str, Any]:
    """The catalogue as plain data: data sets with a stated licence, sorted by name."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    files: dict[str, list[dict[str, Any]]] = {}
    for stored, entry in sorted(manifest.items()):
        if entry["repo"] in LICENCES:
            name, _, path = stored.partition("/")
            file = _file(path, entry)
            if file not in files.setdefault(name, []):
                files[name].append(file)
    return {"format": 1, "sets": [_data_set(folder, name, files[name]) for name in sorted(files)]}


def _file(path: str, entry: dict[str, Any]) -> dict[str, Any]:
    """One file under the name it has once downloaded: without the .gz that storing added."""
    address = f"{entry['repo']}/{entry['commit']}/{entry['path']}"
    return {
        "name": path.removesuffix(".gz") if entry["stored"] == "gunzipped" else path,
        "url": f"https://raw.githubusercontent.com/{quote(address)}",
        "sha256": entry["sha256"],
        "bytes": entry["bytes"],
        "licence": LICENCES[entry["repo"]][0],
    }


def _data_set(folder: Path, name: str, files: list[dict[str, Any]]) -> dict[str, Any]:
    """One data set with its licence, its truth and what its files are for."""
    repositories = sorted({"/".join(f["url"].split("/")[3:5]) for f in files})
    owners = {LICENCES[r][1] for r in repositories} - {""}
    owners |= {ACKNOWLEDGE[name]} if name in ACKNOWLEDGE else set()
    heading = (folder / name / "README.md").read_text(encoding="utf-8").splitlines()[0]
    truth = folder / name / "truth.json"
    return {
        "name": name,
        "title": heading.lstrip("# ").removeprefix(f"{name}: "),
        "licence": " / ".join(sorted({f["licence"] for f in files})),
        "credit": "; ".join(sorted(owners)),
        "source": [f"https://github.com/{r}" for r in repositories],
        "truth": json.loads(truth.read_text(encoding="utf-8")) if truth.exists() else None,
        "roles": ROLES.get(name, {}),
        "files": files,
    }


def main() -> None:
    """Write the catalogue."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    output = Path(sys.argv[2]) if len(sys.argv) == 3 else OUTPUT
    catalogue = make(Path(sys.argv[1]))
    text = json.dumps(catalogue, indent=1, sort_keys=True, ensure_ascii=True) + "\n"
    output.write_text(text, encoding="utf-8")
    total = sum(len(entry["files"]) for entry in catalogue["sets"])
    print(f"{output}: {len(catalogue['sets'])} data sets, {total} files")


if __name__ == "__main__":
    main()
