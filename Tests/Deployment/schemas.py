#!/usr/bin/env python3
"""Rendered manifests against Kubernetes' own schemas, and those of other kinds against the definitions in the folder that ORDER_WORKER_CRDS names.

Usage: schemas.py NAME=RENDERED.yaml ...   with the packages of requirements.txt
"""
import copy
import os
import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml

# The oldest with all that is used here, and the newest that the validator knows.
VERSIONS = ["1.29", kubernetes_validate.latest_version()]
CRDS = os.environ.get("ORDER_WORKER_CRDS")


def definitions(folder):
    """(group/version, kind): schema, out of the CustomResourceDefinitions in a folder."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document and document["kind"] == "CustomResourceDefinition":
                spec = document["spec"]
                for version in spec["versions"]:
                    found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = strict(version["schema"]["openAPIV3Schema"])
    return found


def strict(schema):
    """A cluster drops fields that the schema does not name; here they are faults."""
    schema = copy.deepcopy(schema)
    schema.get("properties", {}).setdefault("metadata", {})["x-kubernetes-preserve-unknown-fields"] = True
    close(schema)
    return schema


def close(schema):
    if "properties" in schema and "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema["additionalProperties"] = False
    if schema.pop("x-kubernetes-int-or-string", False):
        schema.pop("type", None)
    for inner in schema.get("properties", {}).values():
        close(inner)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            close(schema[key])


def faults(document, crds):
    """What is wrong with it, or None where nothing here knows its kind."""
    kind = document["apiVersion"], document["kind"]
    if kind in crds:
        return [fault.message for fault in jsonschema.Draft202012Validator(crds[kind]).iter_errors(document)]
    found = []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as fault:
            found.append(f"{'.'.join(map(str, fault.path))}: {fault.message} (Kubernetes {version})")
        except kubernetes_validate.SchemaNotFoundError:
            return None
    return found


def check_itself(crds):
    """A fault of each sort, made on purpose: a validator that lets it through is none."""
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "n"}, "spec": {"podSelektor": {}}}
    wrong = [policy]
    if ("keda.sh/v1alpha1", "ScaledObject") in crds:
        scaled = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "n"}}
        spec = {"scaleTargetRef": {"name": "n"}, "triggers": [{"type": "rabbitmq", "metadata": {"value": "1"}}]}
        wrong += [scaled | {"spec": spec | {"minReplicas": 2}}, scaled | {"spec": spec | {"maxReplicaCount": "10"}}]
        wrong.append(scaled | {"spec": spec | {"triggers": [{"type": "rabbitmq", "metadata": {"value": 4000}}]}})
    return [document for document in wrong if not faults(document, crds)]


def main(arguments):
    crds = definitions(CRDS) if CRDS else {}
    failed, fit, unknown = 0, 0, set()
    for document in check_itself(crds):
        print(f"the schemas let through what they must not: {document}")
        failed += 1
    for argument in arguments:
        name, _, path = argument.partition("=")
        for document in filter(None, yaml.safe_load_all(pathlib.Path(path).read_text())):
            found = faults(document, crds)
            if found is None:
                unknown.add(document["kind"])
            elif found:
                failed += 1
                print("\n".join(f"{name}: {document['kind']} {document['metadata']['name']}: {fault}" for fault in found))
            else:
                fit += 1
    print(f"{fit} resources fit the schemas of Kubernetes {' and '.join(VERSIONS)}{' and the definitions in ORDER_WORKER_CRDS' if crds else ''}")
    if unknown:
        reason = "has no definition of them" if CRDS else "is not set; it names a folder with their CustomResourceDefinitions"
        print(f"not checked: {', '.join(sorted(unknown))}: ORDER_WORKER_CRDS {reason}")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
