"""The alert rules with their times made shorter, so that what takes an hour can be seen in a minute.

`for`, intervals and ranges are divided by FACTOR; ages in seconds that a gauge is compared with, too. Bounds: a range keeps the few scrapes that a rate
needs, `for` is at most a minute, and an age at least as long as two looks of a worker at its database. What counts commands stays as it is. A worker's
memory is compared with a sixth of the bound: by its own limits it takes no more than 110 MB of a few hundred large bodies.
"""
import re

import yaml


FACTOR = 60
LEAST_RANGE, MOST_FOR, LEAST_AGE, MEMORY_FACTOR = 5, 60, 10, 6
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def in_seconds(duration):
    return sum(float(n) * UNITS[u] for n, u in re.findall(r"(\d+)([smhd])", duration))


def shorter(duration, least, most=None):
    scaled = max(least, round(in_seconds(duration) / FACTOR))
    return f"{min(scaled, most) if most else scaled}s"


def scaled_expression(expression):
    def ranges(match):
        whole, step = match[1], match[2]
        return f"[{shorter(whole, LEAST_RANGE)}{':1s' if step else ''}]"

    expression = re.sub(r"\[(\d+[smhd])(:\d+[smhd])?\]", ranges, expression)
    expression = re.sub(r"(process_resident_memory_bytes[^>]*> )(\d+)", lambda match: f"{match[1]}{int(match[2]) // MEMORY_FACTOR}", expression)
    return re.sub(
        r"(orders_(?:outbox_oldest|payments_oldest_open|oldest_in_status)_seconds[^>]*> )(\d+)",
        lambda match: f"{match[1]}{max(LEAST_AGE, int(match[2]) // FACTOR)}", expression)


def scaled_rules(document):
    rules = yaml.safe_load(document)
    for group in rules["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = scaled_expression(rule["expr"])
            if "for" in rule:
                rule["for"] = shorter(rule["for"], 1, MOST_FOR)
    return yaml.safe_dump(rules, sort_keys=False, width=200)


def range_of_dashboard(expression):
    """A query as Grafana would send it for all namespaces and jobs."""
    return expression.replace("$__rate_interval", "15s").replace("$namespace", ".*").replace("$job", ".*")


