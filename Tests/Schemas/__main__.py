"""Everything that is checked of schemas/. Usage: scripts/schemas [--write] [--worker FILE] [--count N] [--seed N]"""

import argparse
import random
import sys

import agreement
import cloudevents_sdk
import definitions
import documents
import examples
from schema_set import SchemaSet


def main():
    parser = argparse.ArgumentParser(prog="scripts/schemas", description="Checks schemas/: as JSON Schema, by its examples, and against the worker.")
    parser.add_argument("--write", action="store_true", help="lay the files out, and copy the definitions into them")
    parser.add_argument("--worker", help="the built order-worker; without it only the schemas are looked at")
    parser.add_argument("--count", type=int, default=10_000, help="generated messages that schemas and worker must agree on")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()

    faults = definitions.check(options.write)
    schemas = SchemaSet()
    worker = agreement.Worker(options.worker) if options.worker else None
    faults += schemas.check()
    faults += documents.check(schemas)
    faults += examples.check(schemas, worker)
    faults += cloudevents_sdk.check(examples.events(schemas))
    if worker:
        faults += agreement.check(schemas, worker, options.count, options.seed)
    for fault in faults[:40]:
        print(f"schemas: {fault}", file=sys.stderr)
    if len(faults) > 40:
        print(f"schemas: and {len(faults) - 40} more", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
