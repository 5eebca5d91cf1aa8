"""The Dockerfile against Package.swift and the worker's defaults."""
import re

from dockerfile import shell, stages
from worker import ROOT, Worker, check, text

# sslrootcert=system came with libpq 16; before, it is a file of that name.
LIBPQ = {"bookworm": 15, "trixie": 17}
RUNTIME_OF = {"libhiredis-dev": "libhiredis", "libpq-dev": "libpq", "librabbitmq-dev": "librabbitmq"}
LABELS = ("title", "description", "version", "revision")


def check_all():
    check_text(text("Dockerfile"))
    check_context()


def check_text(source):
    where, package = "Dockerfile", text("Package.swift")
    found = stages(source)
    if not check(list(found) == ["build", "symbols", "runtime"], where, f"has the stages {list(found)}"):
        return
    steps = {name: [shell(*step) for step in steps] for name, (_, steps) in found.items()}
    ran = {name: " ".join(step[1] for step in steps[name] if step[0] == "run") for name in steps}
    toolchain, release = re.fullmatch(r"swift:(\S+)-(\w+)", found["build"][0]).groups()
    check(found["runtime"][0] == f"debian:{release}-slim", where, f"is built on {release} and runs on {found['runtime'][0]}")
    needed = re.search(r"swift-tools-version: (\d+)\.(\d+)", package).groups()
    check(tuple(map(int, toolchain.split(".")[:2])) >= tuple(map(int, needed)), where, f"Swift {toolchain} is older than Package.swift's tools version")
    for needs in re.findall(r'\.apt\(\["([^"]+)"\]\)', package):
        check(needs in ran["build"], where, f"{needs}, which Package.swift needs, is not installed for the build")
        check(re.search(rf"\b{RUNTIME_OF.get(needs, needs)}[\d.]+ ", ran["runtime"]), where, f"{needs} is built with, and its library is not in the image that runs")
    builds = re.findall(r'swift build [^&|")]*', ran["build"])
    check(builds and all("--static-swift-stdlib" in build for build in builds), where, "needs Swift's libraries where it runs")
    check("--only-keep-debug" in ran["build"] and "--strip-debug" in ran["build"], where, "has debug information in it, or keeps none beside it")
    check("apt-get upgrade" in ran["runtime"], where, "leaves what the base image brings without its security fixes")
    for path in sorted((ROOT / "k8s").rglob("*")):
        if path.is_file() and LIBPQ[release] < 16:
            check("sslrootcert=system" not in path.read_text(), path.relative_to(ROOT), f"has sslrootcert=system, which {release}'s libpq does not know")
    check_runtime(where, steps["runtime"])


def check_runtime(where, steps):
    said = {step[0]: step[1:] for step in steps}
    labels = " ".join(step[2] for step in steps if step[:2] == ["said", "LABEL"])
    for label in LABELS:
        check(f"org.opencontainers.image.{label}=" in labels, where, f"has no label for its {label}")
    user = re.fullmatch(r"(\d+):(\d+)", said.get("user", [""])[0])
    check(user and int(user[1]) > 0, where, "USER is no number above 0")
    port = Worker.defaults["ORDERS_HTTP_PORT"]
    check(["said", "EXPOSE", port] in steps, where, "EXPOSE differs from the default of ORDERS_HTTP_PORT")
    for name in re.findall(r"\b(ORDERS_[A-Z_]+)=", " ".join(said.get("environment", []))):
        check(name in Worker.names, where, f"{name} is no setting of the worker")
    check(said.get("cmd", [""])[0] in Worker.commands, where, f"starts {said.get('cmd')}, which is no command of the worker")
    health = said.get("healthcheck", [])
    asks = health[:2] == ["order-worker", "health"] and "health" in Worker.commands and health[2:3] == ["--path"] and health[3] == "/health/live"
    check(asks and health[3] in Worker.health_paths, where, f"HEALTHCHECK asks by {health}")
    check(said.get("stopsignal") == ["SIGTERM"], where, "is not asked to stop by SIGTERM")


def check_context():
    lines = [line for line in text(".dockerignore").splitlines() if line and not line.startswith("#")]
    check(lines[:1] == ["*"] and all(line.startswith("!") for line in lines[1:]), ".dockerignore", "is more than a list of what is let in")
    allowed = {line[1:] for line in lines[1:]}
    paths = set(re.findall(r'path: "(\w+)', text("Package.swift"))) | {"Package.swift"}
    check(paths == allowed, ".dockerignore", f"lets in {sorted(allowed)}, and the package is made of {sorted(paths)}")
    for folder in allowed:
        check((ROOT / folder).exists(), ".dockerignore", f"{folder} does not exist")
