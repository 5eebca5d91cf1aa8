"""Alert rules: the same for Prometheus and for its operator, each with a part of the runbook and a test, over metrics that there are."""
import os
import pathlib
import re

import yaml

from worker import ROOT, Worker, check, seconds, sources, text

COMPONENT = "k8s/components/monitoring"
RULES = f"{COMPONENT}/alerts.yaml"
RESOURCE = f"{COMPONENT}/prometheusrule.yaml"
# What docs/operations.md has promised from the first version on, whoever looks at it.
PROMISED = set("""
    orders_commands_total orders_command_duration_seconds orders_batch_size orders_events_published_total orders_retries_total orders_dead_letters_total
    orders_dead_letters_parked orders_outbox_pending orders_outbox_oldest_seconds orders_in_status orders_oldest_in_status_seconds
    orders_revenue_minor_total orders_dependency_up orders_adapter_duration_seconds orders_cache_requests_total messaging_process_duration_seconds
    messaging_client_sent_messages_total messaging_client_consumed_messages_total""".split())
HEAD = """# Made from alerts.yaml by `scripts/monitoring render`: change that, not this.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: order-worker
  labels:
    app.kubernetes.io/name: order-worker
    app.kubernetes.io/component: worker
    app.kubernetes.io/part-of: order-worker
spec:
"""


def groups():
    return yaml.safe_load(text(RULES))["groups"]


def alerts():
    return [rule for group in groups() for rule in group["rules"] if "alert" in rule]


def recorded():
    return {rule["record"] for group in groups() for rule in group["rules"] if "record" in rule}


def known_metrics():
    """What the sources give the names of metrics, and what their histograms make of them."""
    shown = sources("Sources/Operations/Metrics") + sources("Sources/Operations/Health") + sources("Sources/Worker")
    return set(re.findall(r'"((?:orders|messaging|process)_[a-z0-9_]+)"', shown)) - {"messaging_operation_name", "messaging_system"}


def metrics_of(expression):
    """Names in a PromQL expression, without labels and what a histogram adds."""
    bare = re.sub(r'"[^"]*"|\b(?:by|on|group_left|without) ?\([^)]*\)', "", expression)
    names = re.findall(r"\b(?:orders|messaging|process)[_:][a-z0-9_:]+|\bup\b|\bALERTS\b", bare)
    return {re.sub(r"_(bucket|sum|count)$", "", name) if ":" not in name else name for name in names}


def check_metrics(where, expression):
    used = metrics_of(expression)
    check(used, where, f"uses no metric: {expression}")
    unknown = used - known_metrics() - recorded() - {"up", "ALERTS"}
    check(not unknown, where, f"uses {sorted(unknown)}, which no worker shows")


def render():
    lines = text(RULES).partition("\ngroups:\n")[2].splitlines()
    return HEAD + "  groups:\n" + "".join(f"  {line}".rstrip() + "\n" for line in lines)


