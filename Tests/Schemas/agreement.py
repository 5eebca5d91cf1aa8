"""Whether the schemas and the worker give the same verdict on the same messages."""

import json
import subprocess
from collections import Counter
from random import Random

from good_messages import GoodMessages, Members, text_of
from one_fault import OneFault
from schema_set import COMMANDS, QUERIES, read


class Worker:
    """`order-worker validate` of the built executable."""

    def __init__(self, path):
        self.path = path

    def verdicts(self, lines):
        result = subprocess.run([self.path, "validate"], input="".join(line + "\n" for line in lines).encode("utf-8"), capture_output=True, timeout=600)
        verdicts = [json.loads(line) for line in result.stdout.splitlines()]
        if len(verdicts) != len(lines) or [verdict["line"] for verdict in verdicts] != list(range(1, len(lines) + 1)):
            raise RuntimeError(f"validate answered {len(verdicts)} of {len(lines)} lines: {result.stderr.decode()}")
        expected = 0 if all(verdict["valid"] for verdict in verdicts) else 1
        if result.returncode != expected:
            raise RuntimeError(f"validate exits with {result.returncode} instead of {expected}: {result.stderr.decode()}")
        return verdicts


def line_of(type, body_text):
    return f'{{"type": {json.dumps(type)}, "body": {body_text}}}'


def generated(count, random):
    """Messages one by one, each second one wrong in one place: (type, kind of its fault or None, body's text)."""
    good = GoodMessages(random)
    wrong = OneFault(random, good)
    kinds = [(type, kind) for type in COMMANDS + QUERIES for kind in wrong.kinds(type)]
    for number in range(count):
        type, kind = kinds[number // 2 % len(kinds)] if number % 2 else (random.choice(COMMANDS + QUERIES), None)
        body = good.body(type)
        if kind:
            wrong.put(type, kind, body)
        yield type, kind, text_of(written_twice(body, good), random)


def written_twice(body, good):
    """Of two members of one name the last counts: sometimes another stands before it."""
    members = Members(body.items())
    if members and good.random.random() < 0.1:
        members.insert(0, (good.random.choice(members)[0], good.anything(0)))
    return members


def check(schemas, worker, count, seed):
    messages = list(generated(count, Random(seed)))
    verdicts = worker.verdicts([line_of(type, body) for type, _, body in messages])
    faults, tally = [], Counter()
    for (type, kind, body), verdict in zip(messages, verdicts):
        by_schema = schemas.is_valid(type, read(body))
        tally[type, kind is None] += 1
        if by_schema == verdict["valid"] == (kind is None) and verdict["reason"] == (kind and "invalid") and len(verdict["errors"]) == (1 if kind else 0):
            continue
        faults.append(
            f"{type}, {kind or 'good'}: the schema says {'valid' if by_schema else 'invalid'}, validate {verdict['reason'] or 'valid'} {verdict['errors'][:2]}: {body[:400]}")
    summary = ", ".join(f"{type} {tally[type, True]} + {tally[type, False]}" for type in COMMANDS + QUERIES)
    print(f"{count} messages, seed {seed}, good + wrong in one place: {summary}")
    return faults
