#!/usr/bin/env python3
"""Holds what deploys the worker against the worker: settings, commands, ports, paths, drain time, secrets, rights.

Usage: consistency.py NAME=RENDERED.yaml ...   the rendered overlays; docker-compose.yml and Dockerfile are always looked at.
With ORDER_WORKER_EXECUTABLE, each container's settings and command are also put before the program itself.
"""
import pathlib
import sys

import yaml

import compose
import image
import manifests
from worker import counts

image.check_all()
compose.check_all()
for argument in sys.argv[1:]:
    name, _, path = argument.partition("=")
    manifests.check_all(name, list(filter(None, yaml.safe_load_all(pathlib.Path(path).read_text()))))
print(f"{counts['passed']} passed, {counts['failed']} failed")
sys.exit(1 if counts["failed"] else 0)
