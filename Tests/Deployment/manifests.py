"""Rendered Kubernetes manifests: what refers to what, and the worker's settings, ports, paths and rights."""
import base64
import re
from urllib.parse import urlsplit

import yaml

from worker import Worker, check, check_command, check_keys, check_settings, check_with_program, option, seconds, text

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

    def secrets(self):
        """Name: {key: content}, generated ones and those that the example describes."""
        example = {d["metadata"]["name"]: d["stringData"] for d in yaml.safe_load_all(text(EXAMPLE))}
        generated = {d["metadata"]["name"]: {k: base64.b64decode(v).decode() for k, v in d["data"].items()} for d in self.of("Secret")}
        return example | generated


def check_all(name, documents):
    rendered = Manifests(name, documents)
    for document in documents:
        check("namespace" not in document["metadata"], f"{name}: {document['metadata']['name']}", "has a namespace of its own")
    for workload in rendered.of("Deployment", "Job"):
        check_pod(rendered, workload)
    for service in rendered.of("Service"):
        check_selected(rendered, service, service["spec"]["selector"], service["spec"]["ports"])
    for budget in rendered.of("PodDisruptionBudget"):
        check_selected(rendered, budget, budget["spec"]["selector"]["matchLabels"], [])
    check_autoscaling(rendered)
    worker = rendered.named("Deployment", "order-worker")
    if environment_of(rendered, worker["spec"]["template"]["spec"]["containers"][0]).get("ORDERS_ENV") == "production":
        check(not rendered.of("Secret"), name, "has secrets in it")


def check_pod(rendered, workload):
    where = f"{rendered.name}: {workload['metadata']['name']}"
    template = workload["spec"]["template"]
    pod = template["spec"]
    if workload["kind"] == "Deployment":
        wanted, labels = workload["spec"]["selector"]["matchLabels"], template["metadata"]["labels"]
        check(wanted.items() <= labels.items(), where, "does not select its own pods")
        for spread in pod.get("topologySpreadConstraints", []):
            check(spread["labelSelector"]["matchLabels"].items() <= labels.items(), where, "spreads other pods than its own")
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
        check("memory" in container["resources"]["limits"] and "memory" in container["resources"]["requests"], where, "no bounds for memory")
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        for probe in [container[key] for key in container if key.endswith("Probe")]:
            target = probe.get("httpGet") or probe.get("tcpSocket")
            check(target is None or target["port"] in ports, where, "is probed at a port that it does not name")
        if re.search(r"(^|/)order-worker[:@]", container["image"]):
            check(rights.get("runAsUser") == USER, where, f"runs as {rights.get('runAsUser')}, and the image is made for {USER}")
            check(own.get("readOnlyRootFilesystem") is True, where, "may write to its image")
            check_program(rendered, where, pod, container, ports)


def environment_of(rendered, container):
    environment = {}
    for source in container.get("envFrom", []):
        config = rendered.named("ConfigMap", source["configMapRef"]["name"])
        environment |= (config or {}).get("data", {})
    return environment | {entry["name"]: entry.get("value", "") for entry in container.get("env", [])}


def check_program(rendered, where, pod, container, ports):
    for source in container.get("envFrom", []):
        name = source["configMapRef"]["name"]
        check(rendered.named("ConfigMap", name), where, f"takes settings from {name}, which is not there")
    environment = environment_of(rendered, container)
    check_settings(where, environment)
    command = container["args"]
    check_command(where, command)
    if command[0] in ("run", "setup"):
        files = files_of(rendered, where, pod, container)
        for name, path in environment.items():
            in_a_file = name.startswith("ORDERS_") and name.endswith("_FILE") and path
            # Set-up has the same settings, and reads none of the keys that senders are checked with.
            if in_a_file and not (command[0] == "setup" and Worker.kinds.get(name) == ".path"):
                check(path in files, where, f"{name} is {path}, and no Secret brings that")
        check_with_program(where, environment, files)
    probes = {key: container[key]["httpGet"]["path"] for key in container if key.endswith("Probe")}
    known = Worker.sandbox_paths if command[0] == "payment-sandbox" else Worker.health_paths
    check(set(probes.values()) <= known, where, f"is probed at {probes}, and there is only {sorted(known)}")
    if command[0] == "run":
        check_worker(rendered, where, pod, environment, ports, probes)
    if command[0] == "payment-sandbox":
        check(int(option(command, "--port")) in ports.values(), where, "listens on another port than it names")


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


def files_of(rendered, where, pod, container):
    """Path: content of what Secrets bring; says where one is not there."""
    secrets, files = rendered.secrets(), {}
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        volume = volumes.get(mount["name"], {})
        if not check("secret" in volume, where, f"mounts {mount['name']}, which is no Secret of the pod"):
            continue
        name = volume["secret"]["secretName"]
        if check(name in secrets, where, f"mounts the Secret {name}, which nothing makes or describes"):
            files |= {f"{mount['mountPath']}/{key}": content for key, content in secrets[name].items()}
    check(not files or pod["securityContext"].get("fsGroup") == USER, where, "may not read the files of its Secrets")
    return files


def check_selected(rendered, document, selector, ports):
    where = f"{rendered.name}: {document['kind']} {document['metadata']['name']}"
    pods = [d["spec"]["template"] for d in rendered.of("Deployment", "Job") if selector.items() <= d["spec"]["template"]["metadata"]["labels"].items()]
    check(len(pods) == 1, where, f"selects the pods of {len(pods)} workloads")
    names = {port["name"] for pod in pods for container in pod["spec"]["containers"] for port in container.get("ports", [])}
    for port in ports:
        check(port["targetPort"] in names, where, f"leads to a port {port['targetPort']} that its pods do not name")


def check_autoscaling(rendered):
    scalers = rendered.of("ScaledObject", "HorizontalPodAutoscaler")
    check(len(scalers) <= 1, rendered.name, "is scaled by two at once")
    for scaler in scalers:
        where = f"{rendered.name}: {scaler['kind']} {scaler['metadata']['name']}"
        target = rendered.named("Deployment", scaler["spec"]["scaleTargetRef"]["name"])
        if not check(target, where, "scales what is not there"):
            continue
        check("replicas" not in target["spec"], where, "would be overruled by the Deployment's own number at each apply")
        check((scaler["spec"].get("minReplicaCount") or scaler["spec"].get("minReplicas", 0)) >= 1, where, "would leave no worker")
        environment = environment_of(rendered, target["spec"]["template"]["spec"]["containers"][0])
        secrets = rendered.secrets()
        for trigger in scaler["spec"].get("triggers", []):
            data = trigger["metadata"]
            check(data["queueName"] == environment["ORDERS_PREFIX"] + ".commands", where, f"looks at the queue {data['queueName']}")
            prefetch = environment.get("ORDERS_PREFETCH", Worker.defaults["ORDERS_PREFETCH"])
            check(float(data["value"]) > float(prefetch), where, "wants a worker for what another one may hold")
            access = rendered.named("TriggerAuthentication", trigger["authenticationRef"]["name"])
            keys = [(ref["name"], ref["key"]) for ref in (access or {"spec": {}})["spec"].get("secretTargetRef", [])]
            check(keys and all_there(keys, secrets), where, "is given access by what is not there")


def all_there(keys, secrets):
    return all(key in secrets.get(name, {}) for name, key in keys)
