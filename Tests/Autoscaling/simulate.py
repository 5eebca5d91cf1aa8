#!/usr/bin/env python3
"""Load doubles and halves, and real workers come and go by the rule of KEDA. Usage: simulate.py FOLDER, with a stack in FOLDER/stack: `scripts/autoscale`

Workers are made slow, as if each order took them SLOWNESS seconds in the database, so that one machine can load ten of them; and time runs TIME times as
fast as in the manifest. Both are taken out of what is told: seconds are the manifest's.
"""
import csv
import glob
import os
import pathlib
import signal
import subprocess
import sys
import time

import yaml

from load import Listener, Load
from rule import Autoscaler, ScaledObject

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIME = float(os.environ.get("AUTOSCALE_TIME", "6"))
# What one worker is taken to do in a second in production, which the manifest's values are for, and what one does here.
IN_PRODUCTION, HERE = 3_000, 75
SLOWNESS = 1 / HERE
POD_START = 10  # seconds from the decision until the process starts: scheduling and an image that is there
WITHIN, SHARE = 30, 0.999
PRODUCTS = 20_000
# (seconds, orders a second here): each step doubles or halves, but for one that quadruples.
STEPS = [(300, 50), (300, 100), (300, 200), (300, 400), (300, 200), (300, 100), (300, 50), (240, 200), (600, 50)]


