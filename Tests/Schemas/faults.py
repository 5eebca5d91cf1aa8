"""Faults to put into a good message, each in exactly one place: all that the contract calls invalid, but for what no schema can say."""

from good_messages import CONTROLS, STATUSES, Number

NOT_TEXT = [Number("1"), True, [], {}, ["a"]]
NOT_WHOLE = ["2", "", True, [], {}]
LONE = Number("0")


def identifier(random):
    return random.choice([
        "", "x" * 129, "😀" * 129, "e\u0301" * 65, "a" + random.choice(CONTROLS) + "b", "line\n", "\x7f", "a\u0000b", *NOT_TEXT,
    ])


def uuid(random, good):
    at = random.choice([0, 7, 9, 24, 35])
    return random.choice([
        "", good[:-1], good + "0", good + "\n", " " + good, good[:at] + "g" + good[at + 1:], good.replace("-", ""), "{" + good + "}", good.replace("-", "_"),
        good[:at] + "٣" + good[at + 1:], "urn:uuid:" + good, good[:8] + good[9:] + "-", *NOT_TEXT,
    ])


def status(random):
    return random.choice(["", "Pending", "shipped ", "shipped\n", "refunded", "canceled", "none", "pending\u0000", *NOT_TEXT])


def currency(random):
    return random.choice(["", "usd", "US", "USDX", "XXX", "XAU", "EUR ", "EUR\n", "€", "ＵＳＤ", *NOT_TEXT])


def whole(random, least, most):
    outside = [
        f"{least - 1}", f"{most + 1}", f"{most + 1}.0", "-1", "-0", "0", "0e5", "1e400", "-1e400", "1e30", f"{2**63}", f"{2**64 + 1}",
        "1.5", "0.1", "1e-1", f"{least}.0000000000000000000000001", "1.00000000000000000001e1",
    ]
    return random.choice([*map(Number, outside), *NOT_WHOLE])


def price(random):
    numbers = ["-1", "-0.01", "-1e-400", "-1e400", "-0.0000001"]
    texts = [
        "", "x", "-1", "-0", "+1", ".5", "1.", "1e2", "1,5", " 1", "1 ", "1\n", "1.5\n", "0x10", "1" * 16, "0" * 16 + ".5", "NaN", "Infinity", "١", "1.٥", "１",
        "1\u0000", "1.2.3", "1_000",
    ]
    return random.choice([*map(Number, numbers), *texts, True, [], {}, [Number("1")], {"amount": "1"}])


def price_of_too_many_decimals(random, decimals):
    """In a string, and by a currency that the message names: a schema can say that."""
    return random.choice(["0", "1", "12345"]) + "." + "0" * decimals + random.choice(["1", "01", "500"])


def long_text(random, most):
    return random.choice(["x" * (most + 1), "😀" * (most + 1), "e\u0301" * (most // 2 + 1), "\n" * (most + 1)])


def nul_inside(random, deep):
    """A value that is good but for U+0000 somewhere in it; `deep` is anything else."""
    inner = random.choice(["\u0000", "a\u0000", {"a\u0000b": deep}, {"\u0000": None}])
    for _ in range(random.randint(0, 4)):
        inner = random.choice([[inner], {"a": inner}, [deep, inner], {"x": deep, "y": inner}])
    return inner


def word(random):
    return random.choice(["true", "", Number("1"), Number("0"), [], {}])


def container(random):
    return random.choice(["", "x", Number("3"), True, False])


def any_status(random):
    return random.choice(STATUSES)
