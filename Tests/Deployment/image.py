"""The Dockerfile against Package.swift and the worker's defaults."""
import re

from worker import ROOT, Worker, check, text

# sslrootcert=system came with libpq 16; before, it is a file of that name.
LIBPQ = {"bookworm": 15, "trixie": 17}
RUNTIME_OF = {"libhiredis-dev": "libhiredis", "libpq-dev": "libpq", "librabbitmq-dev": "librabbitmq"}


def check_all():
    where, dockerfile, package = "Dockerfile", text("Dockerfile"), text("Package.swift")
    build, runtime = re.split(r"^FROM debian", dockerfile, flags=re.M)

    toolchain = re.search(r"ARG SWIFT_VERSION=(\d+)\.(\d+)", dockerfile).groups()
    needed = re.search(r"swift-tools-version: (\d+)\.(\d+)", package).groups()
    check(tuple(map(int, toolchain)) >= tuple(map(int, needed)), where, f"Swift {toolchain} is older than Package.swift's tools version")
    for needs in re.findall(r'\.apt\(\["([^"]+)"\]\)', package):
        check(needs in build, where, f"{needs}, which Package.swift needs, is not installed for the build")
        check(re.search(rf"\b{RUNTIME_OF.get(needs, needs)}[\d.]+ ", runtime), where, f"{needs} is built with, and its library is not in the image that runs")

    release = re.search(r"ARG DEBIAN=(\w+)", dockerfile)[1]
    for path in sorted((ROOT / "k8s").rglob("*")):
        if path.is_file() and LIBPQ[release] < 16:
            check("sslrootcert=system" not in path.read_text(), path.relative_to(ROOT), f"has sslrootcert=system, which {release}'s libpq does not know")

    allowed = set(re.findall(r"^!(\S+)", text(".dockerignore"), re.M))
    paths = set(re.findall(r'path: "(\w+)', package)) | {"Package.swift"}
    check(paths == allowed, ".dockerignore", f"lets in {sorted(allowed)}, and the package is made of {sorted(paths)}")
    for folder in allowed:
        check((ROOT / folder).exists(), ".dockerignore", f"{folder} does not exist")

    user = re.search(r"^USER (\d+):(\d+)$", runtime, re.M)
    check(user and int(user[1]) > 0, where, "USER is no number above 0")
    check(re.search(rf"^EXPOSE {Worker.defaults['ORDERS_HTTP_PORT']}$", runtime, re.M), where, "EXPOSE differs from the default of ORDERS_HTTP_PORT")
    for name in re.findall(r"\b(ORDERS_[A-Z_]+)=", dockerfile):
        check(name in Worker.names, where, f"{name} is no setting of the worker")
    health = re.search(r'"order-worker", "(\w+)", "--path", "([^"]+)"', runtime)
    check(health and health[1] in Worker.commands and health[2] in Worker.health_paths, where, "HEALTHCHECK asks for what is not there")
