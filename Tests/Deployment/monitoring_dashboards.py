"""Grafana's dashboards: one form, and queries over metrics that there are."""
import json
import re

import yaml

from monitoring_rules import COMPONENT, check_metrics, known_metrics, metrics_of, recorded
from worker import ROOT, check, text

FOLDER = ROOT / COMPONENT / "dashboards"
# A ConfigMap that `kubectl apply` writes keeps itself in an annotation, which may have 256 KiB.
MOST_BYTES = 200_000


def dashboards():
    return {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def expressions(dashboard):
    """(panel's title, expression) of each query, of the annotations' too."""
    for note in dashboard["annotations"]["list"]:
        yield note["name"], note["expr"]
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def check_all():
    all_ = dashboards()
    listed = yaml.safe_load(text(f"{COMPONENT}/kustomization.yaml"))["configMapGenerator"][0]
    check(set(listed["files"]) == {f"dashboards/{name}" for name in all_}, f"{COMPONENT}/kustomization.yaml", "lists other dashboards than there are")
    check(listed["options"]["labels"].get("grafana_dashboard") == "1", f"{COMPONENT}/kustomization.yaml", "is not found by Grafana's sidecar")
    size = sum(path.stat().st_size for path in FOLDER.glob("*.json"))
    check(size < MOST_BYTES, FOLDER.name, f"{size} bytes are too many for one ConfigMap")
    for key in ("uid", "title"):
        check(len({dashboard[key] for dashboard in all_.values()}) == len(all_), FOLDER.name, f"two have the same {key}")
    used = set()
    for name, dashboard in all_.items():
        check_dashboard(name, dashboard)
        used |= {metric for _, expression in expressions(dashboard) for metric in metrics_of(expression)}
    unseen = known_metrics() - used
    check(not unseen, FOLDER.name, f"show nothing of {sorted(unseen)}")
    unused = {record for record in recorded() if not re.search(r"30m|2h|1d", record)} - used
    check(not unused, FOLDER.name, f"show nothing of {sorted(unused)}")


def check_dashboard(name, dashboard):
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    check(variables == {"datasource", "namespace", "job"}, name, f"has the variables {sorted(variables)}")
    ids = [panel["id"] for panel in dashboard["panels"]]
    check(len(ids) == len(set(ids)), name, "two panels have the same id")
    check_layout(name, dashboard["panels"])
    for panel in dashboard["panels"]:
        where = f"{name}: {panel['title']}"
        check(panel["title"] and panel.get("description", "").endswith((".", "error")), where, "has no title, or no description that is a sentence")
        check(panel["fieldConfig"]["defaults"].get("unit"), where, "has no unit")
        check(panel["datasource"]["uid"] == "${datasource}", where, "asks a data source of its own")
        letters = [target["refId"] for target in panel["targets"]]
        check(letters and len(letters) == len(set(letters)), where, "has no query, or two of one name")
    for title, expression in expressions(dashboard):
        where = f"{name}: {title}"
        check_metrics(where, expression)
        check(not re.search(r"(rate|increase)\(\w+(?!\{)[^{]*\[", expression), where, "counts all namespaces and jobs")
        for selector in re.findall(r"\b(?:(?:orders|process|messaging)[\w:]*|up\b)(\{[^}]*\})?", re.sub(r'"[^"]*"', lambda quoted: quoted[0].replace("orders", ""), expression)):
            check(selector.startswith('{namespace=~"$namespace",job=~"$job"'), where, f"does not ask for the chosen namespace and job: {selector}")


def check_layout(name, panels):
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        check(place["x"] + place["w"] <= 24 and not cells & taken, f"{name}: {panel['title']}", "lies on another panel, or beside the page")
        taken |= cells
