"""What makes each alert fire, made for real, and how it is mended. Causes of one phase do not disturb each other and are made together."""
import signal
import threading
import time

from monitoring_load import order
from monitoring_servers import wait_until


class Cause:
    def __init__(self, what, alerts, make, mend=lambda: None, fires=90, resolves=120):
        self.what, self.alerts, self.make, self.mend = what, alerts, make, mend
        self.fires, self.resolves = fires, resolves
        # When it began, where it is the mending of another one.
        self.begun_before = None


class Stream:
    """Calls something so often a second, until it is stopped."""

    def __init__(self, rate, call):
        self.rate, self.call, self.is_on = rate, call, False

    def start(self):
        self.is_on = True
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while self.is_on:
            begin = time.monotonic()
            self.call()
            time.sleep(max(0, 1 / self.rate - (time.monotonic() - begin)))

    def stop(self):
        self.is_on = False


def phases(rig):
    """The causes, in the order in which they are made."""
    return [
        # First, when no command has been late yet; a provider that is away, and dead letters that are replayed, make others late.
        [database(rig)],
        [late(rig)],
        [redis(rig), outbox(rig), malformed(rig), collector(rig), stuck(rig), expiry(rig)],
        [provider(rig), unauthenticated(rig)],
        [rejected(rig), *slow(rig)],
        [policy(rig)],
        [unready(rig), refused_by_the_database(rig)],
        [issuer(rig)],
        [clock(rig)],
        [roles(rig)],
        [one_worker_gone(rig), killer(rig)],
        [all_gone(rig)],
        [memory(rig), *([versions(rig)] if rig.other_program else [])],
    ]


def not_caused(rig):
    """What is left to tests/*.yaml, and why."""
    return {} if rig.other_program else {"OrdersWorkerVersionsDiffer": "ORDER_WORKER_OTHER names no program of another version"}


def redis(rig):
    return Cause("Redis is stopped", ["OrdersDependencyDown"], lambda: rig.stack("stop", "--only", "redis"), lambda: rig.stack("start", "--only", "redis"))


def outbox(rig):
    """A subscriber's queue that is full and says so: events are not confirmed."""
    queue = "queues/%2F/a-subscriber-that-is-full"

    def make():
        rig.publisher.management("PUT", queue, {"durable": False, "arguments": {"x-max-length": 1, "x-overflow": "reject-publish"}})
        rig.publisher.management("POST", "bindings/%2F/e/orders.events/q/a-subscriber-that-is-full", {"routing_key": "#"})

    return Cause("a queue bound to orders.events is full", ["OrdersEventsDelayed"], make, lambda: rig.publisher.management("DELETE", queue), resolves=150)


def malformed(rig):
    stream = Stream(4, lambda: rig.publisher.publish("order.create", None, raw='{"customer_id": '))

    def mend():
        stream.stop()
        rig.discard("malformed")

    return Cause("a sender sends broken JSON", ["OrdersSendersRefused", "OrdersDeadLettersRising", "OrdersDeadLettersParked"], stream.start, mend)


def collector(rig):
    return Cause("the collector of traces is away", ["OrdersTracesDropped"], rig.collector.end, rig.collector.start, fires=120)


def stuck(rig):
    """Nobody ships an order: made two days older than it is."""
    identity = order()["order_id"]

    def make():
        rig.publisher.publish("order.create", order(confirm=True) | {"order_id": identity})
        age = f"UPDATE orders.orders SET status_since = now() - interval '2 days' WHERE order_id = '{identity}' AND status = 'confirmed' RETURNING 1"
        wait_until("the order is confirmed", lambda: rig.sql(age).strip().startswith("1"))

    def mend():
        rig.publisher.publish("order.update_status", {"order_id": identity, "status": "cancelled"})

    return Cause("an order has been confirmed for two days", ["OrdersStuckInStatus"], make, mend)


def expiry(rig):
    """Housekeeping is somebody's who does not do it."""
    hold = "INSERT INTO orders.leases VALUES ('housekeeping', 'nobody', now() + interval '1 hour') ON CONFLICT (name) DO UPDATE SET holder = 'nobody', expires_at = now() + interval '1 hour'"
    return Cause(
        "whoever holds the lease of housekeeping does nothing", ["OrdersNotExpiring"], lambda: rig.sql(hold),
        lambda: rig.sql("DELETE FROM orders.leases WHERE name = 'housekeeping' AND holder = 'nobody'"))


def provider(rig):
    return Cause("the payment provider is stopped", ["OrdersPaymentProviderFailing", "OrdersPaymentsWait"], rig.sandbox.end, rig.sandbox.start)


