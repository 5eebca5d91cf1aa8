"""A private stack with two workers that Prometheus and Alertmanager watch; all of it ends with the run."""
import glob
import os
import subprocess
from urllib.parse import urlsplit

import yaml

from monitoring_load import Load, Publisher
from monitoring_scale import scaled_rules
from monitoring_servers import AlertWatch, Collector, Page, Prometheus, Proxy, Server, Worker, answers, free_port, get, wait_until
from worker import ROOT, text


class Rig:
    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        self.other_program = os.environ.get("ORDER_WORKER_OTHER")
        folder.mkdir(parents=True, exist_ok=True)
        self.servers = []
        self.database_is_back = None
        self.addresses = dict(line.replace("'", "").split("=", 1) for line in self.stack("env").splitlines())
        self.psql = sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"))[-1]

    def start(self):
        (self.folder / "alerts.yaml").write_text(scaled_rules(text("k8s/components/monitoring/alerts.yaml")))
        self.collector = Collector()
        self.collector.start()
        settings = self.settings()
        for arguments in (["setup"], ["stock", "import", "samples/stock.csv"]):
            subprocess.run([self.program, *arguments], env=settings, check=True, capture_output=True, cwd=ROOT)
        self.start_sandbox(settings)
        self.start_workers(settings)
        self.start_alertmanager()
        self.prometheus = self.keep(Prometheus(self.folder, [f"127.0.0.1:{worker.port}" for worker in self.workers], f"127.0.0.1:{self.alertmanager_port}"))
        wait_until("Prometheus is ready", lambda: answers(f"http://127.0.0.1:{self.prometheus.port}/-/ready"))
        wait_until("the workers are ready", lambda: all(worker.is_ready() for worker in self.workers))
        # Prometheus itself takes up to 5 s to look at its targets for the first time, which by the shortened times are five minutes without workers.
        wait_until("Prometheus has found the workers", lambda: len(self.prometheus.instant("up == 1")) == len(self.workers))
        alertmanager = f"http://127.0.0.1:{self.alertmanager_port}"
        wait_until("nothing fires", lambda: get(f"{alertmanager}/api/v2/alerts").strip() == b"[]")
        self.watch = AlertWatch(alertmanager)
        self.publisher = Publisher(self.program, settings, self.addresses["STACK_RABBITMQ_MANAGEMENT_URL"])
        self.load = Load(self.publisher)

    def keep(self, server):
        self.servers.append(server)
        return server.start()

    def settings(self):
        return {
            "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"),
            "ORDERS_AMQP_URL": self.addresses["STACK_AMQP_URL"], "ORDERS_DATABASE_URL": self.addresses["STACK_DATABASE_URL"],
            "ORDERS_REDIS_URL": self.addresses["STACK_REDIS_URL"],
            "ORDERS_JWT_HMAC_SECRET_FILE": self.addresses["STACK_JWT_SECRET_FILE"], "ORDERS_SIGNING_KEY_FILE": self.addresses["STACK_SIGNING_KEY_FILE"],
            "ORDERS_RESERVATION_TTL": "20s",
            # So little is fetched ahead that a backlog shows in the queue, and a command that fails is soon where the ladder ends.
            "ORDERS_PREFETCH": "50", "ORDERS_BATCH_MAX": "20", "ORDERS_RETRY_RUNGS": "1s,2m",
            "ORDERS_OTLP_ENDPOINT": f"http://127.0.0.1:{self.collector.port}", "ORDERS_TRACE_SHARE": "1",
        }

    def start_sandbox(self, settings):
        port = free_port()
        settings |= {"ORDERS_PAYMENT_PROVIDER": "http", "ORDERS_PAYMENT_URL": f"http://127.0.0.1:{port}"}
        command = [self.program, "payment-sandbox", "--port", str(port), "--ledger", str(self.folder / "ledger")]
        self.sandbox = self.keep(Server("payment-sandbox", self.folder, command))

    def issuer(self):
        """Public keys at an address, of a private one that nobody uses."""
        private = self.folder / "issuer.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True, capture_output=True)
        settings = {"PATH": os.environ["PATH"], "ORDERS_JWT_PRIVATE_KEY_FILE": str(private)}
        keys = subprocess.run([self.program, "token", "--jwks"], env=settings, check=True, capture_output=True).stdout
        return Page(keys)

    def start_workers(self, settings):
        """The second one has its servers at the far end of proxies."""
        database, broker = urlsplit(settings["ORDERS_DATABASE_URL"]), urlsplit(settings["ORDERS_AMQP_URL"])
        self.far_database, self.far_broker = Proxy(database.port), Proxy(broker.port)
        far = settings | {
            "ORDERS_DATABASE_URL": settings["ORDERS_DATABASE_URL"].replace(str(database.port), str(self.far_database.port)),
            "ORDERS_AMQP_URL": settings["ORDERS_AMQP_URL"].replace(str(broker.port), str(self.far_broker.port))}
        self.workers = [self.keep(Worker("worker-a", self.folder, self.program, settings)), self.keep(Worker("worker-b", self.folder, self.program, far))]

    def start_alertmanager(self):
        self.alertmanager_port = free_port()
        configuration = yaml.safe_load(text("monitoring/alertmanager.yml"))
        (self.folder / "alertmanager.yml").write_text(yaml.safe_dump(configuration))
        self.keep(Server("alertmanager", self.folder, [
            "prometheus-alertmanager", f"--config.file={self.folder}/alertmanager.yml", f"--storage.path={self.folder}/alertmanager",
            f"--web.listen-address=127.0.0.1:{self.alertmanager_port}", "--cluster.listen-address="]))
        wait_until("Alertmanager is ready", lambda: answers(f"http://127.0.0.1:{self.alertmanager_port}/-/ready"))

    def end(self):
        if hasattr(self, "load"):
            self.load.stop()
        for server in reversed(self.servers):
            server.end()

    def stack(self, command, *arguments):
        done = subprocess.run([ROOT / "scripts/stack", command, "--dir", self.folder.parent / "stack", *arguments], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"scripts/stack {command}: {done.stderr.strip()}")
        return done.stdout

    def sql(self, statement):
        done = subprocess.run([self.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", self.addresses["STACK_DATABASE_URL"], "-c", statement], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{statement}: {done.stderr.strip()}")
        return done.stdout.strip()

    def sql_session(self, statement):
        """Stays open with what it holds."""
        session = subprocess.Popen([self.psql, "-XqAt", self.addresses["STACK_DATABASE_URL"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        session.stdin.write(statement + "\n")
        session.stdin.flush()
        session.stdout.readline()
        return session

    def started(self, worker):
        """When the worker started, as Prometheus saw it last."""
        found = self.prometheus.instant(f'process_start_time_seconds{{instance="127.0.0.1:{worker.port}"}}')
        return found[0]["value"][1] if found else None

    def discard(self, reason):
        """Also those that are still on their way into the table."""
        def done():
            self.publisher.call("dead-letters", "discard", "--reason", reason, check=False)
            ready = self.sql(f"SELECT count(*) FROM orders.dead_letters WHERE state = 'parked' AND reason = '{reason}'")
            return ready == "0"

        wait_until(f"no dead letter is parked as {reason}", done)
