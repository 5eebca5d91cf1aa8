"""Puts exactly one fault into a good message."""

import faults
from good_messages import CURRENCIES, Number


class OneFault:
    def __init__(self, random, good):
        self.random = random
        self.good = good

    def kinds(self, type):
        """Every kind of fault that a message of the type may have, by its name."""
        return [name for name in dir(self) if name.startswith(type.replace(".", "_") + "__") or name.startswith("any__")]

    def put(self, type, kind, body):
        getattr(self, kind)(body)

    # Any message

    def any__nul_in_an_unknown_member(self, body):
        body["unknown"] = faults.nul_inside(self.random, self.good.anything(2))

    def any__nul_in_an_unknown_name(self, body):
        body[self.random.choice(["\u0000", "customer_id\u0000", "\u0000order_id"])] = self.good.anything(0)

    # order.create

    def order_create__required_member_missing(self, body):
        self.lose(body, ["customer_id", "items"])

    def order_create__customer_id(self, body):
        body["customer_id"] = faults.identifier(self.random)

    def order_create__order_id(self, body):
        body["order_id"] = faults.uuid(self.random, self.good.uuid())

    def order_create__currency(self, body):
        body["currency"] = faults.currency(self.random)

    def order_create__payment_method(self, body):
        body["payment_method"] = faults.identifier(self.random)

    def order_create__confirm(self, body):
        body["confirm"] = faults.word(self.random)

    def order_create__items(self, body):
        too_many = [{"product_id": f"{position}", "quantity": 1, "unit_price": "1"} for position in range(201)]
        body["items"] = self.random.choice([[], too_many, faults.container(self.random), {}, {"0": body["items"][0]}])

    def order_create__item(self, body):
        at = self.random.randrange(len(body["items"]))
        body["items"][at] = self.random.choice([None, [], faults.container(self.random)])

    def order_create__required_member_of_an_item_missing(self, body):
        self.lose(self.item(body), ["product_id", "quantity", "unit_price"])

    def order_create__product_id(self, body):
        self.item(body)["product_id"] = faults.identifier(self.random)

    def order_create__quantity(self, body):
        self.item(body)["quantity"] = faults.whole(self.random, 1, 1_000_000)

    def order_create__unit_price(self, body):
        self.item(body)["unit_price"] = faults.price(self.random)

    def order_create__decimals_of_a_string(self, body):
        if body.get("currency") is None:
            body["currency"] = "EUR"
        decimals = CURRENCIES[body["currency"]]
        for item in body["items"]:
            item["unit_price"] = self.random.choice(["1", Number("1")])
        self.item(body)["unit_price"] = faults.price_of_too_many_decimals(self.random, decimals)

    def order_create__metadata(self, body):
        body["metadata"] = self.random.choice([[], [["a", "b"]], faults.container(self.random)])

    def order_create__metadata_of_too_many_pairs(self, body):
        body["metadata"] = {f"key {number}": self.random.choice(["", None]) for number in range(51)}

    def order_create__metadata_key(self, body):
        body["metadata"] = {"good": "", faults.long_text(self.random, 64): self.random.choice(["value", None])}

    def order_create__metadata_value(self, body):
        wrong = [Number("1"), True, [], {}, faults.long_text(self.random, 1024), "a\u0000"]
        body["metadata"] = {"good": "", "wrong": self.random.choice(wrong)}

    def order_create__metadata_nul_in_a_key(self, body):
        body["metadata"] = {"a\u0000": self.random.choice(["value", None])}

    # order.update_status

    def order_update_status__required_member_missing(self, body):
        self.lose(body, ["order_id", "status"])

    def order_update_status__order_id(self, body):
        body["order_id"] = faults.uuid(self.random, self.good.uuid())

    def order_update_status__status(self, body):
        body["status"] = faults.status(self.random)

    def order_update_status__reason(self, body):
        body["reason"] = self.random.choice([faults.long_text(self.random, 1024), "a\u0000b", *faults.NOT_TEXT])

    def order_update_status__expected_version(self, body):
        body["expected_version"] = faults.whole(self.random, 1, 2**63 - 1)

    def order_update_status__payment_method(self, body):
        body["payment_method"] = faults.identifier(self.random)

    # Queries

    def order_get__order_id(self, body):
        body["order_id"] = self.random.choice([None, faults.uuid(self.random, self.good.uuid())])

    def order_get__order_id_missing(self, body):
        del body["order_id"]

    def order_get__min_version(self, body):
        body["min_version"] = faults.whole(self.random, 1, 2**63 - 1)

    def order_history__order_id(self, body):
        body["order_id"] = self.random.choice([None, faults.uuid(self.random, self.good.uuid())])

    def order_history__order_id_missing(self, body):
        del body["order_id"]

    def order_list__customer_id(self, body):
        body["customer_id"] = self.random.choice([None, faults.identifier(self.random)])

    def order_list__customer_id_missing(self, body):
        del body["customer_id"]

    def order_list__status(self, body):
        body["status"] = faults.status(self.random)

    def order_list__limit(self, body):
        body["limit"] = faults.whole(self.random, 1, 200)

    def order_list__cursor(self, body):
        body["cursor"] = self.random.choice(["", *faults.NOT_TEXT])

    def item(self, body):
        return self.random.choice(body["items"])

    def lose(self, object, names):
        name = self.random.choice(names)
        if self.random.random() < 0.5:
            del object[name]
        else:
            object[name] = None
