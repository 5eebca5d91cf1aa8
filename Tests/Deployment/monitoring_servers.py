"""What runs while alerts are tried: Prometheus, Alertmanager, workers, the payment sandbox, a collector of traces, and proxies that slow or cut."""
import asyncio
import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, seconds=60):
    """Until `condition` gives something; says what it waited for where it does not."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.2)


def get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read()


def answers(url):
    try:
        return get(url, 2) is not None
    except (OSError, urllib.error.URLError):
        return False


class Server:
    """A process that ends with the run."""

    def __init__(self, name, folder, command, environment=None):
        self.name, self.command, self.environment = name, command, environment
        self.log = folder / f"{name}.log"
        self.process = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        return self

    def end(self, how=signal.SIGTERM):
        if self.process is None:
            return
        if self.process.poll() is None:
            # With whatever it was started by: faketime stays as its parent.
            os.killpg(self.process.pid, how)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


class Worker(Server):
    def __init__(self, name, folder, program, settings):
        self.port = free_port()
        super().__init__(name, folder, [program, "run"], settings | {"ORDERS_HTTP_PORT": str(self.port), "PATH": os.environ["PATH"]})

    def restart(self, command=None, **settings):
        """As it was, but for the command and these settings, which hold for this once."""
        self.end()
        usual = self.command, self.environment
        self.command, self.environment = command or self.command, self.environment | settings
        self.start()
        self.command, self.environment = usual

    def is_ready(self):
        return answers(f"http://127.0.0.1:{self.port}/health/ready")


class Prometheus(Server):
    """Prometheus with the project's rules, made shorter, and its own Alertmanager with the project's routes."""

    def __init__(self, folder, targets, alertmanager):
        self.port = free_port()
        configuration = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(folder / "alerts.yaml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
            "scrape_configs": [{"job_name": "order-worker", "static_configs": [{"targets": targets, "labels": {"namespace": "shop"}}]}],
        }
        (folder / "prometheus.yml").write_text(json.dumps(configuration))
        super().__init__("prometheus", folder, [
            "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{self.port}",
            "--rules.alert.resend-delay=2s", "--enable-feature=exemplar-storage"])

    def ask(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        answer = json.loads(get(f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}", 30))
        return answer["data"]

    def instant(self, expression):
        return self.ask("query", query=expression)["result"]

    def series(self, expression, begin):
        """(labels, values that are numbers) from `begin` until now."""
        now = time.time()
        found = self.ask("query_range", query=expression, start=begin, end=now, step=max(1, round((now - begin) / 400)))["result"]
        rows = [(row["metric"], [float(value) for _, value in row["values"] if value != "NaN"]) for row in found]
        return [(labels, values) for labels, values in rows if values]


class Page:
    """Answers every question over HTTP with the same, or is away."""

    def __init__(self, content=b""):
        self.port = free_port()
        self.server = None
        self.content = content

    def start(self):
        content = self.content

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.do_GET()

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


class Collector(Page):
    """Takes traces, or is away."""


class Proxy:
    """Passes bytes on to a server, later by `delay` seconds each way, or not at all."""

    loop = None

    def __init__(self, target):
        self.target, self.delay, self.connections, self.server = target, 0, set(), None
        if Proxy.loop is None:
            Proxy.loop = asyncio.new_event_loop()
            threading.Thread(target=Proxy.loop.run_forever, daemon=True).start()
        self.port = free_port()
        self.mend()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, Proxy.loop).result(10)

    def mend(self):
        async def listen():
            self.server = await asyncio.start_server(self.connected, "127.0.0.1", self.port)

        self.delay = 0
        if self.server is None:
            self.run(listen())

    def cut(self):
        async def close():
            self.server.close()
            self.server = None
            for writer in list(self.connections):
                writer.close()

        self.run(close())

    async def connected(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self.connections |= {writer, far_writer}
        await asyncio.gather(self.pass_on(reader, far_writer), self.pass_on(far_reader, writer))
        self.connections -= {writer, far_writer}

    async def pass_on(self, reader, writer):
        try:
            while data := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


class AlertWatch:
    """Which alerts Alertmanager holds, looked at several times a second; when each began and ended."""

    def __init__(self, url):
        self.url, self.active, self.ended, self.began, self.texts = url, {}, {}, {}, {}
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                alerts = json.loads(get(f"{self.url}/api/v2/alerts"))
            except (OSError, ValueError):
                time.sleep(0.5)
                continue
            self.texts |= {alert["labels"]["alertname"]: alert["annotations"] for alert in alerts}
            found = {alert["labels"]["alertname"] for alert in alerts}
            now = time.monotonic()
            for name in found - self.active.keys():
                self.began.setdefault(name, []).append(now)
            for name in self.active.keys() - found:
                self.ended[name] = now
            self.active = {name: self.active.get(name, now) for name in found}
            time.sleep(0.3)
