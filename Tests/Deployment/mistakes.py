#!/usr/bin/env python3
"""Makes mistakes on purpose in manifests, docker-compose.yml and Dockerfile, in memory, and fails over each that the checks do not see.

Usage: mistakes.py production=RENDERED.yaml development=RENDERED.yaml
"""
import contextlib
import copy
import io
import pathlib
import re
import sys

import yaml

import compose
import image
import manifests
import worker
from worker import counts, text


class Rendered:
    """The documents of an overlay, for a mistake to be made in one of them."""

    def __init__(self, documents):
        self.documents = documents

    def __call__(self, kind, name="order-worker"):
        return next(d for d in self.documents if d["kind"] == kind and re.fullmatch(name + "(-[a-z0-9]{10})?", d["metadata"]["name"]))

    def pod(self, name="order-worker"):
        return self("Deployment", name)["spec"]["template"]["spec"]

    def container(self):
        return self.pod()["containers"][0]

    def drop(self, kind, name):
        self.documents.remove(self(kind, name))


def without_port(port, name="order-worker"):
    def change(r):
        egress = r("NetworkPolicy", name)["spec"]["egress"]
        egress[:] = [rule for rule in egress if port not in [entry["port"] for entry in rule["ports"]]]

    return change


def trigger(number, key, value):
    return lambda r: r("ScaledObject")["spec"]["triggers"][number]["metadata"].update({key: value})


MANIFESTS = [
    ("production", "PostgreSQL cannot be reached", without_port(5432)),
    ("production", "RabbitMQ cannot be reached", without_port(5671)),
    ("production", "the keys of senders cannot be reached", without_port(443)),
    ("production", "set-up cannot reach RabbitMQ", without_port(5671, "order-worker-setup")),
    ("production", "no DNS", without_port(53)),
    ("production", "everybody is let in", lambda r: r("NetworkPolicy")["spec"]["ingress"][0].pop("from")),
    ("production", "every port is let in", lambda r: r("NetworkPolicy")["spec"]["ingress"][0].pop("ports")),
    ("production", "every port may be reached", lambda r: r("NetworkPolicy")["spec"]["egress"].append({})),
    ("production", "egress is open", lambda r: r("NetworkPolicy")["spec"]["policyTypes"].remove("Egress")),
    ("production", "set-up without a policy", lambda r: r.drop("NetworkPolicy", "order-worker-setup")),
    ("development", "the sandbox cannot be reached", lambda r: r("NetworkPolicy")["spec"]["egress"].pop()),
    ("production", "another set-up each week", lambda r: r("CronJob", "order-worker-setup")["spec"]["jobTemplate"]["spec"].update(backoffLimit=0)),
    ("production", "a weekly log that goes in an hour", lambda r: r("CronJob", "order-worker-setup")["spec"]["jobTemplate"]["spec"].update(ttlSecondsAfterFinished=3600)),
    ("production", "no set-up each week", lambda r: r.drop("CronJob", "order-worker-setup")),
    ("production", "an operator who cannot reach the management", without_port(15671, "order-worker-operator")),
    ("production", "an operator without a policy", lambda r: r.drop("NetworkPolicy", "order-worker-operator")),
    ("production", "an operator who cannot sign a replay", lambda r: r.pod("order-worker-operator")["volumes"].pop()),
    ("production", "an operator who is root", lambda r: r.pod("order-worker-operator")["securityContext"].pop("runAsNonRoot")),
    ("production", "unacknowledged not counted", trigger(0, "excludeUnacknowledged", "true")),
    ("production", "unacknowledged not seen", trigger(0, "protocol", "amqp")),
    ("production", "a worker for what another one holds", trigger(0, "value", "2000")),
    ("production", "another queue", trigger(1, "queueName", "orders.queries")),
    ("production", "no rate", lambda r: r("ScaledObject")["spec"]["triggers"].pop()),
    ("production", "no workers where RabbitMQ is away", lambda r: r("ScaledObject")["spec"]["fallback"].update(replicas=0)),
    ("production", "scaled to none", lambda r: r("ScaledObject")["spec"].update(minReplicaCount=0)),
    ("production", "down at once",
     lambda r: r("ScaledObject")["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"].update(stabilizationWindowSeconds=0)),
    ("production", "replicas beside an autoscaler", lambda r: r("Deployment")["spec"].update(replicas=2)),
    ("production", "no access for KEDA", lambda r: r.drop("TriggerAuthentication", "order-worker-rabbitmq")),
    ("production", "killed while it drains", lambda r: r.pod().update(terminationGracePeriodSeconds=20)),
    ("production", "restarted for its database", lambda r: r.container()["livenessProbe"]["httpGet"].update(path="/health/ready")),
    ("production", "probed at another port", lambda r: r.container()["readinessProbe"]["httpGet"].update(port="metrics")),
    ("production", "a root that can be written", lambda r: r.container()["securityContext"].update(readOnlyRootFilesystem=False)),
    ("production", "capabilities", lambda r: r.container()["securityContext"].update(capabilities={})),
    ("production", "may be root", lambda r: r.pod()["securityContext"].pop("runAsNonRoot")),
    ("production", "no seccomp", lambda r: r.pod()["securityContext"].pop("seccompProfile")),
    ("production", "a token", lambda r: r.pod().update(automountServiceAccountToken=True)),
    ("production", "another account", lambda r: r.pod().update(serviceAccountName="default")),
    ("production", "no zones", lambda r: r.pod()["topologySpreadConstraints"].pop()),
    ("production", "pods that wait for a zone", lambda r: r.pod()["topologySpreadConstraints"][0].update(whenUnsatisfiable="DoNotSchedule")),
    ("production", "no bounds", lambda r: r.container()["resources"].pop("limits")),
    ("production", "an image without a version", lambda r: r.container().update(image="registry.example.com/order-worker")),
    ("production", "a Secret that nobody makes", lambda r: r.pod()["volumes"][0]["secret"].update(secretName="order-worker-server")),
    ("production", "a setting that is none", lambda r: r("ConfigMap")["data"].update(ORDERS_PREFETSCH="1")),
    ("production", "no tokens asked for", lambda r: r("ConfigMap")["data"].update(ORDERS_AUTH="off")),
    ("production", "a budget for nothing", lambda r: r("PodDisruptionBudget")["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/name": "worker"})),
    ("production", "a Service to a port that is none", lambda r: r("Service")["spec"]["ports"][0].update(targetPort="metrics")),
    ("production", "a Secret in it", lambda r: r.documents.append({"kind": "Secret", "metadata": {"name": "s"}, "data": {}})),
    ("production", "a namespace", lambda r: r("Service")["metadata"].update(namespace="orders")),
]


