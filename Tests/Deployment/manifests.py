"""Rendered Kubernetes manifests: what refers to what, and the worker's settings, ports, paths and rights."""
import base64
import re
from urllib.parse import urlsplit

import yaml

import autoscaling
import policies
from worker import Worker, check, check_command, check_keys, check_settings, check_with_program, option, purpose, seconds, text

EXAMPLE = "k8s/overlays/production/secret.example.yaml"
USER = int(re.search(r"^USER (\d+)", text("Dockerfile"), re.M)[1])


class Manifests:
    def __init__(self, name, documents):
        self.name = name
        self.documents = documents

    def of(self, *kinds):
        return [document for document in self.documents if document["kind"] in kinds]

    def named(self, kind, name):
        return next((document for document in self.of(kind) if document["metadata"]["name"] == name), None)

    def workloads(self):
        """(name and kind for people, template of its pods) of everything that makes pods."""
        for document in self.of("Deployment", "Job", "CronJob"):
            spec = document["spec"]
            template = (spec["jobTemplate"]["spec"] if document["kind"] == "CronJob" else spec)["template"]
            yield f"{document['kind']} {document['metadata']['name']}", template

    def secrets(self):
        """Name: {key: content}, generated ones and those that the example describes."""
        example = {d["metadata"]["name"]: d["stringData"] for d in yaml.safe_load_all(text(EXAMPLE))}
        generated = {d["metadata"]["name"]: {k: base64.b64decode(v).decode() for k, v in d["data"].items()} for d in self.of("Secret")}
        return example | generated

    def environment(self, container):
        """What the container is given, by ConfigMap and by itself."""
        given = {}
        for source in container.get("envFrom", []):
            config = self.named("ConfigMap", source["configMapRef"]["name"])
            given |= (config or {}).get("data", {})
        return given | {entry["name"]: entry.get("value", "") for entry in container.get("env", [])}

    def files(self, pod, container):
        """Path: content of what Secrets bring."""
        volumes = {volume["name"]: volume.get("secret", {}).get("secretName") for volume in pod.get("volumes", [])}
        found = {}
        for mount in container.get("volumeMounts", []):
            found |= {f"{mount['mountPath']}/{key}": content for key, content in self.secrets().get(volumes.get(mount["name"]), {}).items()}
        return found


def check_all(name, documents):
    rendered = Manifests(name, documents)
    for document in documents:
        check("namespace" not in document["metadata"], f"{name}: {document['metadata']['name']}", "has a namespace of its own")
    for called, template in rendered.workloads():
        check_pod(rendered, f"{name}: {called}", template)
    for deployment in rendered.of("Deployment"):
        check_deployment(name, deployment)
    check_setup(rendered)
    for service in rendered.of("Service"):
        check_selected(rendered, service, service["spec"]["selector"], service["spec"]["ports"])
    for budget in rendered.of("PodDisruptionBudget"):
        check_selected(rendered, budget, budget["spec"]["selector"]["matchLabels"], [])
    autoscaling.check_all(rendered)
    policies.check_all(rendered)
    worker = rendered.named("Deployment", "order-worker")
    if rendered.environment(worker["spec"]["template"]["spec"]["containers"][0]).get("ORDERS_ENV") == "production":
        check(not rendered.of("Secret"), name, "has secrets in it")


def check_deployment(name, deployment):
    where = f"{name}: Deployment {deployment['metadata']['name']}"
    wanted, labels = deployment["spec"]["selector"]["matchLabels"], deployment["spec"]["template"]["metadata"]["labels"]
    check(wanted.items() <= labels.items(), where, "does not select its own pods")
    spreads = deployment["spec"]["template"]["spec"].get("topologySpreadConstraints", [])
    for spread in spreads:
        check(spread["labelSelector"]["matchLabels"].items() <= labels.items(), where, "spreads other pods than its own")
        check(spread["whenUnsatisfiable"] == "ScheduleAnyway", where, "would rather not start than start beside another one")
    if labels.get("app.kubernetes.io/name") == "order-worker" and labels["app.kubernetes.io/component"] == "worker":
        keys = {spread["topologyKey"] for spread in spreads}
        check(keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}, where, f"is spread over {sorted(keys)}")
        check(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0, where, "is fewer while it is renewed")


def check_setup(rendered):
    """The one that is applied and the one of each week are the same set-up."""
    jobs = {kind: rendered.named(kind, "order-worker-setup") for kind in ("Job", "CronJob")}
    if not check(all(jobs.values()), rendered.name, "has no set-up, or none each week"):
        return
    weekly = jobs["CronJob"]["spec"]["jobTemplate"]["spec"]
    applied = dict(jobs["Job"]["spec"])
    check(0 < applied.pop("ttlSecondsAfterFinished", 0) <= 86400, rendered.name, "set-up stays in the way of the next apply")
    check("ttlSecondsAfterFinished" not in weekly, rendered.name, "throws the weekly set-up's log away before anybody looks")
    check(applied == weekly, rendered.name, "sets up otherwise each week than at an apply")
    check(jobs["CronJob"]["spec"]["concurrencyPolicy"] == "Forbid", rendered.name, "may set up twice at once")


