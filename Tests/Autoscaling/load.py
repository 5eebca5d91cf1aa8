"""Those who send orders and who hear of them, each in a process of its own: when a command was sent is in its message id."""
import json
import multiprocessing
import time

import pika

SENDERS = 3


class Load:
    """Publishes `rate` orders a second, with confirms, on whatever rate is set meanwhile."""

    def __init__(self, url, products):
        self.rate, self.sent, self.is_over = multiprocessing.Value("d", 0), multiprocessing.Value("q", 0), multiprocessing.Event()
        self.behind = multiprocessing.Value("d", 0)
        self.processes = [multiprocessing.Process(target=send, args=(url, products, number, self.rate, self.sent, self.behind, self.is_over)) for number in range(SENDERS)]
        for process in self.processes:
            process.start()

    def stop(self):
        self.is_over.set()
        for process in self.processes:
            process.join(30)


def send(url, products, number, rate, sent, behind, is_over):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    due, count = time.time(), 0
    while not is_over.is_set():
        if rate.value == 0:
            due = time.time()
            time.sleep(0.01)
            continue
        due += SENDERS / rate.value
        time.sleep(max(0, due - time.time()))
        behind.value = max(behind.value, time.time() - due)
        product = (count * SENDERS + number) * 7919 % products
        body = {"customer_id": f"customer-{count % 997}", "items": [{"product_id": f"p-{product}", "quantity": 1, "unit_price": 12}]}
        # When it should have been sent: a sender that is held up makes its command no younger.
        properties = pika.BasicProperties(message_id=f"{number}-{count}-{round(due * 1e6)}", delivery_mode=2, content_type="application/json")
        channel.basic_publish("orders.commands", "order.create", json.dumps(body), properties, mandatory=True)
        count += 1
        with sent.get_lock():
            sent.value += 1
    connection.close()


class Listener:
    """Hears of each new order, and writes when that was and how old its command was, in seconds."""

    def __init__(self, url, path):
        self.heard, self.repeats = multiprocessing.Value("q", 0), multiprocessing.Value("q", 0)
        self.is_ready = multiprocessing.Event()
        self.process = multiprocessing.Process(target=listen, args=(url, path, self.heard, self.repeats, self.is_ready), daemon=True)
        self.process.start()
        self.is_ready.wait(30)


def listen(url, path, heard, repeats, is_ready):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, "orders.events", "order.created")
    seen = set()
    with open(path, "w", buffering=1 << 16) as file:
        def take(channel, method, properties, body):
            now, command = time.time(), json.loads(body)["causationid"]
            if command in seen:
                repeats.value += 1
                return
            seen.add(command)
            heard.value += 1
            file.write(f"{now:.6f} {now - int(command.rsplit('-', 1)[1]) / 1e6:.6f}\n")
            if heard.value % 50 == 0:
                file.flush()

        channel.basic_consume(queue, take, auto_ack=True)
        is_ready.set()
        channel.start_consuming()
