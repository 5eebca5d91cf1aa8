"""Makes the bill of materials (CycloneDX 1.6) of a built order-worker from what built it: nothing in here names a package.

Which packages are in the executable is read from the list of object files that SwiftPM gave to the linker.
"""
import datetime
import hashlib
import json
import os
import re
import subprocess
import urllib.parse
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8"}
SOURCES = (".c", ".cc", ".cpp", ".S", ".h", ".inc", ".macros")

# Words that only one licence has, in the order in which they are looked for.
PHRASES = [
    ("Apache-2.0 WITH Swift-exception", r"Apache License v(ersion )?2\.0 with Runtime Library Exception|Runtime Library Exception to the Apache 2\.0 License"),
    ("Apache-2.0", r"Apache License,? [Vv](ersion )?2\.0"),
    ("OpenSSL", r"OpenSSL License"),
    ("MIT", r"Permission is hereby granted, free of charge"),
    ("ISC", r"Permission to use, copy, modify, and(/or)? distribute this software for any"),
    ("BSD-3-Clause", r"Redistribution and use in source and binary forms.*Neither the names? of"),
    ("BSD-2-Clause", r"Redistribution and use in source and binary forms"),
    ("Zlib", r"see copyright notice in zlib\.h|This software is provided 'as-is', without any express or implied warranty"),
    ("CC0-1.0", r"creativecommons\.org/publicdomain/zero/1\.0"),
]
# How notices and Debian call licences that SPDX has under another name.
NAMES = {
    "apache license 2.0": "Apache-2.0", "apache-2": "Apache-2.0", "apache-2.0": "Apache-2.0", "mit": "MIT", "expat": "MIT", "isc": "ISC", "zlib": "Zlib",
    "zlib license": "Zlib", "bsd-2": "BSD-2-Clause", "bsd-2-clause": "BSD-2-Clause", "bsd-3": "BSD-3-Clause", "bsd-3-clause": "BSD-3-Clause",
    "postgresql": "PostgreSQL", "tcl": "TCL", "x11": "X11", "beerware": "Beerware", "openldap-2.8": "OLDAP-2.8",
}


