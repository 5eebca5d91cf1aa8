"""docker-compose.yml: names and ports that fit each other, nothing open to other machines."""
import re
from urllib.parse import urlsplit

import yaml

import watchers
from worker import Worker, check, check_command, check_keys, check_settings, check_with_program, option, seconds, text

FILE = "docker-compose.yml"


def check_all():
    check_document(yaml.safe_load(text(FILE)))


def check_document(document):
    services = document["services"]
    volumes = set(document.get("volumes") or {})
    used, published = set(), []
    for name, service in services.items():
        where = f"{FILE}: {name}"
        for port in service.get("ports", []):
            check(str(port).startswith("127.0.0.1:"), where, f"port {port} is open to other machines")
            published.append(re.search(r"\$\{(\w+):-(\d+)\}", str(port)))
            check(published[-1], where, f"port {port} cannot be moved")
        used |= {volume.split(":")[0] for volume in service.get("volumes", []) if not volume.startswith(".")}
        check("healthcheck" in service, where, "no word about its health")
        for other, wanted in service.get("depends_on", {}).items():
            check_dependency(where, services, other, wanted["condition"])
        if str(service.get("image", "")).startswith("order-worker:"):
            check_program(where, name, service, services)
        else:
            check(re.search(r":v?\d", service["image"]), where, f"image {service['image']} names no version")
    for group in (1, 2):
        taken = [match[group] for match in published if match]
        check(len(taken) == len(set(taken)), FILE, f"gives one port or its variable to two: {sorted(taken)}")
    watchers.check_all(document)
    check(used == volumes, FILE, f"declares the volumes {sorted(volumes)} and uses {sorted(used)}")


def check_dependency(where, services, other, condition):
    if not check(other in services, where, f"depends on {other}, which is no service"):
        return
    healthy = "test" in services[other].get("healthcheck", {})
    check(condition != "service_healthy" or healthy, where, f"waits for the health of {other}, which is not looked at")
    if condition == "service_completed_successfully":
        check(str(services[other].get("restart", "no")).startswith(("no", "on-failure")), where, f"waits for the end of {other}, which is started again")


def check_program(where, name, service, services):
    environment = {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value)) for key, value in service.get("environment", {}).items()}
    check_settings(where, environment)
    check_with_program(where, environment, {})
    command = service["command"]
    check_command(where, command)
    check(service.get("read_only") and service.get("cap_drop") == ["ALL"], where, "may write to its image, or has capabilities")
    for key in [key for key in environment if key.endswith("_URL")]:
        check_url(where, key, urlsplit(environment[key]), services)

    probe = service.get("healthcheck", {}).get("test")
    if probe:
        check(probe[:2] == ["CMD", "order-worker"], where, "its health is asked by a program that the image does not hold")
        check_command(where, probe[2:])
        paths = Worker.sandbox_paths if command[0] == "payment-sandbox" else Worker.health_paths
        check(option(probe, "--path", "/health/ready") in paths, where, "its health is asked at a path that is not there")
    if command[0] == "run":
        check_keys(where, environment)
        drain = environment.get("ORDERS_DRAIN_TIMEOUT", Worker.defaults["ORDERS_DRAIN_TIMEOUT"])
        check(seconds(service["stop_grace_period"]) > seconds(drain), where, f"is killed before its drain timeout, {drain}, is over")
        check("container_name" not in service and "ports" not in service, where, "has a name or port of its own, and cannot be scaled")


def check_url(where, key, url, services):
    """The host is a service, the port is the one that it listens on, the password the one that it was given."""
    if not check(url.hostname in services, where, f"{key} leads to {url.hostname}, which is no service"):
        return
    service = services[url.hostname]
    ports = {str(port).split(":")[-1] for port in service.get("ports", [])}
    check(str(url.port) in ports, where, f"{key} leads to port {url.port} of {url.hostname}, which shows {sorted(ports)}")
    if url.password:
        given = service.get("environment", {}).values()
        check(url.password in given and url.username in given, where, f"{key} has another user or password than {url.hostname} was given")
