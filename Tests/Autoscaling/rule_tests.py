"""The rule by hand-made tables: python3 -m unittest."""
import unittest

from rule import Autoscaler, ScaledObject

MANIFEST = {"spec": {
    "minReplicaCount": 2, "maxReplicaCount": 10, "pollingInterval": 15,
    "advanced": {"horizontalPodAutoscalerConfig": {"behavior": {
        "scaleUp": {"stabilizationWindowSeconds": 30, "policies": [{"type": "Pods", "value": 2, "periodSeconds": 30}]},
        "scaleDown": {"stabilizationWindowSeconds": 300, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}}},
    "triggers": [{"metadata": {"mode": "QueueLength", "value": "4000"}}, {"metadata": {"mode": "MessageRate", "value": "1000"}}]}}


def replicas(length, rate, current, seconds, scaler=None, begin=0):
    """What comes of the same values for so long, asked every 15 s."""
    scaler = scaler or Autoscaler(ScaledObject(MANIFEST))
    history = []
    for now in range(begin, begin + seconds, 15):
        current = scaler.decide(now, current, {"QueueLength": length, "MessageRate": rate})
        history.append(current)
    return history


class RuleTests(unittest.TestCase):
    def test_the_trigger_that_wants_most_counts(self):
        scaler = Autoscaler(ScaledObject(MANIFEST))
        self.assertEqual(scaler.proposal(2, {"QueueLength": 20_000, "MessageRate": 100}), 5)
        self.assertEqual(scaler.proposal(2, {"QueueLength": 0, "MessageRate": 6_500}), 7)
        self.assertEqual(scaler.proposal(2, {"QueueLength": 10**9, "MessageRate": 0}), 10)
        self.assertEqual(scaler.proposal(5, {"QueueLength": 0, "MessageRate": 0}), 2)

    def test_a_tenth_more_or_less_changes_nothing(self):
        scaler = Autoscaler(ScaledObject(MANIFEST))
        self.assertEqual(scaler.proposal(4, {"QueueLength": 0, "MessageRate": 4_390}), 4)
        self.assertEqual(scaler.proposal(4, {"QueueLength": 0, "MessageRate": 4_410}), 5)

    def test_up_by_two_each_half_minute(self):
        self.assertEqual(replicas(0, 9_000, 2, 120), [4, 4, 6, 6, 8, 8, 9, 9])

    def test_what_was_wanted_for_a_moment_only_makes_none(self):
        scaler = Autoscaler(ScaledObject(MANIFEST))
        replicas(0, 1_000, 2, 30, scaler)
        self.assertEqual(scaler.decide(30, 2, {"QueueLength": 0, "MessageRate": 9_000}), 2)
        self.assertEqual(scaler.decide(45, 2, {"QueueLength": 0, "MessageRate": 1_000}), 2)

    def test_down_by_one_a_minute_after_five_quiet_minutes(self):
        scaler = Autoscaler(ScaledObject(MANIFEST))
        scaler.decide(0, 6, {"QueueLength": 0, "MessageRate": 6_000})
        history = replicas(0, 100, 6, 600, scaler, begin=15)
        self.assertEqual(history[:19], [6] * 19)  # until 300 s
        self.assertEqual(history[19:28], [5, 5, 5, 5, 4, 4, 4, 4, 3])
        self.assertEqual(history[-1], 2)

    def test_values_shrink_with_the_simulation(self):
        scaled = ScaledObject(MANIFEST, time=4, work=100, rate=20)
        self.assertEqual((scaled.polling, scaled.up.window, scaled.down.policies[0]), (3.75, 7.5, ("Pods", 1, 15)))
        self.assertEqual(scaled.targets, {"QueueLength": 40, "MessageRate": 50})


if __name__ == "__main__":
    unittest.main()
