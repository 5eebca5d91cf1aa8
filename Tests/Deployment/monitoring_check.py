#!/usr/bin/env python3
"""Holds alerts, dashboards, scraping and the pages about them against each other and the worker's sources. Usage: monitoring_check.py [render]

`render` writes the operator's PrometheusRule anew from alerts.yaml. With ORDER_WORKER_CRDS, a folder with the operator's CRDs
(prometheusrules.yaml, servicemonitors.yaml), both resources are held against their schemas.
"""
import sys

import monitoring_dashboards
import monitoring_rules
from worker import ROOT, check, counts, text

if sys.argv[1:] == ["render"]:
    (ROOT / monitoring_rules.RESOURCE).write_text(monitoring_rules.render())
    sys.exit()
monitoring_rules.check_all()
monitoring_dashboards.check_all()
for metric in sorted(monitoring_rules.known_metrics()):
    check(f"`{metric}`" in text("docs/operations.md"), "docs/operations.md", f"its table of metrics lacks {metric}")
print(f"monitoring: {counts['passed']} passed, {counts['failed']} failed")
sys.exit(1 if counts["failed"] else 0)
