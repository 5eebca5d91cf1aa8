"""Messages that keep every rule, made at random: each is JSON text in the many ways that the same value may be written."""

import json

CURRENCIES = {"USD": 2, "EUR": 2, "JPY": 0, "KRW": 0, "KWD": 3, "TND": 3, "CLF": 4, "UYW": 4}
STATUSES = ["pending", "confirmed", "processing", "on_hold", "shipped", "delivered", "cancelled", "rejected", "expired"]
LETTERS = "abcXYZ019 -_/\"\\äß€日😀𝔘\ufffd\u200b\u0301\u00a0"
CONTROLS = "\n\t\r\u0001\u001f\u007f\u0085\u009f"


class Number(str):
    """A number as it is to be written."""


class Members(list):
    """An object's members in their order, names twice where they are to come twice."""


def text_of(value, random):
    """JSON text of `value`, with white space and escapes as they come."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return quoted(value, random)
    if isinstance(value, Members) or isinstance(value, dict):
        members = value if isinstance(value, Members) else list(value.items())
        return "{" + ",".join(space(random) + quoted(name, random) + space(random) + ":" + text_of(member, random) for name, member in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(space(random) + text_of(element, random) + space(random) for element in value) + "]"
    return json.dumps(value)


def space(random):
    return random.choice(["", "", "", " ", "\t", "  "])


def quoted(text, random):
    if random.random() < 0.5:
        return json.dumps(text, ensure_ascii=random.random() < 0.5)
    parts = []
    for character in text:
        if ord(character) < 0x20 or character in '"\\' or random.random() < 0.2:
            parts.extend(f"\\u{unit:04{random.choice('xX')}}" for unit in utf16(character))
        else:
            parts.append(character)
    return '"' + "".join(parts) + '"'


def utf16(character):
    encoded = character.encode("utf-16-be")
    return [encoded[at] << 8 | encoded[at + 1] for at in range(0, len(encoded), 2)]


class GoodMessages:
    def __init__(self, random):
        self.random = random

    def body(self, type):
        """A body without any fault, as a dict that may be changed."""
        members = {
            "order.create": self.create, "order.update_status": self.update, "order.get": self.get, "order.history": self.history, "order.list": self.list,
        }[type]()
        if self.random.random() < 0.3:
            members[self.random.choice(["unknown", "Items", "note ", ""])] = self.anything(0)
        names = list(members)
        self.random.shuffle(names)
        return {name: members[name] for name in names}

    def create(self):
        random = self.random
        body = {"customer_id": self.identifier()}
        currency = random.choice([*CURRENCIES, None])
        if currency is not None or random.random() < 0.3:
            body["currency"] = currency
        count = random.choice([1, 1, 2, 3, random.randint(1, 12), random.choice([1, 200])])
        body["items"] = [self.line(position, CURRENCIES.get(currency, 2)) for position in range(count)]
        self.maybe(body, "order_id", self.uuid)
        self.maybe(body, "payment_method", self.identifier)
        self.maybe(body, "confirm", lambda: random.random() < 0.5)
        self.maybe(body, "metadata", self.metadata)
        return body

    def update(self):
        body = {"order_id": self.uuid(), "status": self.random.choice(STATUSES)}
        self.maybe(body, "reason", lambda: self.text(self.random.choice([0, 10, 1024]), CONTROLS))
        self.maybe(body, "expected_version", self.version)
        self.maybe(body, "payment_method", self.identifier)
        return body

    def get(self):
        body = {"order_id": self.uuid()}
        self.maybe(body, "min_version", self.version)
        return body

    def history(self):
        return {"order_id": self.uuid()}

    def list(self):
        body = {"customer_id": self.identifier()}
        self.maybe(body, "status", lambda: self.random.choice(STATUSES))
        self.maybe(body, "limit", lambda: self.whole(self.random.choice([1, 200, self.random.randint(1, 200)])))
        return body

    def maybe(self, body, name, make):
        choice = self.random.random()
        if choice < 0.5:
            body[name] = make()
        elif choice < 0.6:
            body[name] = None

    def line(self, position, decimals):
        line = {"product_id": f"{position}:" + self.text(self.random.randint(0, 20)), "quantity": self.quantity(), "unit_price": self.price(decimals)}
        if self.random.random() < 0.1:
            line["colour"] = self.anything(0)
        return line

    def quantity(self):
        return self.whole(self.random.choice([1, 2, 1_000_000, self.random.randint(1, 1_000_000)]))

    def whole(self, value):
        """2, 2.0, 2e0, 20e-1, 0.2E+1."""
        return Number(self.random.choice([f"{value}", f"{value}", f"{value}.0", f"{value}.000e0", f"{value}e0", f"{value}0e-1", f"{value}E+0"]))

    def version(self):
        return Number(self.random.choice(["1", "2", "3.0", "1e2", str(2**63 - 1), f"{2**63 - 1}.0", str(self.random.randint(1, 2**53))]))

    def price(self, decimals):
        minor = self.random.choice([0, 1, 5, self.random.randint(0, 10**5), self.random.randint(0, 10**9)])
        digits = str(minor).zfill(decimals + 1)
        plain = digits if decimals == 0 else f"{digits[:-decimals]}.{digits[-decimals:]}"
        longer = plain + ("000" if "." in plain else ".00")
        number = Number(self.random.choice([plain, longer, f"{minor}e-{decimals}", f"{minor}.000E-{decimals}", f"{minor}.0e-{decimals}"]))
        return self.random.choice([number, number, plain, longer, plain.zfill(15 + len(plain) - len(plain.split(".")[0])), Number("-0"), Number("-0.00e5")])

    def uuid(self):
        digits = "".join(self.random.choice("0123456789abcdefABCDEF") for _ in range(32))
        return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])

    def identifier(self):
        return self.text(self.random.choice([1, 2, 20, 127, 128]))

    def text(self, length, more=""):
        return "".join(self.random.choice(LETTERS + more) for _ in range(length))

    def metadata(self):
        count = self.random.choice([0, 1, 3, 50])
        value = lambda: self.random.choice([None, "", self.text(self.random.choice([1, 20, 1024] if count < 10 else [1, 20]), CONTROLS)])
        return {f"{position}" + self.text(self.random.choice([0, 5, 62]), CONTROLS): value() for position in range(count)}

    def anything(self, level):
        """What a member that nobody knows may hold: anything but U+0000."""
        random = self.random
        kind = random.randint(0, 7 if level < 3 else 5)
        if kind == 6:
            return [self.anything(level + 1) for _ in range(random.randint(0, 3))]
        if kind == 7:
            return {self.text(3, CONTROLS): self.anything(level + 1) for _ in range(random.randint(0, 3))}
        return [None, True, Number("-1e400"), Number("0.1"), self.text(5, CONTROLS), ""][kind]