def anchors(path):
    """Of the headings of a page, as its readers make them."""
    headings = re.findall(r"^#+ (.*)$", text(path), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_all():
    check(text(RESOURCE) == render(), RESOURCE, "is not what scripts/monitoring render makes of alerts.yaml")
    check(yaml.safe_load(text(RESOURCE))["spec"]["groups"] == groups(), RESOURCE, "has other groups than alerts.yaml")
    check(PROMISED <= known_metrics(), "Sources", f"no longer show {sorted(PROMISED - known_metrics())}")
    there = anchors("docs/runbook.md")
    explained = text("docs/monitoring.md")
    for group in groups():
        for rule in group["rules"]:
            check_metrics(f"{RULES}: {rule.get('alert') or rule['record']}", rule["expr"])
    for alert in alerts():
        where = f"{RULES}: {alert['alert']}"
        check(alert["labels"].get("severity") in ("page", "ticket"), where, "is neither a page nor a ticket")
        notes = alert["annotations"]
        check(notes.keys() == {"summary", "description", "runbook_url"}, where, f"has the annotations {sorted(notes)}")
        page, _, anchor = notes["runbook_url"].partition("#")
        check(page.endswith("runbook.md") and anchor in there, where, f"leads to {notes['runbook_url']}, which is no part of the runbook")
        check(f"`{alert['alert']}`" in explained, where, "is not in docs/monitoring.md")
        check(f"`{alert['alert']}`" in text("docs/runbook.md"), where, "is not in docs/runbook.md")
    for name in set(re.findall(r"`(Orders[A-Za-z]+)`", explained + text("docs/runbook.md"))):
        check(name in {alert["alert"] for alert in alerts()}, "docs", f"{name} is no alert")
    check_tests()
    check_thresholds()
    check_inhibitions()
    check_resources()


def check_tests():
    """Each alert fires in a test, and does not in another moment of a test that is about it."""
    fires, silent = set(), set()
    for path in sorted((ROOT / COMPONENT / "tests").glob("*.yaml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            subject = test["name"].partition(":")[0]
            for moment in test["promql_expr_test"]:
                firing = {name for sample in moment["exp_samples"] for name in re.findall(r'alertname="(\w+)"', sample["labels"])}
                fires |= firing & {subject}
                if subject not in firing:
                    silent.add(subject)
    names = {alert["alert"] for alert in alerts()}
    check(fires == names, f"{COMPONENT}/tests", f"do not show that these fire: {sorted(names - fires)}")
    check(silent == names, f"{COMPONENT}/tests", f"do not show that these stay silent: {sorted(names - silent)}")


def threshold(name):
    expression = next(alert["expr"] for alert in alerts() if alert["alert"] == name)
    return float(re.search(r"> ([\d.]+)", expression)[1])


def check_thresholds():
    """Numbers that follow from others."""
    worker = yaml.safe_load(text("k8s/base/deployment.yaml"))["spec"]["template"]["spec"]["containers"][0]
    limit = worker["resources"]["limits"]["memory"]
    bytes_ = float(re.match(r"\d+", limit)[0]) * 1024 ** {"Ki": 1, "Mi": 2, "Gi": 3}[limit[-2:]]
    check(0.8 * bytes_ <= threshold("OrdersWorkerMemoryHigh") <= 0.9 * bytes_, RULES, f"OrdersWorkerMemoryHigh does not fit the limit of {limit}")
    expiry = seconds(Worker.defaults["ORDERS_RESERVATION_TTL"])
    check(threshold("OrdersNotExpiring") >= 2 * expiry, RULES, "OrdersNotExpiring fires for orders that may still expire")
    give_up = seconds(Worker.defaults["ORDERS_PAYMENT_GIVE_UP"])
    check(threshold("OrdersPaymentsWait") < give_up, RULES, "OrdersPaymentsWait comes when the payments are given up already")


def check_inhibitions():
    """Alertmanager's file names alerts that there are."""
    names = {alert["alert"] for alert in alerts()}
    for rule in yaml.safe_load(text("monitoring/alertmanager.yml"))["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            _, operator, value = re.match(r'(\w+) ?(=~|=) ?"?([^"]*)"?$', matcher).groups()
            expanded = expand(value) if operator == "=~" else {value}
            check(expanded <= names, "monitoring/alertmanager.yml", f"names {sorted(expanded - names)}, which are no alerts")


def expand(pattern):
    """A|B(C|D)E as its words."""
    parts, depth, word = [], 0, ""
    for letter in pattern + "|":
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "|" and depth == 0:
            parts.append(word)
            word = ""
        else:
            word += letter
    words = set()
    for part in parts:
        inner = re.search(r"\(([^()]*)\)", part)
        words |= {w for choice in inner[1].split("|") for w in expand(part.replace(inner[0], choice, 1))} if inner else {part}
    return words


def check_resources():
    monitor = yaml.safe_load(text(f"{COMPONENT}/servicemonitor.yaml"))
    service = yaml.safe_load(text("k8s/base/service.yaml"))
    where = f"{COMPONENT}/servicemonitor.yaml"
    labels = service["metadata"]["labels"]
    check(monitor["spec"]["selector"]["matchLabels"].items() <= labels.items(), where, "does not select the Service")
    check(labels.get(monitor["spec"]["jobLabel"]) == "order-worker", where, "gives the job another name than the alerts ask for")
    for endpoint in monitor["spec"]["endpoints"]:
        check(endpoint["port"] in [port["name"] for port in service["spec"]["ports"]], where, f"asks at {endpoint['port']}, which the Service has not")
        check(endpoint["path"] in Worker.health_paths, where, f"asks for {endpoint['path']}, which is not served")
    scraped = {job["job_name"]: job for job in yaml.safe_load(text("monitoring/prometheus.yml"))["scrape_configs"]}
    port = scraped["order-worker"]["dns_sd_configs"][0]["port"]
    check(str(port) == Worker.defaults["ORDERS_HTTP_PORT"], "monitoring/prometheus.yml", f"scrapes the workers at port {port}")
    check_crds({"prometheusrules.yaml": RESOURCE, "servicemonitors.yaml": where})


def check_crds(files):
    folder = os.environ.get("ORDER_WORKER_CRDS")
    if not folder:
        print("monitoring: ORDER_WORKER_CRDS names no folder with the operator's CRDs, ServiceMonitor and PrometheusRule are not held against them")
        return
    from jsonschema import Draft202012Validator

    for crd, path in files.items():
        definition = yaml.safe_load((pathlib.Path(folder) / crd).read_text())["spec"]
        version = next(version for version in definition["versions"] if version["storage"])
        document = yaml.safe_load(text(path))
        check(document["kind"] == definition["names"]["kind"], path, f"is no {definition['names']['kind']}")
        check(document["apiVersion"] == f"{definition['group']}/{version['name']}", path, f"is of {document['apiVersion']}")
        schema = closed(version["schema"]["openAPIV3Schema"])
        # The API server's own.
        schema["properties"]["metadata"] = {"type": "object"}
        for error in Draft202012Validator(schema).iter_errors(document):
            check(False, path, f"{'/'.join(map(str, error.path))}: {error.message}")
        check(True, path, "fits its CRD")


def closed(schema):
    """The API server drops fields that a schema does not name; here they are faults."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return made
