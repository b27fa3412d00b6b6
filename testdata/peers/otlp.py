"""Decodes OTLP as Python's protobuf does. Each line of standard input is a message as JSON:

    {"signal": "logs", "encoding": "otlp_proto", "data": "<base64>"}

For each it prints a line: {"items": 3, "texts": [...]} with the number of log records, spans, data points or samples and
all different strings in the message, sorted; or {"error": "..."}.
"""

import base64
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import ExportProfilesServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "profiles": ExportProfilesServiceRequest,
    "traces": ExportTraceServiceRequest,
}
ITEMS = {"LogRecord", "Span", "NumberDataPoint", "HistogramDataPoint", "ExponentialHistogramDataPoint", "SummaryDataPoint", "Sample"}


def walk(message, texts):
    """Adds all strings of the message to texts and returns how many items it has."""
    items = 1 if message.DESCRIPTOR.name in ITEMS else 0
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.type == field.TYPE_STRING:
            texts.update(values)
        elif field.type == field.TYPE_MESSAGE:
            items += sum(walk(v, texts) for v in values)
    return items


def decode(line):
    request = REQUESTS[line["signal"]]()
    data = base64.b64decode(line["data"])
    try:
        if line["encoding"] == "otlp_json":
            json_format.Parse(data, request)
        else:
            request.ParseFromString(data)
    except Exception as error:
        return {"error": repr(error)}
    texts = set()
    items = walk(request, texts)
    return {"items": items, "texts": sorted(texts)}


for line in sys.stdin:
    print(json.dumps(decode(json.loads(line))))
