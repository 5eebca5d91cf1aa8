"""Every schema holds copies of the definitions that it uses, so that it stands alone; this keeps them the same as in definitions.json."""

import json

from json_layout import laid_out
from schema_set import ROOT, schema_files

LOCAL = "#/$defs/"
SOURCE = ROOT / "definitions.json"


def references(value):
    if isinstance(value, dict):
        for name, member in value.items():
            if name == "$ref":
                yield member
            else:
                yield from references(member)
    elif isinstance(value, list):
        for element in value:
            yield from references(element)


def with_definitions(schema, definitions):
    """The schema with all that it refers to, directly or not, in the order of the source."""
    own = {name: member for name, member in schema.items() if name != "$defs"}
    wanted, waiting = set(), [own]
    while waiting:
        for reference in references(waiting.pop()):
            name = reference.removeprefix(LOCAL)
            if not reference.startswith(LOCAL) or name not in definitions:
                raise ValueError(f"{schema.get('$id')}: {reference} is no definition of {SOURCE.name}")
            if name not in wanted:
                wanted.add(name)
                waiting.append(definitions[name])
    used = {name: definition for name, definition in definitions.items() if name in wanted}
    return ({**own, "$defs": used} if used else own), wanted


def check(write):
    """Sentences on what is not as it should be; with `write` the files are put right instead."""
    source = json.loads(SOURCE.read_text("utf-8"))
    faults, used = [], set()
    wanted = {SOURCE: source}
    for path in schema_files().values():
        wanted[path], names = with_definitions(json.loads(path.read_text("utf-8")), source["$defs"])
        used |= names
    for path, schema in wanted.items():
        text = laid_out(schema)
        if path.read_text("utf-8") == text:
            continue
        if write:
            path.write_text(text, "utf-8")
        else:
            faults.append(f"{path.relative_to(ROOT)}: not as `scripts/schemas --write` writes it")
    return faults + [f"{SOURCE.name}: nothing uses {name}" for name in source["$defs"] if name not in used]
