#!/usr/bin/env python3
"""Has every alert fire and end by its cause, with real servers, and asks every query of the dashboards. Usage: monitoring_live.py FOLDER

Needs a stack in FOLDER/stack (scripts/stack), ORDER_WORKER_EXECUTABLE, and Debian's prometheus and prometheus-alertmanager: `scripts/monitoring`.
ORDER_WORKER_ALERTS, some alerts by comma, makes only the causes of these. ORDER_WORKER_OTHER is a program of another version.
"""
import os
import pathlib
import re
import signal
import sys
import time

import monitoring_dashboards
import monitoring_rules
from monitoring_causes import not_caused, phases
from monitoring_rig import Rig
from monitoring_scale import FACTOR, range_of_dashboard
from worker import check, counts

# Section of the contract, or of docs/operations.md: labels that each has, and which must have been above 0.
LABELS = {
    "orders_commands_total": {"type", "outcome"}, "orders_command_duration_seconds": {"type"}, "orders_command_age_seconds": {"type"},
    "orders_events_published_total": {"type"}, "orders_retries_total": {"reason"}, "orders_dead_letters_total": {"reason"},
    "orders_in_status": {"status"}, "orders_oldest_in_status_seconds": {"status"}, "orders_revenue_minor_total": {"currency"},
    "orders_dependency_up": {"name"}, "orders_adapter_duration_seconds": {"adapter", "operation", "outcome"}, "orders_cache_requests_total": {"result"},
    "orders_queue_messages_ready": {"queue"}, "orders_queue_consumers": {"queue"}, "orders_dependency_latency_seconds": {"name"},
    "orders_build_info": {"version"},
}
table = []


def say(*words):
    print(f"[{time.strftime('%H:%M:%S')}]", *words, flush=True)


def run(rig, wanted):
    begin = time.time()
    quiet(rig, "a first installation, and a minute of orders", 70)
    for worker in rig.workers:
        worker.restart()
        rig_ready(worker)
    quiet(rig, "a rollout", 20)
    open_causes = []
    for causes in phases(rig):
        causes = [cause for cause in causes if not wanted or wanted & set(cause.alerts)]
        if causes:
            phase(rig, causes, open_causes)
    await_ends(rig, open_causes)
    check_texts(rig)
    if not wanted:
        check_metrics(rig, begin)
        check_queries(rig, begin)


def rig_ready(worker):
    until = time.monotonic() + 60
    while not worker.is_ready():
        if not check(time.monotonic() < until, worker.name, "does not get ready"):
            return
        time.sleep(0.2)


def quiet(rig, what, seconds):
    """Nothing fires meanwhile."""
    begin = time.monotonic()
    while time.monotonic() < begin + seconds:
        time.sleep(0.5)
    fired = {name for name, times in rig.watch.began.items() if times[-1] >= begin}
    check(not fired, what, f"{sorted(fired)} fired")
    say(f"{what}: {sorted(fired) or 'nothing'} fired")


def phase(rig, causes, open_causes):
    say("made:", "; ".join(cause.what for cause in causes))
    for cause in causes:
        if not cause.begun_before:
            none_of_it_fires(rig, cause)
        cause.begun = cause.begun_before() if cause.begun_before else time.monotonic()
        cause.make()
    for cause in causes:
        cause.fired = {name: first(rig, name, cause.begun, cause.begun + cause.fires) for name in cause.alerts}
        say(f"{cause.what}:", {name: took and round(took) for name, took in cause.fired.items()})
    for cause in causes:
        cause.mend()
        cause.mended = time.monotonic()
    # Those that look back for many minutes end while others are made.
    long = [cause for cause in causes if cause.resolves > 200]
    await_ends(rig, [cause for cause in causes if cause not in long])
    open_causes += long


def none_of_it_fires(rig, cause):
    """What another cause left behind would be taken for this one's."""
    until = time.monotonic() + 90
    while rig.watch.active.keys() & set(cause.alerts):
        if time.monotonic() > until:
            check(False, cause.what, f"{sorted(rig.watch.active.keys() & set(cause.alerts))} fire before it is made")
            return
        time.sleep(0.3)


