"""The bill of materials: made, checked and written, only checked, or held against what an image has installed. See scripts/sbom."""
import argparse
import copy
import json
import re
from pathlib import Path

import bill

KEYS = {"$schema", "bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies"}


def everything(components):
    for component in components:
        yield component
        yield from everything(component.get("components", []))


def problems(document, facts):
    """What is wrong with it, as sentences."""
    found = []

    def check(holds, text):
        if not holds:
            found.append(text)

    check(set(document) == KEYS and document["bomFormat"] == "CycloneDX" and document["specVersion"] == "1.6", "it is no CycloneDX 1.6 document")
    check(re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", document.get("serialNumber", "")), "its serial number is no UUID")
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["metadata"]["timestamp"]), "its timestamp is no time in UTC")
    components = list(everything(document["components"]))
    refs = [component["bom-ref"] for component in components] + [document["metadata"]["component"]["bom-ref"]]
    check(len(refs) == len(set(refs)), "two components have one bom-ref")
    named = {ref for edge in document["dependencies"] for ref in [edge["ref"], *edge["dependsOn"]]}
    check(named <= set(refs), f"dependencies name what is no component: {sorted(named - set(refs))}")
    for component in components:
        check(component.get("type") and component.get("name"), f"{component['bom-ref']} has no type or name")
        check(component.get("licenses"), f"{component['name']} has no licence")
    for component in document["components"]:
        version, purl = component.get("version"), component.get("purl", "")
        check(version and purl.startswith("pkg:"), f"{component['name']} has no version or no purl")
        check(component["bom-ref"] in named, f"nothing depends on {component['name']}")

    swift = {component["name"].lower(): component for component in document["components"] if component.get("purl", "").startswith("pkg:swift/")}
    pins, resolved = facts["pins"], facts["resolved"]
    check(set(swift) == set(resolved) and facts["graph"] <= set(resolved), f"it lacks packages, or has too many: {sorted(set(swift) ^ (set(resolved) | facts['graph']))}")
    for name, pin in resolved.items():
        version, commit = pin["state"].get("version"), pin["state"]["revision"]
        check(name in pins, f"{name} {version} is resolved, and Package.swift does not pin it")
        check(pins.get(name, version) == version, f"{name} is resolved at {version}, and Package.swift pins {pins.get(name)}")
        check(facts["heads"][name] == commit, f"{name} is checked out at {facts['heads'][name]}, and Package.resolved says {commit}")
        component = swift.get(name)
        if component:
            check(component["version"] == pins.get(name, version), f"{name} is listed at {component['version']}, and Package.swift pins {pins.get(name)}")
            check(component["purl"].endswith(f"/{name}@{component['version']}"), f"{name}'s purl is of another version")
            check(component["swhid"] == [f"swh:1:rev:{commit}"], f"{name} is listed with another commit than Package.resolved has")
            check((component["scope"] == "required") == (name in facts["linked"]), f"{name} is {component['scope']}, which the linker's list contradicts")
    for name in set(pins) - set(resolved):
        check(False, f"{name} is pinned, and was not resolved")
    check(facts["linked"] <= set(swift), f"linked, and not listed: {sorted(facts['linked'] - set(swift))}")

    located = [place["location"] for component in document["components"] for place in component.get("evidence", {}).get("occurrences", [])]
    check(sorted(located) == sorted(facts["libraries"]), f"libraries that are loaded and not listed, or listed and not loaded: {sorted(set(located) ^ facts['libraries'])}")
    check(any(component["name"] == "swift-runtime" for component in document["components"]), "Swift's runtime is missing")
    return found


