"""The schemas of schemas/, and the verdict of a JSON Schema validator that is not the worker's."""

import json
from decimal import Decimal
from pathlib import Path

from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2] / "schemas"
COMMANDS = ["order.create", "order.update_status"]
QUERIES = ["order.get", "order.history", "order.list"]


def schema_files():
    """Every schema but the definitions, by its name: `order.create`, `order.created`, `command`, `order`."""
    files = sorted(ROOT.glob("*.json")) + sorted(ROOT.glob("[!e]*/*.json")) + sorted(ROOT.glob("events/*.json"))
    return {path.name.removesuffix(".json"): path for path in files if path.name != "definitions.json"}


def kind(path):
    """`urn:order-worker:schema:<kind>:1` is the schema's id."""
    name = path.name.removesuffix(".json")
    return name if path.parent == ROOT else f"{path.parent.name}:{name}"


def exact_number(text):
    """JSON Schema judges numbers by their value: 2.0 is an integer, and 0.1 is no binary fraction."""
    number = Decimal(text)
    if number.adjusted() < 400 and number == number.to_integral_value():
        return int(number)
    return number


def read(text):
    return json.loads(text, parse_float=exact_number)


class SchemaSet:
    def __init__(self):
        self.paths = schema_files()
        self.schemas = {name: json.loads(path.read_text("utf-8")) for name, path in self.paths.items()}
        self._validators = {name: Draft202012Validator(schema) for name, schema in self.schemas.items()}

    def check(self):
        """The schemas are schemas, under the ids that `dataschema` promises."""
        faults = []
        for name, schema in self.schemas.items():
            Draft202012Validator.check_schema(schema)
            if schema["$id"] != f"urn:order-worker:schema:{kind(self.paths[name])}:1":
                faults.append(f"{name}: $id is {schema['$id']}")
        return faults

    def is_valid(self, name, value):
        return self._validators[name].is_valid(value)

    def faults(self, name, value, most=3):
        """Sentences, the deepest faults first; none for a valid value."""
        errors = sorted(self._validators[name].iter_errors(value), key=lambda error: -len(error.absolute_path))
        return [f"{error.json_path}: {error.message[:200]}" for error in errors[:most]]
