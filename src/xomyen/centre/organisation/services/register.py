"""Reads the official units of Viet Nam, of before and after 1 July 2025, out of the package `vietnamadminunits`."""

import datetime
import importlib.util
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xomyen.centre.organisation.models import SuccessionKind, UnitKind
from xomyen.terms.errors import InvalidConfiguration

REFORM = datetime.date(2025, 7, 1)
"""Districts ended, provinces and communes were arranged anew (resolution 202/2025/QH15 and those on communes)."""

_NEW = """SELECT province, provinceShort, provinceCode, provinceKey, provinceLat, provinceLon,
    ward, wardShort, wardType, wardCode, wardKey, wardLat, wardLon FROM admin_units"""
_OLD = """SELECT province, provinceShort, provinceCode, provinceKey, provinceLat, provinceLon,
    district, districtShort, districtType, districtCode, districtKey, districtLat, districtLon,
    ward, wardShort, wardType, wardCode, wardKey, wardLat, wardLon FROM admin_units_legacy"""


@dataclass(slots=True)
class Listed:
    """An official unit as the lists have it."""

    key: str  # the package's own name for it, unique among the old ones or the new ones
    kind: Any  # a UnitKind
    code: str
    type_name: str
    name: str
    latitude: float | None
    longitude: float | None
    parent: str | None  # key

    @property
    def called(self) -> tuple[str, str]:
        """What it is called, however it is capitalised (Krong and KRong are one)."""
        return self.type_name.casefold(), self.name.casefold()


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A new unit (key) has an old one (key), or a part of it; `main`: most of it, where the old one was divided."""

    old: str
    new: str
    kind: Any  # a SuccessionKind
    whole: bool
    main: bool


@dataclass(frozen=True, slots=True)
class Lists:
    """Both lists, and what became what; units that went on unchanged or only renamed are in `same` (old: new)."""

    old: dict[str, Listed]
    new: dict[str, Listed]
    taken_over: list[TakenOver]
    same: dict[str, str]


def _folder() -> Path:
    # The package's own modules take seconds to load (pandas) and are not needed: only its files are read.
    found = importlib.util.find_spec("vietnamadminunits")
    if found is None or not found.submodule_search_locations:
        raise InvalidConfiguration("The list of administrative units (package vietnamadminunits) is not installed.")
    return Path(found.submodule_search_locations[0]) / "data"


def _split(written: str, short: str, declared: str | None) -> tuple[str, str]:
    """`Xã Yên Viên` into its type and its name; the lists' own columns are wrong or annotated in some rows."""
    for known in ("Thành phố", "Thị trấn", "Thị xã", "Đặc khu", "Phường", "Huyện", "Quận", "Tỉnh", "Xã"):
        if written.casefold().startswith(known.casefold() + " "):
            return known, written[len(known) + 1 :].strip()
    return declared or "", short


def _listed(row: sqlite3.Row, level: str, kind: Any, key: str, parent: str | None) -> Listed:
    type_name, name = _split(row[level], row[f"{level}Short"], None if level == "province" else row[f"{level}Type"])
    return Listed(key, kind, row[f"{level}Code"], type_name, name, row[f"{level}Lat"], row[f"{level}Lon"], parent)


def _rows(connection: sqlite3.Connection, query: str) -> Iterator[sqlite3.Row]:
    connection.row_factory = sqlite3.Row
    yield from connection.execute(query)


def read_lists() -> Lists:
    """Both lists and the conversion. Raises InvalidConfiguration when they are not installed."""
    folder = _folder()
    old: dict[str, Listed] = {}
    new: dict[str, Listed] = {}
    with closing(sqlite3.connect(f"file:{folder / 'dataset.db'}?mode=ro&immutable=1", uri=True)) as connection:
        for row in _rows(connection, _OLD):
            province, district = row["provinceKey"], f"{row['provinceKey']}_{row['districtKey']}"
            if province not in old:
                old[province] = _listed(row, "province", UnitKind.PROVINCE, province, None)
            if district not in old:
                old[district] = _listed(row, "district", UnitKind.DISTRICT, district, province)
            if row["wardCode"]:  # island districts had no communes
                key = f"{district}_{row['wardKey']}"
                old[key] = _listed(row, "ward", UnitKind.COMMUNE, key, district)
        for row in _rows(connection, _NEW):
            province = row["provinceKey"]
            if province not in new:
                new[province] = _listed(row, "province", UnitKind.PROVINCE, province, None)
            key = f"{province}_{row['wardKey']}"
            new[key] = _listed(row, "ward", UnitKind.COMMUNE, key, province)
    conversion = json.loads((folder / "converter_2025.json").read_text(encoding="utf-8"))
    return _compared(old, new, conversion)


def _compared(old: dict[str, Listed], new: dict[str, Listed], conversion: dict[str, Any]) -> Lists:
    """What became what: units with one predecessor, one successor and one code are the same unit."""
    parts = _parts(conversion)
    predecessors: dict[str, list[str]] = defaultdict(list)
    for before, after, _, _ in parts:
        predecessors[after].append(before)
    same: dict[str, str] = {}
    taken_over: list[TakenOver] = []
    for before, after, whole, main in parts:
        one, other = old[before], new[after]
        alone = whole and len(predecessors[after]) == 1
        if alone and (one.kind, one.code) == (other.kind, other.code):
            same[before] = after
            continue
        kind = SuccessionKind.RENAME if alone else SuccessionKind.MERGE if whole else SuccessionKind.SPLIT
        taken_over.append(TakenOver(before, after, kind, whole, main))
    gone = {part.old for part in taken_over}
    for key, district in old.items():
        if district.kind == UnitKind.DISTRICT and key not in gone:
            top = next(after for before, after, _, _ in parts if before == district.parent)
            taken_over.append(TakenOver(key, top, SuccessionKind.ABOLISH, whole=True, main=True))
    return Lists(old, new, taken_over, same)


def _parts(conversion: dict[str, Any]) -> list[tuple[str, str, bool, bool]]:
    """(old key, new key, wholly, the greatest part) of provinces and communes."""
    found = [(old, new, True, True) for new, olds in conversion["DICT_PROVINCE"].items() for old in olds]
    for province, wards in conversion["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        # An island district without communes ends with the separator.
        found += [(old.rstrip("_"), f"{province}_{ward}", True, True) for ward, olds in wards.items() for old in olds]
    for province, olds in conversion["DICT_PROVINCE_WARD_DIVIDED"].items():
        found += [
            (old, f"{province}_{part['newWardKey']}", False, part["isDefaultNewWard"])
            for old, parts in olds.items()
            for part in parts
        ]
    return found