def run(*command, at=None):
    done = subprocess.run(command, cwd=at, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"sbom: {' '.join(map(str, command))} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def licence_of(text):
    flat = " ".join(re.sub(r"\n[\s/*#]*", " ", text).split())
    return next((name for name, phrase in PHRASES if re.search(phrase, flat)), None)


def spdx(name):
    """SPDX's id for a name of a notice or of Debian, or None."""
    gnu = re.fullmatch(r"(L|A)?GPLv?-?(\d)(\.\d)?(\+)?", name)
    if gnu:
        return f"{gnu[1] or ''}GPL-{gnu[2]}{gnu[3] or '.0'}-{'or-later' if gnu[4] else 'only'}"
    return NAMES.get(name.lower())


def declared(*names):
    """CycloneDX has either one expression, or a list of ids and names."""
    if len(names) == 1 and re.search(r" (AND|OR|WITH) ", names[0]):
        return [{"expression": names[0], "acknowledgement": "declared"}]
    known = {name for name, _ in PHRASES} | set(NAMES.values())
    found = dict.fromkeys(("id", spdx(name) or name) if spdx(name) or name in known else ("name", name) for name in names)
    return [{"license": {key: value, "acknowledgement": "declared"}} for key, value in found]


def checkout_of(package, pin):
    return package / ".build/checkouts" / pin["location"].split("/")[-1].removesuffix(".git")


def read_package(package):
    """What Package.swift pins, what was resolved, and who depends on whom."""
    manifest = json.loads(run("swift", "package", "dump-package", at=package))
    pins = {}
    for [source] in (dependency["sourceControl"] for dependency in manifest["dependencies"]):
        pins[source["identity"]] = (source["requirement"].get("exact") or ["a range"])[0]
    resolved = {pin["identity"]: pin for pin in json.loads((package / "Package.resolved").read_text())["pins"]}
    # SwiftPM refuses this too, but does not say which.
    apart = [f"{name} is resolved at {pin['state'].get('version')}, and Package.swift pins {pins[name]}" for name, pin in resolved.items()
             if pins.get(name) not in (None, pin["state"].get("version"))]
    if apart:
        raise SystemExit("\n".join(f"sbom: {text}" for text in apart))
    tree = json.loads(run("swift", "package", "--only-use-versions-from-resolved-file", "show-dependencies", "--format", "json", at=package))
    edges, todo = {}, list(tree["dependencies"])
    while todo:
        node = todo.pop()
        edges.setdefault(node["identity"], set()).update(child["identity"] for child in node["dependencies"])
        todo += node["dependencies"]
    used = {part["product"][1] for target in manifest["targets"] if target["type"] != "test" for part in target["dependencies"] if "product" in part}
    return manifest["name"], pins, resolved, edges, used


def linked_modules(executable):
    """{package: {module: [its objects]}} of all that was given to the linker; the build's manifest says where each object's source lies."""
    folder = executable.resolve().parent
    objects = folder / f"{executable.name}.product" / "Objects.LinkFileList"
    manifest = folder.parents[1] / f"{folder.name}.yaml"
    for needed in (objects, manifest):
        if not needed.exists():
            raise SystemExit(f"sbom: {needed} is missing: the executable must lie where `swift build` made it")
    # A command of the build has a line of inputs, whose first is a source, and then one of outputs.
    home, modules = {}, {}
    in_folder = rf"/{re.escape(folder.name)}/([^/\"]+)\.build/"
    for package, output in re.findall(rf'^ +inputs: \["[^"]*/checkouts/([^/"]+)/[^\n]*\n +outputs: \["[^"]*?{in_folder}', manifest.read_text(), re.M):
        home[output] = package.lower()
    for module, name in re.findall(in_folder + r"(?:.*/)?([^/\n]+\.o)\b", objects.read_text()):
        if module in home:
            modules.setdefault(home[module], {}).setdefault(module, []).append(name)
    return modules


def vendored(checkout, modules):
    """Other people's code in a package: what its notice names, and what its C modules' own records say of their version."""
    found = {}
    objects = {name.removesuffix(".o") for names in modules.values() for name in names}
    notice = "".join(path.read_text() for path in sorted(checkout.glob("NOTICE*")))
    for what, licence, home in re.findall(r"This product contains? ((?:(?!This product).)*?)\.?\s+\* LICENSE \(?([^\n]*?)\)?:?\n.*?\* HOMEPAGE:\s+\* (\S+)", notice, re.S):
        files = re.findall(r"[\w+]+\.(?:swift|c|cc|S|rb)\b", what)
        if not any(file in objects for file in files) if files else re.search(r"\b(scripts|test vectors|test data|tests from|mocking|testing|benchmarking)\b", what):
            continue
        address = urllib.parse.urlparse(home)
        name = address.path.strip("/").split("/")[-1] or address.netloc.removeprefix("www.").removesuffix(".net")
        found[name.lower()] = {"name": name, "description": " ".join(what.split()), "licences": {spdx(licence) or licence}, "home": home}
    for folder in (checkout / "Sources" / module for module in sorted(modules)):
        files = [path for path in sorted(folder.rglob("*")) if path.suffix in SOURCES] if folder.is_dir() else []
        if not files or all(path.suffix == ".h" for path in files):
            continue
        records = {path.name: path.read_text() for path in folder.iterdir() if path.suffix in (".txt", ".version")}
        record = "\n".join(records.values())
        at = re.search(r"derived from (\S+) cloned from (\S+) at revision (\w+)", record) or re.search(r"Vendored code from ((\w+))#\S+ \(\S*-g(\w+)\)", record)
        name, version = (at[1], at[3]) if at else (None, None)
        for file in (file for file in records if re.fullmatch(r"vendored-.+\.version", file)):
            name, version = file[len("vendored-"):-len(".version")], records[file].strip()
        for known in found:
            defines = dict(re.findall(rf"#define {re.escape(known.upper())}_VERSION_(MAJOR|MINOR|PATCH) (\d+)", "".join(f.read_text() for f in files if f.suffix == ".h")))
            if len(defines) == 3:
                name, version = known, f"{defines['MAJOR']}.{defines['MINOR']}.{defines['PATCH']}"
        if name:
            part = found.setdefault(name.lower(), {"name": name, "description": f"in the module {folder.name}", "licences": set(), "home": None})
            # Files of the package itself, such as shims, say so in their first lines.
            heads = [head for head in (path.read_text(errors="replace")[:3000] for path in files) if "open source project" not in head]
            part.update(version=version, licences={licence for licence in map(licence_of, heads) if licence} or part["licences"])
            part["home"] = at[2] if at and at[2].startswith("http") else part["home"]
    return found


def swift_component(pin, checkout, modules):
    address, state = pin["location"].removesuffix(".git"), pin["state"]
    purl = f"pkg:swift/{address.split('://')[1]}@{state['version']}"
    files = sorted(path for path in checkout.glob("LICEN[CS]E*") if path.is_file())
    licence = licence_of(files[0].read_text()) if files else None
    component = {
        "type": "library", "bom-ref": purl, "group": address.split("/")[-2], "name": address.split("/")[-1], "version": state["version"],
        "scope": "required" if modules else "excluded", "licenses": declared(licence) if licence else [], "purl": purl, "swhid": [f"swh:1:rev:{state['revision']}"],
        "externalReferences": [{"type": "vcs", "url": pin["location"], "comment": f"commit {state['revision']}"}],
        "properties": [{"name": "order-worker:linked-modules", "value": " ".join(sorted(modules)) or "none: no object of it is in the linker's list"}],
    }
    parts = []
    for part in vendored(checkout, modules).values():
        names = sorted(part["licences"])
        nested = {
            "type": "library", "bom-ref": f"{purl}#{part['name']}", "name": part["name"], "version": part.get("version"), "description": part["description"],
            "licenses": declared(" AND ".join(names)) if names else [], "externalReferences": part["home"] and [{"type": "website", "url": part["home"]}],
        }
        parts.append({key: value for key, value in nested.items() if value is not None})
    return {**component, "components": parts} if parts else component


def libraries(executable):
    """{name: path} of what the dynamic linker loads; the kernel's vdso is no file."""
    return {Path(path).name: path for path in re.findall(r"(/\S+) \(0x", run("ldd", str(executable)))}


def debian_package(path):
    for candidate in dict.fromkeys([path, "/usr" + path, os.path.realpath(path)]):
        done = subprocess.run(["dpkg-query", "-S", candidate], env=ENVIRONMENT, capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(": ")[0].split(",")[0]
    return None


def debian_licences(name):
    path = Path(f"/usr/share/doc/{name}/copyright")
    text = path.read_text(errors="replace") if path.exists() else ""
    names = []
    for paragraph in re.split(r"\n\s*\n", text):
        files, licence = re.search(r"^Files:((?:.*\n[ \t]+)*.*)", paragraph, re.M), re.search(r"^License: *(\S.*)", paragraph, re.M)
        if files and licence and not all(pattern.startswith("debian/") for pattern in files[1].split()):
            names.append(licence[1].strip())
    if text.startswith("Format:") and names:
        return declared(*sorted(set(names)))
    common = sorted({found.rstrip(".") for found in re.findall(r"common-licenses/([\w.-]+)", text)})
    return declared(f"see {path}" + (f", which refers to {', '.join(common)}" if common else "")) if text else []


def debian_component(package, names):
    name, version, architecture, source = run("dpkg-query", "-W", "-f", r"${Package}\t${Version}\t${Architecture}\t${source:Package}", package).split("\t")
    system = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)', Path("/etc/os-release").read_text(), re.M))
    qualifiers = {"arch": architecture, "distro": f"{system['ID']}-{system.get('VERSION_ID', 'unknown')}", **({"upstream": source} if source != name else {})}
    quoted = [urllib.parse.quote(text, safe="") for text in (name, version)]
    purl = f"pkg:deb/{system['ID']}/{quoted[0]}@{quoted[1]}?{urllib.parse.urlencode(qualifiers)}"
    return {
        "type": "library", "bom-ref": purl, "name": name, "version": version, "scope": "required", "licenses": debian_licences(name), "purl": purl,
        "evidence": {"occurrences": [{"location": library} for library in names]},
    }


def runtime_component(info, names):
    version = re.search(r"Swift version (\S+)(?: \((swift-[^ )]+))?", info["compilerVersion"])
    licence = Path(info["paths"]["runtimeResourcePath"]).parents[1] / "share/swift/LICENSE.txt"
    purl = f"pkg:github/swiftlang/swift@{version[2] or version[1]}"
    return {
        "type": "framework", "bom-ref": purl, "name": "swift-runtime", "version": version[1], "scope": "required", "purl": purl,
        "description": "Swift's standard library, Dispatch and Foundation, of the toolchain" + ("" if names else ", linked statically"),
        "licenses": declared(licence_of(licence.read_text())) if licence.exists() else [],
        "evidence": {"occurrences": [{"location": name} for name in names]},
    }


def make(package, executable):
    """The document, and the facts that it must agree with."""
    name, pins, resolved, edges, used = read_package(package)
    modules, toolchain = linked_modules(executable), json.loads(run("swiftc", "-print-target-info"))
    home = os.path.realpath(toolchain["paths"]["runtimeResourcePath"]) + "/"
    swift = {key: swift_component(pin, checkout_of(package, pin), modules.get(key, {})) for key, pin in sorted(resolved.items())}
    loaded, owners = libraries(executable), {}
    for library, path in sorted(loaded.items()):
        owners.setdefault("swift" if os.path.realpath(path).startswith(home) else debian_package(path), []).append(library)
    runtime, unknown = runtime_component(toolchain, owners.pop("swift", [])), owners.pop(None, [])
    debian = [debian_component(owner, names) for owner, names in sorted(owners.items())]
    # Whose they are nobody says: they stand there without version and licence, and the check refuses them.
    strange = [{"type": "library", "bom-ref": f"file:{library}", "name": library, "evidence": {"occurrences": [{"location": library}]}} for library in unknown]

    epoch = os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct", at=ROOT).strip()
    version = run("git", "describe", "--tags", "--always", "--dirty", at=ROOT).strip()
    system = [runtime, *debian, *strange]
    graph = {name: sorted([swift[key]["bom-ref"] for key in used] + [component["bom-ref"] for component in system])}
    graph.update({swift[key]["bom-ref"]: sorted(swift[child]["bom-ref"] for child in edges.get(key, ())) for key in swift})
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [{"type": "application", "name": "scripts/sbom", "version": version}]},
            "component": {
                "type": "application", "bom-ref": name, "name": name, "version": version,
                "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(executable.read_bytes()).hexdigest()}],
            },
        },
        "components": [*swift.values(), *system],
        "dependencies": [{"ref": ref, "dependsOn": on} for ref, on in sorted(graph.items())],
    }
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}"
    heads = {key: run("git", "rev-parse", "HEAD", at=checkout_of(package, pin)).strip() for key, pin in resolved.items()}
    return document, {"pins": pins, "resolved": resolved, "graph": set(edges), "heads": heads, "libraries": set(loaded), "linked": set(modules)}
