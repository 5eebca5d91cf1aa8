"""Lays out the JSON of schemas/: whatever fits on a line stands on one, so that people can read it."""

import json

WIDTH = 150


def laid_out(value):
    return _text(value, 0, 0) + "\n"


def _text(value, indent, used):
    flat = json.dumps(value, ensure_ascii=False)
    if indent + used + len(flat) <= WIDTH or not value or not isinstance(value, (dict, list)):
        return flat
    inside = " " * (indent + 2)
    if isinstance(value, dict):
        parts = []
        for name, member in value.items():
            key = json.dumps(name, ensure_ascii=False) + ": "
            parts.append(inside + key + _text(member, indent + 2, len(key) + 1))
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    if all(not isinstance(element, (dict, list)) for element in value):
        return "[\n" + _filled(value, inside) + "\n" + " " * indent + "]"
    return "[\n" + ",\n".join(inside + _text(element, indent + 2, 1) for element in value) + "\n" + " " * indent + "]"


def _filled(values, inside):
    lines, line = [], inside.rstrip("\n")
    for position, value in enumerate(values):
        word = json.dumps(value, ensure_ascii=False) + ("," if position < len(values) - 1 else "")
        if len(line) + len(word) + 1 > WIDTH:
            lines.append(line.rstrip())
            line = inside
        line += word + " "
    return "\n".join(lines + [line.rstrip()])
