// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/encoding/otlpencodingextension"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension"

	"github.com/otel-kinesis/kinesiskplexporter"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// startKinesisFake starts cmd/kinesisfake and returns its endpoint.
func startKinesisFake(ctx context.Context, t *testing.T) (endpoint string) {
	t.Helper()
	p := Start(t, exec.Command(buildGo(ctx, t, Root(t), "./cmd/kinesisfake"), "-listen", "127.0.0.1:0"))
	_, endpoint, found := strings.Cut(p.WaitLine(ctx, t, "listens on"), "listens on ")
	require.True(t, found)
	return endpoint
}

// wireConfigs returns the configurations in testdata/wire.yaml, by name.
func wireConfigs(t *testing.T) map[string]*confmap.Conf {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "wire.yaml"))
	require.NoError(t, err)
	configs := map[string]*confmap.Conf{}
	for id := range all.ToStringMap() {
		configs[strings.TrimPrefix(id, "kinesis_kpl/")], err = all.Sub(id)
		require.NoError(t, err)
	}
	return configs
}

// TestYAMLOnTheWire loads each configuration of testdata/wire.yaml as the Collector does, and sends all signals with it to
// kinesisfake and to kinesis-mock. Each item comes out once.
func TestYAMLOnTheWire(t *testing.T) {
	for key, value := range Environment() {
		t.Setenv(key, value)
	}
	mock, fake := StartKinesisMock(t).Endpoint, startKinesisFake(Context(t), t)
	for name, conf := range wireConfigs(t) {
		t.Run(name, func(t *testing.T) {
			t.Run("kinesisfake", func(t *testing.T) { sendByYAML(t, name, conf, fake) })
			t.Run("kinesis-mock", func(t *testing.T) { sendByYAML(t, name, conf, mock) })
		})
	}
}

func sendByYAML(t *testing.T, name string, conf *confmap.Conf, endpoint string) {
	ctx := client.NewContext(Context(t), client.Info{Metadata: client.NewMetadata(map[string][]string{"tenant": {"acme"}})})
	config := kinesiskplexporter.NewFactory().CreateDefaultConfig().(*kinesiskplexporter.Config)
	require.NoError(t, conf.Unmarshal(config))
	config.Queue = configoptional.None[exporterhelper.QueueBatchConfig]() // A request returns once it is delivered.
	config.AWS.StreamName, config.AWS.Endpoint, config.AWS.Insecure = name, endpoint, true
	// No record may be sent twice because this machine is busy.
	config.Producer.RequestTimeout, config.Producer.RecordTTL = Patience, 2*Patience
	config.Timeout.Timeout = 3 * Patience
	require.NoError(t, confmap.Validate(config))

	service := NewClient(t, endpoint)
	streams := streamsOf(config)
	for _, stream := range streams {
		_, err := service.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &stream, ShardCount: aws.Int32(2)})
		require.NoError(t, err)
		waitActive(ctx, t, service, stream)
	}
	var sent, got []string
	for _, s := range []marshaler.Signal{marshaler.Logs, marshaler.Traces, marshaler.Metrics} {
		items := sendOverWire(ctx, t, s, config)
		if foreignStream(config, s) != "" {
			items = namesIn(strings.Join(items, ""))
		}
		sent = append(sent, items...)
	}
	for _, stream := range streams {
		items := readOverWire(ctx, t, service, stream, config)
		assert.True(t, stream == name || len(items) > 0, "nothing is in %s", stream)
		got = append(got, items...)
	}
	RequireSameItems(t, sent, got)
}

// foreignStream returns the stream of a signal whose encoding is not OTLP. It is empty for OTLP. Such a signal has a stream of
// its own here: in its messages only the names of items are looked for.
func foreignStream(c *kinesiskplexporter.Config, s marshaler.Signal) string {
	own := map[marshaler.Signal]kinesiskplexporter.SignalConfig{marshaler.Logs: c.Logs, marshaler.Traces: c.Traces}[s]
	switch own.Encoding {
	case "", marshaler.OTLPProto, marshaler.OTLPJSON, otlpExtension:
		return ""
	default:
		return own.StreamName
	}
}

// itemName is how the items of requests are named. Their numbers have one digit; in protobuf, other bytes follow at once.
var itemName = regexp.MustCompile(`request-\d(?:: log record |: span |\.)\d`)

func namesIn(text string) []string { return itemName.FindAllString(text, -1) }

// streamsOf returns all streams that an exporter may send to.
func streamsOf(c *kinesiskplexporter.Config) []string {
	own := []string{c.Logs.StreamName, c.Traces.StreamName, c.Metrics.StreamName}
	var streams []string
	for _, stream := range own {
		if stream != "" {
			streams = append(streams, stream)
		}
	}
	if len(streams) < len(own) {
		streams = append(streams, c.AWS.StreamName)
	}
	return append(streams, c.Streams.Allowed...)
}

