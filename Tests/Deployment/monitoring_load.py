"""Load as upstream services make it: orders from creation to delivery, refusals, duplicates, questions; each with its sender's own time."""
import json
import subprocess
import threading
import time
import urllib.request
import uuid
from base64 import b64encode
from urllib.parse import urlsplit

CURRENCIES = ("EUR", "USD", "JPY", "KWD")


class Publisher:
    """Publishes by RabbitMQ's management, which can set every property, and by the program's own `send`."""

    def __init__(self, program, settings, management):
        address = urlsplit(management)
        self.base = f"http://{address.hostname}:{address.port}/api"
        self.credentials = "Basic " + b64encode(f"{address.username}:{address.password}".encode()).decode()
        self.program, self.settings = program, settings
        self.token = self.call("token", "--role", "service", "--sub", "shop").strip()

    def call(self, *arguments, check=True, text=None):
        done = subprocess.run([self.program, *arguments], env=self.settings, input=text, capture_output=True, text=True, timeout=120)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)} ends with {done.returncode}: {done.stderr.strip()[-400:]}")
        return done.stdout

    def management(self, method, path, body=None):
        request = urllib.request.Request(f"{self.base}/{path}", method=method, data=json.dumps(body).encode() if body is not None else None)
        request.add_header("Authorization", self.credentials)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def publish(self, kind, body, exchange="orders.commands", token=True, name=None, raw=None, sent=None):
        headers = {"authorization": f"Bearer {self.token}"} if token else {}
        properties = {
            "message_id": name or str(uuid.uuid4()), "type": kind, "content_type": "application/json", "delivery_mode": 2,
            "timestamp": int(sent or time.time()), "headers": headers}
        self.management("POST", f"exchanges/%2F/{exchange}/publish", {
            "properties": properties, "routing_key": kind, "payload": raw if raw is not None else json.dumps(body), "payload_encoding": "string"})


def order(customer="customer-ada", currency="EUR", product="mug-blue", confirm=False, method="pm_ok"):
    body = {"order_id": str(uuid.uuid4()), "customer_id": customer, "currency": currency, "confirm": confirm,
            "items": [{"product_id": product, "quantity": 1, "unit_price": 12}]}
    return body | ({"payment_method": method} if confirm else {})


class Load:
    """A few commands a second, for as long as it runs."""

    def __init__(self, publisher):
        self.publisher, self.is_on, self.is_paused, self.sent = publisher, True, False, 0
        self.faults, self.again = [], order()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def stop(self):
        self.is_on = False
        self.thread.join(30)

    def pause(self):
        self.is_paused = True

    def go_on(self):
        self.is_paused = False

    def run(self):
        turn, under_way = 0, []
        while self.is_on:
            begin = time.monotonic()
            try:
                if not self.is_paused:
                    turn += 1
                    under_way = self.once(turn, under_way)
            except OSError as fault:  # the broker may be away for a while; other faults are this program's
                self.faults.append(str(fault))
            time.sleep(max(0, 1 - (time.monotonic() - begin)))

    def once(self, turn, under_way):
        publish = self.publisher.publish
        paid = order(currency=CURRENCIES[turn % 4], confirm=True)
        publish("order.create", paid)
        under_way.append((turn, paid["order_id"]))
        publish("order.create", order())
        if turn % 3 == 0:  # accepted once, and then a duplicate
            publish("order.create", self.again, name=self.again["order_id"])
        if turn % 4 == 0:
            publish("order.create", order(product="poster-signed"))  # out of stock
        left = []
        for since, identity in under_way:
            status = {3: "processing", 5: "shipped", 7: "delivered"}.get(turn - since)
            if status:
                publish("order.update_status", {"order_id": identity, "status": status})
            if turn - since < 7:
                left.append((since, identity))
        if turn % 10 == 0:  # a question, twice: the second is in the cache
            for _ in range(2):
                self.publisher.call("get", paid["order_id"], check=False)
        self.sent += 1
        return left
