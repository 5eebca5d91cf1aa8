"""What the sources, and the program itself where ORDER_WORKER_EXECUTABLE names it, say of settings, commands, ports and paths."""
import os
import pathlib
import re
import subprocess
import tempfile
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("ORDER_WORKER_EXECUTABLE")
# Kinds of settings that can be read from a file, too.
SECRET_KINDS = (".amqpURL", ".databaseURL", ".redisURL", ".url", ".secret")
counts = {"passed": 0, "failed": 0}


def check(good, where, sentence):
    counts["passed" if good else "failed"] += 1
    if not good:
        print(f"{where}: {sentence}")
    return good


def text(path):
    return (ROOT / path).read_text()


def sources(folder):
    return "\n".join(path.read_text() for path in sorted((ROOT / folder).rglob("*.swift")))


def seconds(duration):
    """25s and 1m30s as Compose and the worker write them."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
    return sum(float(n) * units[u] for n, u in re.findall(r"(\d+)(ms|s|m|h)", str(duration)))


class Worker:
    """What the sources say of the program."""

    table = text("Sources/Worker/Configuration/Setting+Table.swift")
    kinds = dict(re.findall(r'"(ORDERS_[A-Z_]+)",\s*(\.\w+)', table))
    # Of the servers' addresses that it is given, set-up uses these.
    of_setup = {"ORDERS_AMQP_URL", "ORDERS_DATABASE_URL"}
    names = set(kinds) | {name + "_FILE" for name, kind in kinds.items() if kind in SECRET_KINDS}
    defaults = dict(re.findall(r'"(ORDERS_[A-Z_]+)",(?:(?!"ORDERS_).)*?standard: "([^"]*)"', table, re.S))
    commands = set(re.findall(r'commandName: "([a-z-]+)"', sources("Sources/Worker/Commands")))
    health_paths = set(re.findall(r'case "(/[^"]+)":', text("Sources/Operations/Health/OperatorServer.swift")))
    sandbox_paths = set(re.findall(r'"GET", "([^"]+)"', sources("Sources/Adapters/PaymentSandbox")))


def purpose(container):
    """The program's command that the container runs; `operator` where it waits for an operator's; None where it is another program."""
    if container.get("command") == ["sleep", "infinity"]:
        return "operator"
    return container.get("args", [None])[0]


def check_settings(where, environment):
    for name in environment:
        if name.startswith("ORDERS_"):
            check(name in Worker.names, where, f"{name} is no setting of the worker")
    if environment.get("ORDERS_ENV") == "production":
        check(environment.get("ORDERS_AUTH") == "required", where, "production without ORDERS_AUTH=required")


def check_keys(where, environment):
    """A worker that asks its senders for tokens does not start without keys."""
    if environment.get("ORDERS_AUTH", Worker.defaults["ORDERS_AUTH"]) == "off":
        return
    sources = ("ORDERS_JWT_JWKS_URL", "ORDERS_JWT_JWKS_URL_FILE", "ORDERS_JWT_JWKS_FILE", "ORDERS_JWT_HMAC_SECRET_FILE")
    check(any(map(environment.get, sources)), where, "asks for tokens, and nothing says by which keys")
    check(environment.get("ORDERS_SIGNING_KEY_FILE"), where, "asks for tokens without keys of its own")


def check_command(where, arguments):
    """The program's command, and that it takes these flags."""
    if not check(arguments and arguments[0] in Worker.commands, where, f"{arguments} is no command of the worker"):
        return
    if PROGRAM:
        result = subprocess.run([PROGRAM, *arguments, "--help"], capture_output=True, text=True, env={})
        check(result.returncode == 0, where, f"{' '.join(arguments)}: {result.stderr.strip()}")
        flags = [argument for argument in arguments if argument.startswith("--")]
        known = result.stdout + "".join(f" --{name[7:].lower().replace('_', '-')} " for name in Worker.names)
        for flag in flags:
            check(re.search(rf"{flag}[ \n]", known), where, f"{arguments[0]} has no flag {flag}")


def check_with_program(where, environment, files):
    """Has the program read these settings, with the Secrets' files (path: content) in a folder that stands for the container's root."""
    if not PROGRAM:
        return
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files.items():
            file = pathlib.Path(folder + path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        moved = {name: folder + value if name.endswith("_FILE") and value else value for name, value in environment.items()}
        result = subprocess.run([PROGRAM, "run", "--print-config"], capture_output=True, text=True, env=moved)
        check(result.returncode == 0 and not result.stderr, where, f"print-config ends with {result.returncode}: {result.stderr.strip()}")


def option(arguments, name, default=None):
    return arguments[arguments.index(name) + 1] if name in arguments else default
