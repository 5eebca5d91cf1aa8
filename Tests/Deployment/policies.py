"""NetworkPolicies: each of the worker's pods has one, which lets it reach what its settings name, and lets nobody in but Prometheus."""
from urllib.parse import urlsplit

from worker import Worker, check, purpose

ADDRESSES = (".amqpURL", ".databaseURL", ".redisURL", ".url")
DEFAULT_PORTS = {"amqp": 5672, "amqps": 5671, "postgres": 5432, "postgresql": 5432, "redis": 6379, "http": 80, "https": 443}


def check_all(rendered):
    policies = rendered.of("NetworkPolicy")
    for policy in policies:
        selector = policy["spec"]["podSelector"]["matchLabels"]
        where = f"{rendered.name}: NetworkPolicy {policy['metadata']['name']}"
        check(any(selects(selector, template) for _, template in rendered.workloads()), where, "selects no pods")
        check(set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}, where, "leaves one direction open")
    for called, template in rendered.workloads():
        container = template["spec"]["containers"][0]
        if purpose(container) in ("run", "setup", "operator"):
            mine = [policy["spec"] for policy in policies if selects(policy["spec"]["podSelector"]["matchLabels"], template)]
            if check(len(mine) == 1, f"{rendered.name}: {called}", f"has {len(mine)} NetworkPolicies"):
                check_ingress(f"{rendered.name}: {called}", mine[0], container)
                check_egress(rendered, f"{rendered.name}: {called}", mine[0], template)


def selects(labels, template):
    return labels.items() <= template["metadata"]["labels"].items()


def check_ingress(where, policy, container):
    rules = policy.get("ingress", [])
    if not container.get("ports"):
        check(not rules, where, "lets somebody in, and listens nowhere")
        return
    for rule in rules:
        check([port["port"] for port in rule.get("ports", [])] == ["http"], where, "lets in to more than health and metrics")
        peers = rule.get("from", [])
        check(peers and all("prometheus" in str(peer.get("podSelector")) for peer in peers), where, "lets in more than Prometheus")
    check(len(rules) == 1, where, "does not let Prometheus in")


def check_egress(rendered, where, policy, template):
    rules = policy["egress"]
    check(all(rule.get("ports") for rule in rules), where, "may reach every port of something")
    for protocol in ("UDP", "TCP"):
        check(allows(rendered, rules, None, 53, protocol), where, f"may not ask DNS by {protocol}")
    wanted = addresses(rendered, template)
    for name, host, port in wanted:
        check(allows(rendered, rules, host, port, "TCP"), where, f"may not reach {host}:{port}, which {name} names")
    check(len(wanted) >= 2, where, "has no addresses of servers that the policy could be held against")


def addresses(rendered, template):
    """(setting, host, port) of every server that the settings name, also in files of Secrets."""
    container = template["spec"]["containers"][0]
    environment = rendered.environment(container)
    files = rendered.files(template["spec"], container)
    found = []
    for given, value in environment.items():
        name = given.removesuffix("_FILE")
        if Worker.kinds.get(name) in ADDRESSES and (purpose(container) != "setup" or name in Worker.of_setup):
            url = files.get(value, "") if given.endswith("_FILE") else value
            found += [(name, host, port) for host, port in hosts(url)]
    return found


def hosts(url):
    """(host, port) of each host of a URL, of which RabbitMQ's and PostgreSQL's may have several."""
    parts = urlsplit(url)
    for place in filter(None, parts.netloc.rpartition("@")[2].split(",")):
        host, _, port = place.partition(":")
        yield host, int(port or DEFAULT_PORTS[parts.scheme])


def allows(rendered, rules, host, port, protocol):
    """Where the host is one of the manifests' own Services, the rule must name its pods, or every address."""
    service = rendered.named("Service", host) if host else None
    pods = [template for _, template in rendered.workloads() if service and selects(service["spec"]["selector"], template)]
    return any(
        any(fits(entry, port, protocol, pods) for entry in rule["ports"]) and all(leads_to(rule.get("to"), pod) for pod in pods)
        for rule in rules)


def fits(entry, port, protocol, pods):
    if entry.get("protocol", "TCP") != protocol:
        return False
    names = {p["name"]: p["containerPort"] for pod in pods for c in pod["spec"]["containers"] for p in c.get("ports", [])}
    return names.get(entry["port"], entry["port"]) == port


def leads_to(peers, pod):
    return peers is None or any(selects(peer["podSelector"].get("matchLabels", {}), pod) for peer in peers if "podSelector" in peer)