def first(rig, name, begun, until):
    """Seconds until it fired, below 0 where it did already; None where it did not in time."""
    while True:
        since = rig.watch.active.get(name) or next((at for at in rig.watch.began.get(name, []) if at >= begun), None)
        if since is not None:
            return since - begun
        if time.monotonic() > until:
            return None
        time.sleep(0.3)


def await_ends(rig, causes):
    for cause in causes:
        for name in cause.alerts:
            until = cause.mended + cause.resolves
            while name in rig.watch.active and time.monotonic() < until:
                time.sleep(0.3)
            ended = None if name in rig.watch.active else max(0, rig.watch.ended.get(name, cause.mended) - cause.mended)
            check(cause.fired[name] is not None, name, f"did not fire within {cause.fires} s: {cause.what}")
            check(ended is not None, name, f"did not end within {cause.resolves} s of the mending: {cause.what}")
            table.append((name, cause.what, cause.fired[name], ended))


def check_texts(rig):
    """What people are sent has its values in it."""
    for name, notes in rig.watch.texts.items():
        for text in notes.values():
            check(not re.search(r"<error|<no value>|\{\{|  |^ ", text), name, f"says: {text}")
        say(f"{name}: {notes['summary']}")


def check_metrics(rig, begin):
    """Each metric has had a value that is not 0, with the labels that are promised."""
    for name in sorted(monitoring_rules.known_metrics()):
        rows = rig.prometheus.series(name, begin) or rig.prometheus.series(f"{name}_count", begin)
        check(any(value for _, values in rows for value in values), name, "has no data")
        for labels, _ in rows:
            missing = LABELS.get(name, set()) - labels.keys()
            check(not missing, name, f"has not the labels {sorted(missing)}")
    for outcome in ("accepted", "rejected", "duplicate", "dead_lettered"):
        rows = rig.prometheus.series(f'orders_commands_total{{outcome="{outcome}"}}', begin)
        check(any(max(values) > 0 for _, values in rows), "orders_commands_total", f"no command ended as {outcome}")


def check_queries(rig, begin):
    """Each query of each dashboard, as Grafana sends it for all namespaces and jobs."""
    count = 0
    for name, dashboard in monitoring_dashboards.dashboards().items():
        for title, expression in monitoring_dashboards.expressions(dashboard):
            rows = rig.prometheus.series(range_of_dashboard(expression), begin)
            count += 1
            check(rows, f"{name}: {title}", f"has no data: {expression}")
    say(f"{count} queries of the dashboards asked")


def report(left):
    def seconds(value):
        return "never" if value is None else "already" if value < 0 else f"{value:.0f} s"

    print(f"\nTimes of the rules are divided by {FACTOR}; those below are real.\n\n| alert | cause | fired after | ended after |\n| --- | --- | --- | --- |")
    for name, cause, fired, ended in table:
        print(f"| {name} | {cause} | {seconds(fired)} | {seconds(ended)} |")
    for name, why in left.items():
        print(f"| {name} | not made: {why} | promtool | promtool |")


def main():
    # What was started ends with a run that is told to.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(sys.argv[1]).resolve()
    wanted = set(filter(None, os.environ.get("ORDER_WORKER_ALERTS", "").split(",")))
    rig = Rig(folder / "run", os.environ["ORDER_WORKER_EXECUTABLE"])
    try:
        rig.start()
        run(rig, wanted)
    finally:
        rig.end()
    left = not_caused(rig)
    report(left)
    names = {alert["alert"] for alert in monitoring_rules.alerts()}
    shown = {row[0] for row in table} | left.keys()
    check(wanted or shown == names, "causes", f"none is there for {sorted(names - shown)}")
    check(not rig.load.faults or wanted, "load", f"{rig.load.faults[:3]}")
    print(f"\nmonitoring: {counts['passed']} passed, {counts['failed']} failed")
    sys.exit(1 if counts["failed"] else 0)


main()
