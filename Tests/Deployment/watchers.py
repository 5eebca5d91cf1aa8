"""Prometheus, Alertmanager and Grafana in docker-compose.yml: what they are given to read exists, and leads to services that are there."""
import pathlib
import re
from urllib.parse import urlsplit

import yaml

from worker import ROOT, Worker, check, text

FILE = "docker-compose.yml"
# Which plugin of RabbitMQ serves which port.
PLUGINS = {"15672": "rabbitmq_management", "15692": "rabbitmq_prometheus"}


def mounts(service):
    """(file here, path in the container) of what is mounted from this folder."""
    return [(parts[0], parts[1]) for parts in (volume.split(":") for volume in service.get("volumes", [])) if parts[0].startswith(".")]


def check_all(document):
    services = document["services"]
    for name, service in services.items():
        check_mounts(f"{FILE}: {name}", service)
        check_options(f"{FILE}: {name}", service)
        check_probe(f"{FILE}: {name}", service)
    check_plugins(document)
    check_prometheus(services)
    check_grafana(services)


def check_mounts(where, service):
    for source, target in mounts(service):
        path = ROOT / source
        check(path.exists(), where, f"mounts {source}, which does not exist")
        check(not path.exists() or path.is_file() == bool(pathlib.PurePath(target).suffix), where, f"{source} and {target} are not both a file or both a folder")
        check(f"{source}:{target}:ro" in service["volumes"], where, f"may write to {source}")


def check_options(where, service):
    """--config.file=… is a file that is mounted, --storage…path=… a folder that is a volume."""
    targets = {volume.split(":")[1] for volume in service.get("volumes", [])}
    for option in service.get("command", []):
        if match := re.fullmatch(r"--(config\.file|storage\.(?:tsdb\.)?path)=(.*)", str(option)):
            check(match[2] in targets, where, f"{option}: nothing is mounted there")


def check_probe(where, service):
    """A probe by HTTP asks at a port that the service has."""
    for argument in service.get("healthcheck", {}).get("test", []):
        if str(argument).startswith("http://"):
            check(str(urlsplit(argument).port) in listening(service), where, f"its health is asked at {argument}, and it listens at {sorted(listening(service))}")


def listening(service):
    if str(service.get("image", "")).startswith("order-worker:") and service["command"][0] == "run":
        return {Worker.defaults["ORDERS_HTTP_PORT"]}
    return {str(port).split(":")[-1] for port in service.get("ports", [])}


def check_plugins(document):
    service, configs = document["services"]["rabbitmq"], document.get("configs", {})
    given = [configs[entry["source"]]["content"] for entry in service.get("configs", []) if entry["target"] == "/etc/rabbitmq/enabled_plugins"]
    for port, plugin in PLUGINS.items():
        on = given and plugin in re.findall(r"\w+", given[0])
        check(on or port not in listening(service), f"{FILE}: rabbitmq", f"shows port {port}, and {plugin} is not enabled")


def check_target(where, services, host, port):
    if host != "localhost" and check(host in services, where, f"leads to {host}, which is no service"):
        check(str(port) in listening(services[host]), where, f"leads to port {port} of {host}, which listens at {sorted(listening(services[host]))}")


def read(service, target):
    """What is mounted at a path, read as YAML; nothing where it is missing, which was said already."""
    source = next((source for source, at in mounts(service) if at == target), None)
    return yaml.safe_load(text(source)) if source and (ROOT / source).is_file() else None


def check_prometheus(services):
    service = services["prometheus"]
    folder = pathlib.PurePath("/etc/prometheus")
    config = read(service, str(folder / "prometheus.yml"))
    if config is None:
        return
    where = "monitoring/prometheus.yml"
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    check({"order-worker", "rabbitmq"} <= set(jobs), where, f"collects only from {sorted(jobs)}")
    for job in [*jobs.values(), *config.get("alerting", {}).get("alertmanagers", [])]:
        for entry in job.get("static_configs", []):
            for target in entry["targets"]:
                host, _, port = target.partition(":")
                check_target(where, services, host, port)
        for entry in job.get("dns_sd_configs", []):
            for host in entry["names"]:
                check_target(where, services, host, entry["port"])
    path = jobs.get("order-worker", {}).get("metrics_path", "/metrics")
    check(path in Worker.health_paths, where, f"asks the worker for {path}")
    rules = [pathlib.PurePath(target) for _, target in mounts(service) if target != str(folder / "prometheus.yml")]
    for pattern in config["rule_files"]:
        check(any(rule.match(str(folder / pattern)) for rule in rules), where, f"rule_files: nothing is mounted at {folder / pattern}")
    for rule in rules:
        check(any(rule.match(str(folder / pattern)) for pattern in config["rule_files"]), where, f"does not read {rule}, which is mounted")


def check_grafana(services):
    service = services["grafana"]
    for source, target in mounts(service):
        content = read(service, target)
        for entry in (content or {}).get("datasources", []):
            url = urlsplit(entry["url"])
            check_target(source, services, url.hostname, url.port)
        for entry in (content or {}).get("providers", []):
            folder = entry["options"]["path"]
            dashboards = next((source for source, at in mounts(service) if at == folder), None)
            if check(dashboards, source, f"takes dashboards from {folder}, where nothing is mounted"):
                check(any((ROOT / dashboards).glob("*.json")), source, f"no dashboards in {dashboards}")