def unseen_mistakes(document, facts):
    """Mistakes made on purpose, of which the check did not complain."""
    def first(document, kind):
        return next(component for component in document["components"] if component.get("purl", "").startswith(kind))

    def another_pin(facts):
        facts["pins"][min(facts["pins"])] = "0.0.0"

    def another_resolved(facts):
        facts["resolved"][min(facts["pins"])]["state"]["version"] = "0.0.0"

    mistakes = {
        "a pin that was changed": lambda document, facts: another_pin(facts),
        "another version resolved": lambda document, facts: another_resolved(facts),
        "a pin that is gone": lambda document, facts: facts["pins"].pop(min(facts["pins"])),
        "other code checked out": lambda document, facts: facts["heads"].update({min(facts["heads"]): "0" * 40}),
        "another version listed": lambda document, facts: first(document, "pkg:swift/").update(version="0.0.0"),
        "another commit listed": lambda document, facts: first(document, "pkg:swift/").update(swhid=["swh:1:rev:" + "0" * 40]),
        "a package left out": lambda document, facts: document["components"].remove(first(document, "pkg:swift/")),
        "a linked package called excluded": lambda document, facts: first(document, "pkg:swift/").update(scope="excluded"),
        "a package without licence": lambda document, facts: first(document, "pkg:swift/").update(licenses=[]),
        "vendored code without licence": lambda document, facts: next(c for c in document["components"] if "components" in c)["components"][0].pop("licenses"),
        "a library left out": lambda document, facts: first(document, "pkg:deb/")["evidence"]["occurrences"].pop(),
        "a library that nobody knows": lambda document, facts: facts["libraries"].add("libunknown.so.1"),
        "a library's package without version": lambda document, facts: first(document, "pkg:deb/").pop("version"),
    }
    for name, mistake in mistakes.items():
        changed, told = copy.deepcopy(document), copy.deepcopy(facts)
        mistake(changed, told)
        if len(problems(changed, told)) <= len(problems(document, facts)):
            yield name


def schema_problem(text):
    """By CycloneDX' own schema; None where it fits, and a word where there is no validator."""
    try:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ImportError:
        print("sbom: no cyclonedx-python-lib here, CycloneDX' own schema is not checked")
        return None
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is None:
        print("sbom: fits CycloneDX' own schema")
    return error and f"CycloneDX' schema refuses it: {str(error)[:500]}"


def hold_against(document, installed):
    """What an image has of Debian's packages, as lines of NAME VERSION, against what is listed."""
    versions = dict(line.split()[:2] for line in installed.read_text().splitlines() if len(line.split()) >= 2)
    listed = [component for component in document["components"] if component.get("purl", "").startswith("pkg:deb/")]
    for component in listed:
        there = versions.get(component["name"].split(":")[0])
        if there != component["version"]:
            yield f"{component['name']} is listed at {component['version']}, and {f'the image has {there}' if there else 'is not in the image'}"
    print(f"sbom: {len(listed)} packages held against {installed}")


def main():
    options = argparse.ArgumentParser(prog="scripts/sbom", description=__doc__)
    options.add_argument("--check", action="store_true", help="check only, and write nothing")
    options.add_argument("--image", type=Path, metavar="FILE", help="hold the written list against lines of NAME VERSION, as dpkg-query prints them")
    options.add_argument("--package-path", type=Path, default=bill.ROOT, help="the package, resolved and built; this one")
    options.add_argument("--executable", type=Path, help="the executable, where swift build made it")
    options.add_argument("--output", type=Path, default=bill.ROOT / ".local/sbom.cdx.json")
    given = options.parse_args()
    if given.image:
        found = list(hold_against(json.loads(given.output.read_text()), given.image))
    else:
        document, facts = bill.make(given.package_path, given.executable)
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        found = problems(document, facts) + [problem for problem in [schema_problem(text)] if problem]
        found += [f"the check does not see {name}" for name in unseen_mistakes(document, facts)]
        excluded = sum(component.get("scope") == "excluded" for component in document["components"])
        parts = sum(1 for _ in everything(document["components"])) - len(document["components"])
        print(f"sbom: {len(facts['resolved'])} Swift packages, {excluded} of them not linked, with {parts} parts of other origin; "
              f"{len(facts['libraries'])} shared libraries of {sum('pkg:deb/' in c.get('purl', '') for c in document['components'])} Debian packages")
    for problem in found:
        print(f"sbom: {problem}")
    if found:
        raise SystemExit(1)
    if not given.image and not given.check:
        given.output.parent.mkdir(exist_ok=True)
        given.output.write_text(text)
        print(f"sbom: wrote {given.output}")


main()