def check_pod(rendered, where, template):
    pod = template["spec"]
    check(pod.get("automountServiceAccountToken") is False, where, "is given a token for Kubernetes")
    check(pod.get("enableServiceLinks") is False, where, "is given a variable for every Service")
    account = pod.get("serviceAccountName")
    check(account is None or rendered.named("ServiceAccount", account), where, f"runs as {account}, which is not there")
    rights = pod["securityContext"]
    check(rights.get("runAsNonRoot") and rights.get("seccompProfile") == {"type": "RuntimeDefault"}, where, "may be root, or call all of the kernel")
    for container in pod["containers"]:
        own = container["securityContext"]
        check(own.get("allowPrivilegeEscalation") is False and own["capabilities"] == {"drop": ["ALL"]}, where, "may gain privileges")
        check(re.search(r"[:@]\w", container["image"]) and not container["image"].endswith(":latest"), where, "its image has no version")
        bounds = container.get("resources", {})
        check(all("memory" in bounds.get(key, {}) for key in ("limits", "requests")), where, "no bounds for memory")
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        for probe in [container[key] for key in container if key.endswith("Probe")]:
            target = probe.get("httpGet") or probe.get("tcpSocket")
            check(target is None or target["port"] in ports, where, "is probed at a port that it does not name")
        if re.search(r"(^|/)order-worker[:@]", container["image"]):
            check(rights.get("runAsUser") == USER, where, f"runs as {rights.get('runAsUser')}, and the image is made for {USER}")
            check(own.get("readOnlyRootFilesystem") is True, where, "may write to its image")
            check_program(rendered, where, pod, container, ports)


def check_program(rendered, where, pod, container, ports):
    for source in container.get("envFrom", []):
        name = source["configMapRef"]["name"]
        check(rendered.named("ConfigMap", name), where, f"takes settings from {name}, which is not there")
    environment = rendered.environment(container)
    check_settings(where, environment)
    command = purpose(container)
    if command != "operator":
        check_command(where, container["args"])
    if command in ("run", "setup", "operator"):
        files = check_files(rendered, where, pod, container)
        for name, path in environment.items():
            in_a_file = name.startswith("ORDERS_") and name.endswith("_FILE") and path
            # Set-up has the same settings, and reads no other files.
            if in_a_file and (command != "setup" or name.removesuffix("_FILE") in Worker.of_setup):
                check(path in files, where, f"{name} is {path}, and no Secret brings that")
        used = {k: v for k, v in environment.items() if command != "setup" or not k.endswith("_FILE") or k.removesuffix("_FILE") in Worker.of_setup}
        check_with_program(where, used, files)
    probes = {key: container[key]["httpGet"]["path"] for key in container if key.endswith("Probe")}
    known = Worker.sandbox_paths if command == "payment-sandbox" else Worker.health_paths
    check(set(probes.values()) <= known, where, f"is probed at {probes}, and there is only {sorted(known)}")
    if command == "run":
        check_worker(rendered, where, pod, environment, ports, probes)
    if command == "operator":
        check("ORDERS_AMQP_MANAGEMENT_URL_FILE" in environment, where, "an operator's doctor sees no policies")
    if command == "payment-sandbox":
        check(int(option(container["args"], "--port")) in ports.values(), where, "listens on another port than it names")


def check_worker(rendered, where, pod, environment, ports, probes):
    check(ports.get("http") == int(environment["ORDERS_HTTP_PORT"]), where, "serves health on another port than it names")
    if "ORDERS_ENV" in environment:  # an overlay; a component rendered on the bare base has no senders yet
        check_keys(where, environment)
    check(environment["ORDERS_HTTP_HOST"] == "0.0.0.0", where, "cannot be probed from outside")
    check(probes["livenessProbe"] != "/health/ready", where, "would be restarted because its database is away")
    drain = environment["ORDERS_DRAIN_TIMEOUT"]
    check(pod["terminationGracePeriodSeconds"] > seconds(drain), where, f"is killed before its drain timeout, {drain}, is over")
    if environment.get("ORDERS_PAYMENT_PROVIDER") == "http":
        url = urlsplit(environment["ORDERS_PAYMENT_URL"])
        service = rendered.named("Service", url.hostname)
        check(service and url.port in [port["port"] for port in service["spec"]["ports"]], where, f"{url.netloc} is no Service")


def check_files(rendered, where, pod, container):
    secrets = rendered.secrets()
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        volume = volumes.get(mount["name"], {})
        if check("secret" in volume, where, f"mounts {mount['name']}, which is no Secret of the pod"):
            name = volume["secret"]["secretName"]
            check(name in secrets, where, f"mounts the Secret {name}, which nothing makes or describes")
    files = rendered.files(pod, container)
    check(not files or pod["securityContext"].get("fsGroup") == USER, where, "may not read the files of its Secrets")
    return files


def check_selected(rendered, document, selector, ports):
    where = f"{rendered.name}: {document['kind']} {document['metadata']['name']}"
    pods = [template for _, template in rendered.workloads() if selector.items() <= template["metadata"]["labels"].items()]
    check(len(pods) == 1, where, f"selects the pods of {len(pods)} workloads")
    names = {port["name"] for pod in pods for container in pod["spec"]["containers"] for port in container.get("ports", [])}
    for port in ports:
        check(port["targetPort"] in names, where, f"leads to a port {port['targetPort']} that its pods do not name")
