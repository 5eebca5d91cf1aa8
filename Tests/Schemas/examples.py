"""Checks that each example is what its folder says: by the schemas, and commands and queries by the worker too."""

from agreement import line_of
from schema_set import COMMANDS, QUERIES, ROOT, read

# Folder: valid by the schema, valid by the worker. The worker's own corpus is what no schema can say.
VERDICTS = {"valid": (True, True), "invalid": (False, False), "worker": (True, False)}
FEWEST = {"valid": 1, "invalid": 3}


def examples():
    for path in sorted((ROOT / "examples").glob("*/*/*.json")):
        yield path, path.parts[-3], path.parts[-2]


def events(schemas):
    """The good ones, as (name, text, event)."""
    for path, folder, type in examples():
        if folder == "valid" and schemas.paths[type].parent.name == "events":
            text = path.read_text("utf-8")
            yield str(path.relative_to(ROOT)), text, read(text)


def check(schemas, worker):
    faults, lines = [], []
    for path, folder, type in examples():
        name = str(path.relative_to(ROOT))
        if folder not in VERDICTS or type not in schemas.schemas:
            faults.append(f"{name}: there is no such folder or message")
            continue
        text = path.read_text("utf-8")
        if schemas.is_valid(type, read(text)) != VERDICTS[folder][0]:
            faults.append(f"{name}: the schema says otherwise {schemas.faults(type, read(text))}")
        if type in COMMANDS + QUERIES:
            lines.append((name, VERDICTS[folder][1], line_of(type, text.replace("\n", " "))))
    for type in schemas.schemas:
        for folder, fewest in FEWEST.items():
            if len(list((ROOT / "examples" / folder / type).glob("*.json"))) < fewest:
                faults.append(f"examples/{folder}/{type}: fewer than {fewest}")
    verdicts = worker.verdicts([line for _, _, line in lines]) if worker else []
    for (name, expected, _), verdict in zip(lines, verdicts):
        if verdict["valid"] != expected or verdict["reason"] == "unknown_type":
            faults.append(f"{name}: validate says {verdict['reason'] or 'valid'} {verdict['errors'][:2]}")
    print(f"{len(list(examples()))} examples, {len(verdicts)} of them also by validate")
    return faults
