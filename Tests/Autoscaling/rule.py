"""How many workers there should be: the rule of KEDA and of the HorizontalPodAutoscaler that it makes, by a ScaledObject's own values.

After https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#algorithm-details: each trigger wants its value divided by its
target, rounded up, and nothing else where that is within a tenth of what there is; the trigger that wants most counts; stabilisation takes the least of
what was wanted upwards and the most of what was wanted downwards; policies bound the change in a period.
"""
import math

TOLERANCE = 0.1


class ScaledObject:
    """The values of the manifest. `time` and `work` shrink them for a simulation: seconds, and commands for each worker."""

    def __init__(self, manifest, time=1, work=1, rate=1):
        spec = manifest["spec"]
        self.least, self.most = spec["minReplicaCount"], spec["maxReplicaCount"]
        self.polling = spec["pollingInterval"] / time
        behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        self.up, self.down = Direction(behavior["scaleUp"], time), Direction(behavior["scaleDown"], time)
        self.targets = {}
        for trigger in spec["triggers"]:
            metadata = trigger["metadata"]
            self.targets[metadata["mode"]] = float(metadata["value"]) / (work if metadata["mode"] == "QueueLength" else rate)


class Direction:
    def __init__(self, behavior, time):
        self.window = behavior.get("stabilizationWindowSeconds", 0) / time
        self.policies = [(policy["type"], policy["value"], policy["periodSeconds"] / time) for policy in behavior["policies"]]


class Autoscaler:
    def __init__(self, scaled):
        self.scaled = scaled
        self.wanted = []  # (time, number)
        self.changes = []  # (time, difference)

    def decide(self, now, replicas, values):
        """The new number of workers. `values` are of the whole queue, by the triggers' modes."""
        proposal = self.proposal(replicas, values)
        self.wanted.append((now, proposal))
        stable = self.stabilised(now, replicas)
        bounded = max(self.scaled.least, min(self.scaled.most, self.paced(now, replicas, stable)))
        if bounded != replicas:
            self.changes.append((now, bounded - replicas))
        return bounded

    def proposal(self, replicas, values):
        wants = []
        for mode, target in self.scaled.targets.items():
            ratio = values[mode] / (target * replicas)
            wants.append(replicas if abs(ratio - 1) <= TOLERANCE else math.ceil(values[mode] / target))
        return max(self.scaled.least, min(self.scaled.most, max(wants)))

    def stabilised(self, now, replicas):
        def within(window):
            return [number for time, number in self.wanted if time > now - window] or [self.wanted[-1][1]]

        up, down = min(within(self.scaled.up.window)), max(within(self.scaled.down.window))
        return up if up > replicas else down if down < replicas else replicas

    def paced(self, now, replicas, wanted):
        if wanted == replicas:
            return replicas
        direction, sign = (self.scaled.up, 1) if wanted > replicas else (self.scaled.down, -1)
        bounds = []
        for kind, value, period in direction.policies:
            done = sum(difference for time, difference in self.changes if time > now - period and difference * sign > 0)
            begin = replicas - done
            step = value if kind == "Pods" else math.ceil(begin * value / 100)
            bounds.append(begin + sign * step)
        return min(wanted, max(bounds)) if sign > 0 else max(wanted, min(bounds))