def of(service, **changes):
    return lambda services, document: services[service].update(changes)


def replace(service, key, old, new):
    def change(services, document):
        services[service][key] = [str(entry).replace(old, new) for entry in services[service][key]]

    return change


COMPOSE = [
    ("open to other machines", replace("grafana", "ports", "127.0.0.1:", "")),
    ("a port twice", replace("prometheus", "ports", "9090}", "9093}")),
    ("another port than RabbitMQ's", lambda s, d: s["worker"]["environment"].update(ORDERS_AMQP_URL="amqp://orders:development-only@rabbitmq:5673/")),
    ("another password", lambda s, d: s["postgres"]["environment"].update(POSTGRES_PASSWORD="other")),
    ("a setting that is none", lambda s, d: s["worker"]["environment"].update(ORDERS_PREFETSCH="1")),
    ("an image without a version", of("redis", image="redis")),
    ("the latest image", of("prometheus", image="prom/prometheus:latest")),
    ("a file that is not there", replace("prometheus", "volumes", "monitoring/prometheus.yml", "monitoring/prometheus.yaml")),
    ("a file that can be written", replace("prometheus", "volumes", "alerts.yaml:ro", "alerts.yaml")),
    ("a volume that is not declared", replace("redis", "volumes", "redis:", "cache:")),
    ("RabbitMQ's metrics off", lambda s, d: d["configs"]["rabbitmq-plugins"].update(content="[rabbitmq_management].")),
    ("another file of configuration", replace("alertmanager", "command", "alertmanager.yml", "config.yml")),
    ("probed at another port", of("grafana", healthcheck={"test": ["CMD", "wget", "http://127.0.0.1:3001/api/health"]})),
    ("no word about health", lambda s, d: s["alertmanager"].pop("healthcheck")),
    ("killed while it drains", of("worker", stop_grace_period="20s")),
    ("a command that is none", of("setup", command=["set-up"])),
    ("waits for what is not there", lambda s, d: s["worker"]["depends_on"].update(kafka={"condition": "service_started"})),
    ("a container that may write", of("worker", read_only=False)),
]

DOCKERFILE = [
    ("root", "USER 10001:10001", "USER root"),
    ("a library that is not there", " libpq5", ""),
    ("a library that is not built with", "libhiredis-dev ", ""),
    ("no security fixes", "apt-get upgrade -y", "true"),
    ("Swift's libraries", " --static-swift-stdlib \\", " \\"),
    ("debug information", "strip --strip-debug", "true"),
    ("another Debian", "FROM debian:${DEBIAN}-slim", "FROM debian:trixie-slim"),
    ("another port", "EXPOSE 8080", "EXPOSE 8081"),
    ("restarted for its database", '"/health/live"', '"/health/ready"'),
    ("a command that is none", 'CMD ["run"]', 'CMD ["start"]'),
    ("no revision", "org.opencontainers.image.revision", "org.opencontainers.image.created"),
    ("an old Swift", "SWIFT_VERSION=6.3.1", "SWIFT_VERSION=5.10.1"),
]


def failures(check, *arguments):
    before = counts["failed"], counts["passed"]
    with contextlib.redirect_stdout(io.StringIO()):
        check(*arguments)
    found = counts["failed"] - before[0]
    counts["failed"], counts["passed"] = before
    return found


def unseen(overlays):
    for overlay, name, change in MANIFESTS:
        documents = copy.deepcopy(overlays[overlay])
        change(Rendered(documents))
        if failures(manifests.check_all, overlay, documents) <= failures(manifests.check_all, overlay, overlays[overlay]):
            yield f"{overlay}: {name}"
    document = yaml.safe_load(text(compose.FILE))
    right = failures(compose.check_document, document)
    for name, change in COMPOSE:
        wrong = copy.deepcopy(document)
        change(wrong["services"], wrong)
        if failures(compose.check_document, wrong) <= right:
            yield f"{compose.FILE}: {name}"
    source = text("Dockerfile")
    for name, old, new in DOCKERFILE:
        if old not in source or not failures(image.check_text, source.replace(old, new)):
            yield f"Dockerfile: {name}"


if __name__ == "__main__":
    worker.PROGRAM = None  # the sources are enough for these, and quicker
    given = (argument.split("=", 1) for argument in sys.argv[1:])
    missed = list(unseen({name: list(filter(None, yaml.safe_load_all(pathlib.Path(path).read_text()))) for name, path in given}))
    for name in missed:
        print(f"a mistake that was made on purpose is not seen: {name}")
    print(f"{len(MANIFESTS) + len(COMPOSE) + len(DOCKERFILE) - len(missed)} mistakes made on purpose are seen, {len(missed)} are not")
    sys.exit(1 if missed else 0)