def unauthenticated(rig):
    stream = Stream(8, lambda: rig.publisher.publish("order.create", order(), token=False))

    def mend():
        stream.stop()
        rig.discard("unauthenticated")

    return Cause("a sender shows no tokens", ["OrdersUnauthenticated"], stream.start, mend)


def rejected(rig):
    stream = Stream(15, lambda: rig.publisher.publish("order.create", order(product="poster-signed")))
    return Cause("a product is out of stock that everybody wants", ["OrdersRejectedMuch"], stream.start, stream.stop)


def slow(rig):
    def be(proxy, delay):
        proxy.delay = delay

    return [
        Cause("PostgreSQL answers one worker 0.2 s late", ["OrdersDatabaseSlow"], lambda: be(rig.far_database, 0.1), lambda: be(rig.far_database, 0)),
        Cause("RabbitMQ answers one worker 0.4 s late", ["OrdersDependencySlow"], lambda: be(rig.far_broker, 0.2), lambda: be(rig.far_broker, 0)),
    ]


def policy(rig):
    """Updates that come before their orders wait on the ladder, and there is no room."""
    stream = Stream(4, lambda: rig.publisher.publish("order.update_status", {"order_id": order()["order_id"], "status": "cancelled"}))
    definition = {"pattern": "retry", "definition": {"max-length": 1, "overflow": "reject-publish"}, "apply-to": "queues"}

    def make():
        rig.publisher.management("PUT", "policies/%2F/tidy-up", definition)
        stream.start()

    def mend():
        stream.stop()
        rig.publisher.management("DELETE", "policies/%2F/tidy-up")

    return Cause("a policy lets one message into each queue of the retry ladder", ["OrdersForwardsRefused"], make, mend)


def unready(rig):
    return Cause("one worker loses its way to PostgreSQL", ["OrdersWorkerUnready"], rig.far_database.cut, rig.far_database.mend)


def refused_by_the_database(rig):
    """Faults that try again on the ladder (1 s and 2 min here) and then are dead letters."""
    install = """
        CREATE FUNCTION orders.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'customer % is refused', NEW.customer_id; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON orders.orders FOR EACH ROW WHEN (NEW.customer_id = 'customer-refused') EXECUTE FUNCTION orders.refuse()"""
    stream = Stream(5, lambda: rig.publisher.publish("order.create", order(customer="customer-refused")))

    def make():
        rig.sql(install)
        stream.start()

    def mend():
        stream.stop()
        rig.sql("DROP FUNCTION orders.refuse() CASCADE")
        # What still waits for its two minutes is done then; what is a dead letter is replayed.
        wait_until("the ladder is empty", lambda: all(not int(sample["value"][1]) for sample in rig.prometheus.instant('orders_queue_messages_ready{queue=~".+retry.+"}')), 180)
        rig.publisher.call("dead-letters", "replay", "--reason", "retries_exhausted")

    return Cause(
        "the database refuses a customer's orders", ["OrdersRetriesMany", "OrdersRetryLadderHigh", "OrdersFailingFastBurn", "OrdersFailingSlowBurn"], make, mend,
        fires=240, resolves=540)


def database(rig):
    """Down for long enough that what waits is late; meanwhile more comes than one worker fetches."""
    flood = {}

    def make():
        rig.stack("stop", "--only", "postgres")
        flood["thread"] = threading.Thread(target=lambda: rig.publisher.call("send", "order.create", "samples/order.json", "--count", "9000", "--rate", "250"))
        flood["thread"].start()

    def mend():
        flood["thread"].join()
        rig.stack("start", "--only", "postgres")
        rig.database_is_back = time.monotonic()

    return Cause(
        "PostgreSQL is stopped while orders come",
        ["OrdersRequiredDependencyDown", "OrdersNoWorkerReady", "OrdersMetricsMissing", "OrdersStalled", "OrdersBacklogGrowing"], make, mend)


def late(rig):
    cause = Cause("what waited for PostgreSQL is done, late", ["OrdersLateFastBurn", "OrdersLateSlowBurn"], lambda: None, resolves=1800)
    cause.begun_before = lambda: rig.database_is_back
    return cause


def issuer(rig):
    """One worker fetches keys of a second kind of tokens over HTTP, and cannot any more."""
    keys = rig.issuer()

    def make():
        keys.start()
        rig.workers[1].restart(ORDERS_JWT_JWKS_URL=f"http://127.0.0.1:{keys.port}/jwks.json", ORDERS_JWT_JWKS_REFRESH="1s")
        wait_until("the worker has the keys", rig.workers[1].is_ready)
        keys.end()

    def mend():
        keys.start()
        wait_until("the worker has the keys again", lambda: not rig.prometheus.instant('orders_dependency_degraded{name="keys"} == 1'))
        rig.workers[1].restart()
        keys.end()

    return Cause("the issuer of keys is away", ["OrdersKeysStale"], make, mend)


