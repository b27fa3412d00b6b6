"""Reads Kinesis records as programs in Python do. Each line of standard input is a record as JSON:

    {"reader": "aws_kinesis_agg", "signal": "logs", "decoder": "otlp_proto", "compression": "none",
     "partition_key": "...", "data": "<base64>"}

For each it prints a line: {"items": ["<name>|<trace id>", ...]} with the log records, spans or data points that it found; or
{"error": "..."}. The decoders:

    otlp_proto     protobuf
    lines          JSON, line by line
    document       JSON, the message as one document
    protobuf_json  the same by protobuf's own parser of JSON
"""

import base64
import gzip
import json
import sys

import cramjam
from aws_kinesis_agg.deaggregator import deaggregate_records
from aws_lambda_powertools.utilities.data_classes import KinesisStreamEvent
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "traces": ExportTraceServiceRequest,
}
LISTS = {
    "logs": ["resourceLogs", "scopeLogs", "logRecords"],
    "metrics": ["resourceMetrics", "scopeMetrics", "metrics"],
    "traces": ["resourceSpans", "scopeSpans", "spans"],
}


def event(record):
    """Returns the record as AWS Lambda hands it over."""
    return {"eventSource": "aws:kinesis", "kinesis": {
        "kinesisSchemaVersion": "1.0", "partitionKey": record["partition_key"], "sequenceNumber": "1",
        "approximateArrivalTimestamp": 0.0, "data": record["data"],
    }}


def messages(record):
    if record["reader"] == "aws_kinesis_agg":
        return [base64.b64decode(r["kinesis"]["data"]) for r in deaggregate_records([event(record)])]
    if record["reader"] == "powertools":
        return [r.kinesis.data_as_bytes() for r in KinesisStreamEvent({"Records": [event(record)]}).records]
    return [base64.b64decode(record["data"])]


def decompress(data, compression):
    if compression == "snappy":
        return bytes(cramjam.snappy.decompress(data))
    if compression == "zstd":
        return bytes(cramjam.zstd.decompress(data))
    return gzip.decompress(data) if compression == "gzip" else data


def items_of_protobuf(signal, request):
    if signal == "logs":
        return [f"{l.body.string_value}|{l.trace_id.hex()}"
                for r in request.resource_logs for s in r.scope_logs for l in s.log_records]
    if signal == "traces":
        return [f"{l.name}|{l.trace_id.hex()}" for r in request.resource_spans for s in r.scope_spans for l in s.spans]
    return [m.name + "|" for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics
            for _ in getattr(m, m.WhichOneof("data")).data_points]


def items_of_json(signal, root):
    first, second, third = LISTS[signal]
    found = []
    for item in (i for r in root.get(first, []) for s in r.get(second, []) for i in s.get(third, [])):
        if signal == "logs":
            found.append(f'{item["body"]["stringValue"]}|{item["traceId"]}')
        elif signal == "traces":
            found.append(f'{item["name"]}|{item["traceId"]}')
        else:
            found += [item["name"] + "|" for v in item.values() if isinstance(v, dict) for _ in v.get("dataPoints", [])]
    return found


def decode(signal, decoder, data):
    request = REQUESTS[signal]()
    if decoder == "lines":
        return [item for line in data.splitlines() for item in items_of_json(signal, json.loads(line))]
    if decoder == "document":
        return items_of_json(signal, json.loads(data))
    if decoder == "protobuf_json":
        json_format.Parse(data, request)
    else:
        request.ParseFromString(data)
    return items_of_protobuf(signal, request)


def read(record):
    return [item for message in messages(record)
            for item in decode(record["signal"], record["decoder"], decompress(message, record["compression"]))]


for line in sys.stdin:
    try:
        answer = {"items": read(json.loads(line))}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer))