class Workers:
    def __init__(self, program, settings, folder):
        self.program, self.settings, self.folder = program, settings, folder
        self.running, self.coming, self.leaving, self.count = [], [], [], 0
        self.ended = []

    def be(self, number, now):
        while len(self.running) + len(self.coming) > number:
            if self.coming:
                self.coming.pop()
                continue
            worker = self.running.pop()  # the youngest, as a ReplicaSet does
            worker.send_signal(signal.SIGTERM)
            self.leaving.append(worker)
        while len(self.running) + len(self.coming) < number:
            self.coming.append(now + POD_START / TIME)

    def turn(self, now):
        while self.coming and self.coming[0] <= now:
            self.coming.pop(0)
            self.count += 1
            with open(self.folder / f"worker-{self.count}.log", "w") as log:
                self.running.append(subprocess.Popen([self.program, "run"], env=self.settings, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        for worker in [worker for worker in self.leaving if worker.poll() is not None]:
            self.leaving.remove(worker)
            self.ended.append(worker.returncode)
        if any(worker.poll() is not None for worker in self.running):
            raise RuntimeError("a worker ended by itself")

    def end(self):
        for worker in self.running:
            worker.send_signal(signal.SIGTERM)
        for worker in self.running + self.leaving:
            self.ended.append(worker.wait(60))
        self.running, self.leaving = [], []


def set_up(folder, program):
    text = subprocess.run([ROOT / "scripts/stack", "env", "--dir", folder / "stack"], check=True, capture_output=True, text=True).stdout
    stack = dict(line.replace("'", "").split("=", 1) for line in text.splitlines())
    fetched = round(2_000 * HERE / IN_PRODUCTION / TIME)
    settings = {
        "PATH": os.environ["PATH"], "ORDERS_AMQP_URL": stack["STACK_AMQP_URL"], "ORDERS_DATABASE_URL": stack["STACK_DATABASE_URL"],
        "ORDERS_REDIS_URL": stack["STACK_REDIS_URL"], "ORDERS_AUTH": "off", "ORDERS_HTTP_PORT": "0",
        "ORDERS_PREFETCH": str(fetched), "ORDERS_BATCH_MAX": str(max(1, fetched // 4))}
    stock = folder / "stock.csv"
    stock.write_text("product_id,quantity\n" + "".join(f"p-{number},1000000\n" for number in range(PRODUCTS)))
    for arguments in (["setup"], ["stock", "import", stock]):
        subprocess.run([program, *arguments], env=settings, check=True, capture_output=True)

    def sql(statement):
        psql = sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"))[-1]
        return subprocess.run([psql, "-XqAt", "-v", "ON_ERROR_STOP=1", stack["STACK_DATABASE_URL"], "-c", statement], check=True, capture_output=True, text=True).stdout.strip()

    sql(f"""CREATE FUNCTION orders.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({SLOWNESS}); RETURN NEW; END $$;
            CREATE TRIGGER slow BEFORE INSERT ON orders.orders FOR EACH ROW EXECUTE FUNCTION orders.slow()""")
    return settings, sql


def run(folder, program, scaled, settings):
    """Rows of (seconds, offered, workers wanted, workers there, commands in the queue), each second."""
    workers, rows = Workers(program, settings, folder), []
    listener = Listener(settings["ORDERS_AMQP_URL"], folder / "lags")
    load = Load(settings["ORDERS_AMQP_URL"], PRODUCTS)
    scaler, wanted = Autoscaler(scaled), scaled.least
    try:
        workers.be(wanted, 0)
        begin = time.time()
        decide, sample, sent = begin, begin, [(begin, 0)]
        while (elapsed := (time.time() - begin) * TIME) < sum(seconds for seconds, _ in STEPS):
            now = time.time()
            load.rate.value = step(elapsed)
            workers.turn(now)
            if now >= sample:
                sample += 1 / TIME
                sent.append((now, load.sent.value))
                rows.append((round(elapsed, 1), load.rate.value, wanted, len(workers.running), load.sent.value - listener.heard.value))
            if now >= decide:
                decide += scaled.polling
                # As RabbitMQ tells it: its figures are up to 5 s old.
                old = [(at, count) for at, count in sent if at <= now - 5 / TIME] or sent[:1]
                rate = (sent[-1][1] - old[-1][1]) / max(sent[-1][0] - old[-1][0], 1e-9)
                wanted = scaler.decide(now, wanted, {"QueueLength": load.sent.value - listener.heard.value, "MessageRate": rate})
                workers.be(wanted, now)
            time.sleep(0.02)
        load.rate.value = 0
        load.stop()
        until = time.time() + 60
        while listener.heard.value < load.sent.value and time.time() < until:
            workers.turn(time.time())
            time.sleep(0.1)
        time.sleep(1)
    finally:
        load.stop()
        workers.end()
    return rows, begin, load, listener, workers


def step(elapsed):
    for seconds, rate in STEPS:
        if elapsed < seconds:
            return rate
        elapsed -= seconds
    return 0


def table(rows, lags, begin, each=10):
    """By so many seconds: offered and done a second, workers, queue, and the ages of the commands done."""
    done = {}
    for at, lag in lags:
        done.setdefault(int((at - begin) * TIME // each), []).append(lag * TIME)
    for number in range(int(rows[-1][0] // each) + 1):
        these = [row for row in rows if number * each <= row[0] < (number + 1) * each] or [rows[-1]]
        ages = sorted(done.get(number, []))
        yield {
            "seconds": number * each, "offered": round(sum(row[1] for row in these) / len(these)), "done": round(len(ages) * TIME / each),
            "wanted": max(row[2] for row in these), "workers": max(row[3] for row in these), "queue": max(row[4] for row in these),
            "p50": round(quantile(ages, 0.5), 2), "p99": round(quantile(ages, 0.99), 2), "max": round(ages[-1] if ages else 0, 2)}


def quantile(ages, share):
    return ages[min(len(ages) - 1, int(share * len(ages)))] if ages else 0


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    program = os.environ["ORDER_WORKER_EXECUTABLE"]
    manifest = yaml.safe_load((ROOT / "k8s/components/autoscaling-keda/scaledobject.yaml").read_text())
    work = IN_PRODUCTION / HERE
    scaled = ScaledObject(manifest, time=TIME, work=work * TIME, rate=work)
    settings, sql = set_up(folder, program)
    rows, begin, load, listener, workers = run(folder, program, scaled, settings)
    sent = load.sent.value
    lags = [tuple(map(float, line.split())) for line in (folder / "lags").read_text().splitlines() if line.count(".") == 2]
    path = folder / "autoscaling.csv"
    with path.open("w", newline="") as file:
        lines = list(table(rows, lags, begin))
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)
    ages = sorted(lag * TIME for _, lag in lags)
    late = sum(age > WITHIN for age in ages)
    accepted = int(sql("SELECT count(*) FROM orders.processed_commands WHERE outcome = 'accepted'"))
    orders = int(sql("SELECT count(*) FROM orders.orders"))
    changes = sum(a["wanted"] != b["wanted"] for a, b in zip(lines, lines[1:]))
    print(f"sent {sent}, told of {listener.heard.value} and {listener.repeats.value} again; accepted {accepted}, orders {orders}")
    print(f"workers: {min(row[3] for row in rows[20:])} to {max(row[3] for row in rows)}, {changes} changes; ended with {sorted(set(workers.ended))}")
    print(f"age when done: p50 {quantile(ages, 0.5):.2f} s, p99 {quantile(ages, 0.99):.2f} s, p99.9 {quantile(ages, 0.999):.2f} s, most {ages[-1]:.2f} s; "
          f"within {WITHIN} s: {100 * (1 - late / len(ages)):.3f}%")
    print(f"a command in every 10 s: {path}")
    # Counted as the command's age, as if the worker were to blame: a machine that is too small for the run shows here.
    print(f"of that the senders' own delay, {load.behind.value * TIME:.2f} s at most")
    faults = []
    if not sent == listener.heard.value == accepted == orders:
        faults.append("not every command became one order that was told of")
    if late > (1 - SHARE) * len(ages):
        faults.append(f"more than {100 * (1 - SHARE):.1f}% were late")
    if set(workers.ended) != {0}:
        faults.append("a worker did not end well")
    for fault in faults:
        print(f"autoscale: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
