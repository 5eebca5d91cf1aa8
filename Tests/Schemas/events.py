"""Checks a file of events, one a line as `order-worker watch --json` prints them: each by its schema and by
the CloudEvents SDK, and those of an order by their versions."""

import json
import sys
from collections import Counter
from decimal import Decimal

import cloudevents_sdk
from schema_set import SchemaSet, read


class EventCheck:
    def __init__(self, schemas, complete=False):
        self.schemas = schemas
        self.complete = complete
        self.faults = []
        self.types = Counter()
        self.repeats = 0
        self._bodies = {}
        self._versions = {}

    def take(self, place, text):
        try:
            event = read(text)
            type = event["type"]
            is_known = type in self.schemas.schemas and self.schemas.paths[type].parent.name == "events"
        except (ValueError, KeyError, TypeError) as fault:
            return self._fault(place, f"not an event: {fault!r}")
        if not is_known:
            return self._fault(place, f"there is no event {type}")
        broken = self.schemas.faults(type, event)
        for fault in broken:
            self._fault(place, f"{type}: {fault}")
        other = cloudevents_sdk.fault(text, event) if cloudevents_sdk.NAME else None
        if other:
            self._fault(place, other)
        if broken or other:
            return
        self.types[type] += 1
        if self._is_repeat(place, event):
            return
        data = event["data"]
        order = data["command"] if type == "order.command_rejected" else data
        if not event["subject"] == event["partitionkey"] == order["order_id"]:
            self._fault(place, "subject, partitionkey and order_id differ")
        if type != "order.command_rejected":
            self._version(place, event)

    def _is_repeat(self, place, event):
        """The same id is the same event, to the last value."""
        first = self._bodies.setdefault((event["source"], event["id"]), event)
        if first is event:
            return False
        if first != event:
            self._fault(place, f"{event['id']} came with other content before")
        self.repeats += 1
        return True

    def _version(self, place, event):
        """First appearances of an order's events are in the order of its versions, and none is left out."""
        data, order = event["data"], (event["source"], event["subject"])
        version, before = data["version"], self._versions.get(order)
        self._versions[order] = event
        if int(event["sequence"]) != version:
            self._fault(place, f"sequence {event['sequence']} is not version {version}")
        if event["source"] != "/orders/" + data["tenant_id"]:
            self._fault(place, f"source {event['source']} is not of tenant {data['tenant_id']}")
        if not adds_up(data):
            self._fault(place, f"{event['subject']}: the amounts do not add up")
        if before is None:
            if version != 1 and self.complete:
                self._fault(place, f"{event['subject']} begins with version {version}")
            return
        if version != before["data"]["version"] + 1:
            self._fault(place, f"{event['subject']}: version {version} comes after {before['data']['version']}")
        elif data["previous_status"] != before["data"]["status"]:
            self._fault(place, f"{event['subject']}: previous_status {data['previous_status']} after {before['data']['status']}")
        for name in ("customer_id", "currency", "total_amount", "items", "metadata", "created_at"):
            if data[name] != before["data"][name]:
                self._fault(place, f"{event['subject']}: {name} changed")
        if data["updated_at"] < before["data"]["updated_at"]:
            self._fault(place, f"{event['subject']}: updated_at went back")

    def _fault(self, place, sentence):
        self.faults.append(f"{place}: {sentence}")

    def report(self):
        return {
            "events": sum(self.types.values()), "repeats": self.repeats, "orders": len(self._versions), "types": dict(sorted(self.types.items())),
            "sdk": cloudevents_sdk.NAME, "faults": len(self.faults),
        }


def adds_up(order):
    lines = order["items"]
    return all(line["quantity"] * Decimal(line["unit_price"]) == Decimal(line["total_price"]) for line in lines) and Decimal(order["total_amount"]) == sum(
        Decimal(line["total_price"]) for line in lines)


def main(arguments):
    flags, files = {argument for argument in arguments if argument.startswith("--")}, [argument for argument in arguments if not argument.startswith("--")]
    if flags - {"--complete", "--sdk"}:
        sys.exit(f"events: no such option: {' '.join(sorted(flags - {'--complete', '--sdk'}))}")
    if not cloudevents_sdk.NAME:
        print("events: the CloudEvents SDK is not here, and its part is left out", file=sys.stderr)
        if "--sdk" in flags:
            return 1
    check = EventCheck(SchemaSet(), "--complete" in flags)
    for name in files or ["-"]:
        with sys.stdin if name == "-" else open(name, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    check.take(f"{name}:{number}", line)
    for fault in check.faults[:50]:
        print(fault, file=sys.stderr)
    print(json.dumps(check.report()))
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