// How many requests are sent at the same time, and how many items each has.
const wireRequests, wireItems = 6, 9

// sendOverWire sends requests of one signal through an exporter and returns their items.
func sendOverWire(ctx context.Context, t *testing.T, s marshaler.Signal, config *kinesiskplexporter.Config) []string {
	t.Helper()
	f := kinesiskplexporter.NewFactory()
	set := exportertest.NewNopSettings(f.Type())
	var e component.Component
	var send func(name string) error
	var itemsOf func(name string) []string
	switch s {
	case marshaler.Logs:
		logs, err := f.CreateLogs(ctx, set, config)
		require.NoError(t, err)
		e, send = logs, func(name string) error { return logs.ConsumeLogs(ctx, Logs(name, wireItems)) }
		itemsOf = func(name string) []string { return LogItems(t, Logs(name, wireItems)) }
	case marshaler.Traces:
		traces, err := f.CreateTraces(ctx, set, config)
		require.NoError(t, err)
		e, send = traces, func(name string) error { return traces.ConsumeTraces(ctx, Traces(name, wireItems)) }
		itemsOf = func(name string) []string { return TraceItems(t, Traces(name, wireItems)) }
	default:
		metrics, err := f.CreateMetrics(ctx, set, config)
		require.NoError(t, err)
		e, send = metrics, func(name string) error { return metrics.ConsumeMetrics(ctx, Metrics(name, wireItems)) }
		itemsOf = func(name string) []string { return MetricItems(t, Metrics(name, wireItems)) }
	}
	require.NoError(t, e.Start(ctx, hostWithEncoding(t)))
	var sent []string
	var senders sync.WaitGroup
	for i := range wireRequests {
		sent = append(sent, itemsOf(requestName(i))...)
		senders.Go(func() { assert.NoError(t, send(requestName(i))) })
	}
	senders.Wait()
	require.NoError(t, e.Shutdown(context.WithoutCancel(ctx)))
	return sent
}

// readOverWire returns the items in a stream. Messages say themselves what is in them.
func readOverWire(
	ctx context.Context, t *testing.T, c *kinesis.Client, stream string, config *kinesiskplexporter.Config,
) (items []string) {
	t.Helper()
	for _, shard := range ListShards(ctx, t, c, stream) {
		for _, record := range readShard(ctx, t, c, stream, *shard.ShardId) {
			for _, member := range kpl.DeaggregateRecord(&record) {
				plain, _, err := marshaler.Decompress(member.Data, marshaler.MaxPlainSize)
				require.NoError(t, err)
				switch {
				case len(plain) == 0: // A service that knows no dry runs stores an empty record.
				case stream == foreignStream(config, marshaler.Logs) || stream == foreignStream(config, marshaler.Traces):
					items = append(items, namesIn(string(plain))...)
				default:
					items = append(items, itemsIn(t, plain)...)
				}
			}
		}
	}
	return items
}

// itemsIn returns the items in a message of any signal and encoding.
func itemsIn(t *testing.T, plain []byte) (items []string) {
	t.Helper()
	through := map[marshaler.Signal]signal{
		marshaler.Logs: logsThrough, marshaler.Traces: tracesThrough, marshaler.Metrics: metricsThrough,
	}
	messages := [][]byte{plain}
	if plain[0] == '{' {
		messages = bytes.Split(bytes.TrimSuffix(plain, []byte("\n")), []byte("\n"))
	}
	for _, message := range messages {
		found, encoding, ok := marshaler.Detect(message)
		require.True(t, ok, "%q", message)
		read := through[found].read
		if encoding == marshaler.OTLPJSON {
			read = through[found].readJSON
		}
		items = append(items, read(t, message)...)
	}
	return items
}

// otlpExtension is the id of the encoding extension that hosts have here.
const otlpExtension marshaler.Encoding = "otlp_encoding/json"

// encodingHost is a host with contrib's OTLP encoding, as JSON.
type encodingHost struct {
	component.Host

	extensions map[component.ID]component.Component
}

func (h encodingHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

func hostWithEncoding(t *testing.T) component.Host {
	t.Helper()
	f := otlpencodingextension.NewFactory()
	id := component.NewIDWithName(f.Type(), "json")
	require.Equal(t, string(otlpExtension), id.String())
	e, err := f.Create(t.Context(), extension.Settings{ID: id, TelemetrySettings: componenttest.NewNopTelemetrySettings()},
		&otlpencodingextension.Config{Protocol: "otlp_json"})
	require.NoError(t, err)
	return encodingHost{componenttest.NewNopHost(), map[component.ID]component.Component{id: e}}
}
