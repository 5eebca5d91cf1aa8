#!/usr/bin/env python3
"""The Dockerfile as a list of instructions; as a program, one stage of it as lines of shell for scripts/image-root.

Usage: dockerfile.py STAGE. Each line calls a function of the script (run, copy, workdir, environment, user, setting) with quoted arguments. An
instruction that it does not know ends it, so that no step is left out unseen.
"""
import json
import re
import shlex
import sys

from worker import text

# They say something about the image, and do nothing to its files.
SAID_ONLY = {"LABEL", "EXPOSE"}


def instructions(source):
    """(name, rest) of each instruction, its lines joined and comments left out."""
    lines = [line for line in source.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name.upper(), re.sub(r"\s+", " ", rest).strip()


def expand(value, arguments):
    return re.sub(r"\$\{(\w+)\}", lambda match: arguments.get(match[1], match[0]), value)


def stages(source):
    """Name: (image, instructions) of each stage, with the defaults of ARG put in."""
    found, arguments, current = {}, {}, None
    for name, rest in instructions(source):
        if name == "ARG":
            key, _, value = rest.partition("=")
            arguments.setdefault(key, value)
        elif name == "FROM":
            image, stage = re.fullmatch(r"(\S+) AS (\S+)", expand(rest, arguments)).groups()
            current = found[stage] = (image, [])
        else:
            # What a RUN names is the shell's to put in; the others have no shell.
            current[1].append((name, rest if name == "RUN" else expand(rest, arguments)))
    return found


def flags(rest):
    """The --flags of an instruction, and what follows them."""
    given = []
    while rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        given.append(flag)
    return given, rest.strip()


def shell(name, rest):
    given, rest = flags(rest)
    if name == "RUN":
        caches = [re.fullmatch(r"--mount=type=cache,target=([^,]+)(?:,sharing=\w+)?", flag)[1] for flag in given]
        return ["run", rest, *caches]
    if name == "COPY":
        source = re.fullmatch(r"--from=(\w+)", given[0])[1] if given else "context"
        return ["copy", source, *rest.split()]
    if name == "ENV":
        return ["environment", *shlex.split(rest)]
    if name in ("WORKDIR", "USER", "STOPSIGNAL"):
        return [name.lower(), rest]
    if name in ("ENTRYPOINT", "CMD"):
        return [name.lower(), *json.loads(rest)]
    if name == "HEALTHCHECK":
        return ["healthcheck", *json.loads(rest.removeprefix("CMD "))]
    if name in SAID_ONLY:
        return ["said", name, rest]
    raise SystemExit(f"dockerfile.py: no word about {name}")


if __name__ == "__main__":
    image, steps = stages(text("Dockerfile"))[sys.argv[1]]
    print(shlex.join(["from", image]))
    for step in steps:
        print(shlex.join(shell(*step)))
