// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.stream.JsonReader;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringReader;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPInputStream;
import software.amazon.kinesis.retrieval.AggregatorUtil;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** Reads Kinesis records as programs in Java do. Input and output are those of read.py. The reader "kcl" deaggregates. */
public class Read {
    private static final BigInteger LAST_HASH_KEY = BigInteger.TWO.pow(128).subtract(BigInteger.ONE);

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonObject answer = new JsonObject();
            try {
                answer.add("items", read(JsonParser.parseString(line).getAsJsonObject()));
            } catch (Exception e) {
                answer.addProperty("error", e.toString());
            }
            out.println(answer);
        }
        out.flush();
    }

    private static JsonArray read(JsonObject record) throws Exception {
        byte[] data = Base64.getDecoder().decode(record.get("data").getAsString());
        List<byte[]> messages = List.of(data);
        if (record.get("reader").getAsString().equals("kcl")) {
            messages = deaggregate(data, record.get("partition_key").getAsString());
        }
        String signal = record.get("signal").getAsString();
        JsonArray items = new JsonArray();
        for (byte[] message : messages) {
            byte[] plain = decompress(message, record.get("compression").getAsString());
            switch (record.get("decoder").getAsString()) {
                case "otlp_proto" -> decode(signal, plain, items);
                case "lines" -> {
                    for (String line : text(plain).split("\n")) walk(signal, json(line), items);
                }
                case "document" -> walk(signal, json(text(plain)), items);
                case "protobuf_json" -> decodeJson(signal, text(plain), items);
                default -> throw new IllegalArgumentException("decoder");
            }
        }
        return items;
    }

    private static List<byte[]> deaggregate(byte[] data, String partitionKey) {
        KinesisClientRecord record = KinesisClientRecord.builder().data(ByteBuffer.wrap(data)).partitionKey(partitionKey)
                .sequenceNumber("1").approximateArrivalTimestamp(Instant.EPOCH).build();
        List<byte[]> messages = new ArrayList<>();
        List<KinesisClientRecord> records = new ArrayList<>(List.of(record));
        for (KinesisClientRecord member : new AggregatorUtil().deaggregate(records, BigInteger.ZERO, LAST_HASH_KEY)) {
            byte[] message = new byte[member.data().remaining()];
            member.data().duplicate().get(message);
            messages.add(message);
        }
        return messages;
    }

    private static byte[] decompress(byte[] data, String compression) throws Exception {
        InputStream in = new ByteArrayInputStream(data);
        try (InputStream plain = switch (compression) {
            case "snappy" -> new org.xerial.snappy.SnappyFramedInputStream(in);
            case "zstd" -> new com.github.luben.zstd.ZstdInputStream(in);
            case "gzip" -> new GZIPInputStream(in);
            default -> in;
        }) {
            return plain.readAllBytes();
        }
    }

    private static void decode(String signal, byte[] data, JsonArray items) throws Exception {
        switch (signal) {
            case "logs" -> add(ExportLogsServiceRequest.parseFrom(data), items);
            case "traces" -> add(ExportTraceServiceRequest.parseFrom(data), items);
            default -> add(ExportMetricsServiceRequest.parseFrom(data), items);
        }
    }

    private static void decodeJson(String signal, String text, JsonArray items) throws Exception {
        Message.Builder request = switch (signal) {
            case "logs" -> ExportLogsServiceRequest.newBuilder();
            case "traces" -> ExportTraceServiceRequest.newBuilder();
            default -> ExportMetricsServiceRequest.newBuilder();
        };
        JsonFormat.parser().merge(text, request);
        add(request.build(), items);
    }

    private static void add(Message message, JsonArray items) {
        if (message instanceof ExportLogsServiceRequest logs) {
            logs.getResourceLogsList().forEach(r -> r.getScopeLogsList().forEach(s -> s.getLogRecordsList().forEach(
                    l -> items.add(l.getBody().getStringValue() + "|" + hex(l.getTraceId())))));
        } else if (message instanceof ExportTraceServiceRequest traces) {
            traces.getResourceSpansList().forEach(r -> r.getScopeSpansList().forEach(s -> s.getSpansList().forEach(
                    l -> items.add(l.getName() + "|" + hex(l.getTraceId())))));
        } else if (message instanceof ExportMetricsServiceRequest metrics) {
            metrics.getResourceMetricsList().forEach(r -> r.getScopeMetricsList().forEach(s -> s.getMetricsList().forEach(m -> {
                int points = m.getGauge().getDataPointsCount() + m.getSum().getDataPointsCount()
                        + m.getHistogram().getDataPointsCount() + m.getExponentialHistogram().getDataPointsCount()
                        + m.getSummary().getDataPointsCount();
                for (int i = 0; i < points; i++) items.add(m.getName() + "|");
            })));
        }
    }

    private static String hex(ByteString id) {
        return HexFormat.of().formatHex(id.toByteArray());
    }

    private static String text(byte[] data) throws Exception {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(data)).toString();
    }

    private static JsonElement json(String text) throws Exception {
        JsonReader reader = new JsonReader(new StringReader(text));
        reader.setLenient(false);
        JsonElement element = JsonParser.parseReader(reader);
        if (reader.peek() != com.google.gson.stream.JsonToken.END_DOCUMENT) throw new IllegalArgumentException("more text");
        return element;
    }

    private static void walk(String signal, JsonElement root, JsonArray items) {
        String[] lists = switch (signal) {
            case "logs" -> new String[] {"resourceLogs", "scopeLogs", "logRecords"};
            case "traces" -> new String[] {"resourceSpans", "scopeSpans", "spans"};
            default -> new String[] {"resourceMetrics", "scopeMetrics", "metrics"};
        };
        for (JsonElement resource : list(root, lists[0])) {
            for (JsonElement scope : list(resource, lists[1])) {
                for (JsonElement element : list(scope, lists[2])) {
                    JsonObject item = element.getAsJsonObject();
                    switch (signal) {
                        case "logs" -> items.add(item.getAsJsonObject("body").get("stringValue").getAsString() + "|"
                                + item.get("traceId").getAsString());
                        case "traces" -> items.add(item.get("name").getAsString() + "|" + item.get("traceId").getAsString());
                        default -> {
                            for (var value : item.entrySet()) {
                                if (!value.getValue().isJsonObject()) continue;
                                list(value.getValue(), "dataPoints").forEach(p -> items.add(item.get("name").getAsString() + "|"));
                            }
                        }
                    }
                }
            }
        }
    }

    private static JsonArray list(JsonElement object, String key) {
        JsonArray list = object.getAsJsonObject().getAsJsonArray(key);
        return list == null ? new JsonArray() : list;
    }
}
