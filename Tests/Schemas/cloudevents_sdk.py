"""What the CloudEvents SDK of PyPI reads in an event. `scripts/schemas` installs it, where PyPI can be reached."""

from importlib import metadata

try:
    from cloudevents.http import from_json
except ImportError:
    from_json = None

NAME = f"cloudevents {metadata.version('cloudevents')}" if from_json else None
ATTRIBUTES = ("id", "source", "type", "subject")


def fault(text, event):
    """A sentence where the SDK cannot parse the structured event, or reads something else in it; `event` is the same text as JSON."""
    try:
        parsed = from_json(text)
    except Exception as refusal:
        return f"{NAME}: {str(refusal)[:200]}"
    read = {name: parsed.get(name) for name in ATTRIBUTES}
    if read != {name: event.get(name) for name in ATTRIBUTES}:
        return f"{NAME} reads {read}"
    return None if isinstance(parsed.data, dict) else f"{NAME} reads no object as data"


def check(examples):
    """Of (name, text, event): it takes every good event, and none whose id is missing or that is compared with another."""
    if not from_json:
        return []
    faults, count = [], 0
    for name, text, event in examples:
        count += 1
        found = fault(text, event)
        if found:
            faults.append(f"{name}: {found}")
        for wrong in (text.replace('"id"', '"i"', 1), text.replace(event["type"], "x", 1), text.replace(event["subject"], "x", 1), text[:-2]):
            if not fault(wrong, event):
                faults.append(f"{name}: {NAME} finds nothing wrong in {wrong[:200]}")
    print(f"{count} examples of events also by {NAME}")
    return faults