def clock(rig):
    """By Debian's faketime, which the tests of `doctor` use too."""
    worker = rig.workers[1]

    return Cause(
        "a worker's machine is two minutes ahead", ["OrdersWorkerClockAhead"], lambda: worker.restart(["faketime", "-f", "+120s", *worker.command]),
        worker.restart)


def roles(rig):
    """Workers that do all but take commands, queries and dead letters."""
    def make():
        for worker in rig.workers:
            worker.restart(ORDERS_ROLES="payments,outbox,housekeeping")
        for _ in range(3):
            rig.publisher.publish("orders.dead-letter", order(), exchange="amq.default")

    def mend():
        for worker in rig.workers:
            worker.restart()
        wait_until("the dead letters are in the table", lambda: rig.sql("SELECT 1 FROM orders.dead_letters WHERE state = 'parked' AND reason = 'delivery_limit'"))
        rig.discard("delivery_limit")

    return Cause(
        "workers run without the roles commands, queries, dead-letters",
        ["OrdersCommandsWithoutConsumers", "OrdersQueueWithoutConsumers", "OrdersDeadLetterQueueStuck"], make, mend)


def one_worker_gone(rig):
    return Cause("a worker is gone, and its target is not", ["OrdersWorkerDown"], rig.workers[1].end, lambda: rig.workers[1].start())


def killer(rig):
    """A command that hangs, as its order's row is locked; the worker is killed over it until it is put aside."""
    identity = order()["order_id"]
    lock = {}

    def make():
        rig.workers[1].end()
        rig.publisher.publish("order.create", order() | {"order_id": identity})
        wait_until("the order is there", lambda: rig.sql(f"SELECT 1 FROM orders.orders WHERE order_id = '{identity}'"))
        lock["session"] = rig.sql_session(f"BEGIN; SELECT 1 FROM orders.orders WHERE order_id = '{identity}' FOR UPDATE;")
        rig.load.pause()
        rig.publisher.publish("order.update_status", {"order_id": identity, "status": "on_hold"})
        waits = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'order-worker%' AND wait_event_type = 'Lock'"
        for _ in range(12):
            put_aside = "SELECT 1 FROM orders.dead_letters WHERE state = 'parked' AND reason = 'delivery_limit'"
            if wait_until("the worker hangs, or has put it aside", lambda: rig.sql(f"SELECT 'aside' WHERE EXISTS ({put_aside})") or rig.sql(waits)).startswith("aside"):
                break
            # Each life has to be seen by a scrape.
            wait_until("Prometheus has seen the worker", lambda: rig.started(rig.workers[0]) != lock.get("life"))
            lock["life"] = rig.started(rig.workers[0])
            rig.workers[0].end(signal.SIGKILL)
            rig.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'order-worker%'")
            rig.workers[0].start()

    def mend():
        lock["session"].kill()
        lock["session"].wait()
        if rig.workers[1].process is None:
            rig.workers[1].start()
        rig.load.go_on()
        rig.discard("delivery_limit")

    return Cause("a message kills workers", ["OrdersPoisonMessage", "OrdersWorkerRestarting"], make, mend)


def all_gone(rig):
    def make():
        for worker in rig.workers:
            worker.end(signal.SIGKILL)

    def mend():
        for worker in rig.workers:
            worker.start()

    return Cause("all workers are killed", ["OrdersWorkersAbsent"], make, mend)


def memory(rig):
    """As much as a worker ever holds: it leaves the rest with RabbitMQ."""
    worker, lock = rig.workers[0], {}

    def make():
        worker.restart(ORDERS_PREFETCH="2000")
        lock["session"] = rig.sql_session("BEGIN; LOCK TABLE orders.orders; SELECT 1;")
        for _ in range(400):
            rig.publisher.publish("order.create", order() | {"note": "x" * 220_000})

    def mend():
        lock["session"].kill()
        lock["session"].wait()
        worker.restart()

    return Cause("a worker with both hands full of large bodies, as a table is locked", ["OrdersWorkerMemoryHigh"], make, mend)


def versions(rig):
    worker = rig.workers[1]

    return Cause(
        "a rollout stops half-way", ["OrdersWorkerVersionsDiffer"], lambda: worker.restart([rig.other_program, *worker.command[1:]]), worker.restart)
