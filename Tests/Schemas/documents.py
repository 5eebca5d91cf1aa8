"""Checks asyncapi.yaml and openapi/*.yaml: they parse, every reference leads somewhere, and asyncapi.yaml tells of every message."""

import json
import os

import jsonschema
import yaml

from definitions import references
from schema_set import ROOT, kind


def load(path):
    text = path.read_text("utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


def at_pointer(document, pointer):
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def lost_references(path, document):
    for reference in references(document):
        file, _, pointer = reference.partition("#")
        try:
            at_pointer(document if not file else load((path.parent / file).resolve()), pointer)
        except (KeyError, IndexError, ValueError, OSError):
            yield f"{path.relative_to(ROOT)}: {reference} leads nowhere"


def messages_of(asyncapi):
    return [(name, message["payload"]["schema"]["$ref"]) for name, message in asyncapi["components"]["messages"].items() if "schema" in message["payload"]]


def check(schemas):
    asyncapi = ROOT / "asyncapi.yaml"
    openapi = sorted((ROOT / "openapi").glob("*.yaml"))
    faults = []
    documents = {path: load(path) for path in [asyncapi, *openapi]}
    for path, document in documents.items():
        faults += lost_references(path, document)
    told = {(ROOT / file).resolve() for _, file in messages_of(documents[asyncapi])}
    for path in schemas.paths.values():
        if path.parent.name in ("commands", "queries", "events", "replies") and path not in told:
            faults.append(f"asyncapi.yaml does not tell of {kind(path)}")
    channels = documents[asyncapi]["channels"]
    for name, folder in [("commands", "commands"), ("queries", "queries"), ("events", "events")]:
        types = sorted(path.name.removesuffix(".json") for path in (ROOT / folder).glob("*.json"))
        if sorted(channels[name]["parameters"]["type"]["enum"]) != types or len(channels[name]["messages"]) != len(types):
            faults.append(f"asyncapi.yaml: the channel {name} does not have the messages of {folder}/")
    for path in openapi:
        faults += operations(path, documents[path])
    return faults + list(by_others(documents[asyncapi], {path.name: documents[path] for path in openapi}))


def operations(path, document):
    if not str(document.get("openapi")).startswith("3."):
        yield f"{path.name}: not OpenAPI 3"
    for address, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters" and not ("operationId" in operation and operation.get("responses")):
                yield f"{path.name}: {method} {address} has no operationId or no responses"


def by_schema(variable, documents):
    file = os.environ.get(variable)
    if not file:
        return
    with open(file, encoding="utf-8") as opened:
        schema = json.load(opened)
    validator = jsonschema.validators.validator_for(schema)(schema)
    for name, document in documents:
        for error in validator.iter_errors(document):
            yield f"{name}: {error.json_path}: {error.message[:300]}"


def by_others(asyncapi, openapi):
    """By the schemas of AsyncAPI and CloudEvents, where variables name their files, and by openapi-spec-validator, where it is installed."""
    yield from by_schema("ASYNCAPI_SCHEMA", [("asyncapi.yaml", asyncapi)])
    types = [path.name.removesuffix(".json") for path in (ROOT / "events").glob("*.json")]
    examples = [path for type in types for path in (ROOT / "examples" / "valid" / type).glob("*.json")]
    yield from by_schema("CLOUDEVENTS_SCHEMA", [(str(path.relative_to(ROOT)), load(path)) for path in examples])
    try:
        from openapi_spec_validator import validate
    except ImportError:
        return
    for name, document in openapi.items():
        try:
            validate(document)
        except Exception as fault:
            yield f"{name}: {str(fault)[:300]}"
