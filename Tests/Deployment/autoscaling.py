"""Whatever scales the workers: one, not against the Deployment, by the right queue, up fast and down slowly, and never to none."""
from worker import Worker, check


def check_all(rendered):
    scalers = rendered.of("ScaledObject", "HorizontalPodAutoscaler")
    check(len(scalers) <= 1, rendered.name, "is scaled by two at once")
    for scaler in scalers:
        where = f"{rendered.name}: {scaler['kind']} {scaler['metadata']['name']}"
        target = rendered.named("Deployment", scaler["spec"]["scaleTargetRef"]["name"])
        if not check(target, where, "scales what is not there"):
            continue
        check("replicas" not in target["spec"], where, "would be overruled by the Deployment's own number at each apply")
        check((scaler["spec"].get("minReplicaCount") or scaler["spec"].get("minReplicas", 0)) >= 1, where, "would leave no worker")
        environment = rendered.environment(target["spec"]["template"]["spec"]["containers"][0])
        check_behaviour(where, scaler)
        for trigger in scaler["spec"].get("triggers", []):
            check_trigger(rendered, where, trigger, environment)
        if scaler["kind"] == "ScaledObject":
            modes = sorted(trigger["metadata"].get("mode", "") for trigger in scaler["spec"]["triggers"])
            check(modes == ["MessageRate", "QueueLength"], where, f"looks at {modes}")
            fallback = scaler["spec"].get("fallback", {})
            check(fallback.get("replicas", 0) >= scaler["spec"]["minReplicaCount"], where, "would be too few where RabbitMQ cannot be asked")
            check(fallback.get("behavior") == "currentReplicasIfHigher", where, "would be fewer where RabbitMQ cannot be asked")


def check_behaviour(where, scaler):
    spec = scaler["spec"]
    behaviour = spec.get("behavior") or spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    up, down = behaviour["scaleUp"], behaviour["scaleDown"]
    check(down["stabilizationWindowSeconds"] >= 300 > up["stabilizationWindowSeconds"], where, "goes down for every lull")
    check([policy["value"] for policy in down["policies"]] == [1], where, "goes down by more than one worker at a time")


def check_trigger(rendered, where, trigger, environment):
    data = trigger["metadata"]
    check(data["protocol"] == "http", where, "does not see what workers have fetched and not yet finished")
    check(data["queueName"] == environment["ORDERS_PREFIX"] + ".commands", where, f"looks at the queue {data['queueName']}")
    if data["mode"] == "QueueLength":
        check(data.get("excludeUnacknowledged") == "false", where, "does not count what workers have fetched and not yet finished")
        prefetch = environment.get("ORDERS_PREFETCH", Worker.defaults["ORDERS_PREFETCH"])
        check(float(data["value"]) > float(prefetch), where, "wants a worker for what another one may hold")
    access = rendered.named("TriggerAuthentication", trigger["authenticationRef"]["name"])
    keys = [(ref["name"], ref["key"]) for ref in (access or {"spec": {}})["spec"].get("secretTargetRef", [])]
    check(keys and all_there(keys, rendered.secrets()), where, "is given access by what is not there")


def all_there(keys, secrets):
    return all(key in secrets.get(name, {}) for name, key in keys)
