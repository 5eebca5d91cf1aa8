"""A collector that takes traces by OTLP over HTTP and decodes them with OpenTelemetry's own package, not with the worker's code.

Usage: collector.py FOLDER   writes FOLDER/port, then a line of JSON for each span to FOLDER/spans; ends at SIGTERM.
"""

import http.server
import json
import os
import pathlib
import sys

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

folder = pathlib.Path(sys.argv[1])
spans = open(folder / "spans", "a", buffering=1)


def value(any_value):
    return getattr(any_value, any_value.WhichOneof("value"))


def attributes(pairs):
    return {pair.key: value(pair.value) for pair in pairs}


def line(resource, span):
    return {
        "resource": resource,
        "trace": span.trace_id.hex(),
        "span": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "name": span.name,
        "kind": span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        "begin": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "attributes": attributes(span.attributes),
        "links": [{"trace": link.trace_id.hex(), "span": link.span_id.hex()} for link in span.links],
        "error": span.status.message if span.status.code == span.status.STATUS_CODE_ERROR else None,
    }


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path != "/v1/traces" or self.headers["content-type"] != "application/x-protobuf":
            return self.answer(400, b"")
        request = ExportTraceServiceRequest.FromString(body)
        for of_resource in request.resource_spans:
            resource = attributes(of_resource.resource.attributes)
            resource["authorization"] = self.headers.get("authorization", "")
            for of_scope in of_resource.scope_spans:
                for span in of_scope.spans:
                    spans.write(json.dumps(line(resource, span)) + "\n")
        self.answer(200, ExportTraceServiceResponse().SerializeToString())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
(folder / "port.new").write_text(str(server.server_port))
os.rename(folder / "port.new", folder / "port")
server.serve_forever()
