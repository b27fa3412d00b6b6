// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// sample is a line of Prometheus' text format.
var sample = regexp.MustCompile(`^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)$`)

// scrape is the metrics that the collector exposes.
type scrape []struct {
	name, labels string
	value        float64
}

func (c *collector) scrape(ctx context.Context, t *testing.T) scrape {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.metrics+"/metrics", http.NoBody)
	require.NoError(t, err)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var found scrape
	for line := range strings.Lines(string(body)) {
		parts := sample.FindStringSubmatch(strings.TrimSpace(line))
		if parts == nil {
			continue
		}
		value, err := strconv.ParseFloat(parts[3], 64)
		require.NoError(t, err)
		found = append(found, struct {
			name, labels string
			value        float64
		}{parts[1], parts[2], value})
	}
	return found
}

// sum adds up the samples with a name and all of the labels, which are written as name="value".
func (s scrape) sum(name string, labels ...string) (total int) {
samples:
	for _, sample := range s {
		if sample.name != "otelcol_"+name {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(","+sample.labels+",", ","+label+",") {
				continue samples
			}
		}
		total += int(sample.value)
	}
	return total
}

// TestMetricsAgreeWithTheStream sends telemetry and compares the collector's own metrics with what the stream has.
func TestMetricsAgreeWithTheStream(t *testing.T) {
	const requestsEach, itemsEach = 20, 15
	const items = requestsEach * itemsEach
	ctx := peers.Context(t)
	k, endpoint := newKinesis(t, kpltest.Config{})
	// The first two calls fail as a whole, the third for each of its records.
	k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, func(call *kpltest.Call) kpltest.Action {
		switch call.Number {
		case 1, 2:
			return kpltest.FailCall(kpltest.CodeInternalFailure)(call)
		case 3:
			return kpltest.FailRecordFraction(kpltest.CodeThrottled, 1)(call)
		}
		return kpltest.Action{}
	}))
	c := startCollector(t, settings{kinesis: endpoint, overrides: patient()})
	send := grpcClient(t, c)
	for signal, newRequest := range signals {
		for i := range requestsEach {
			require.NoError(t, send(ctx, newRequest(t, fmt.Sprint(signal, i), itemsEach)))
		}
	}
	// Results are counted before requests leave the queue.
	peers.Until(ctx, t, func() error {
		s := c.scrape(ctx, t)
		sent := s.sum("exporter_sent_log_records") + s.sum("exporter_sent_spans") + s.sum("exporter_sent_metric_points")
		if sent < len(signals)*items {
			return fmt.Errorf("%d items were sent", sent)
		}
		return nil
	})

	s := c.scrape(ctx, t)
	stored := storedItems(t, k)
	assert.Len(t, stored, len(signals)*items)
	for signal := range signals {
		success := fmt.Sprintf("signal=%q", signal.String())
		assert.Equal(t, items, s.sum("kinesis_kpl_items_put", success, `outcome="success"`), signal)
		assert.Equal(t, items, s.sum("kinesis_kpl_items_put", success), signal)
	}
	records, userRecords := k.Records(stream), k.UserRecords(stream)
	bytes, userBytes, units := 0, 0, 0
	for _, r := range records {
		bytes += len(r.Data)
		units += (len(r.Data) + len(r.PartitionKey) + kpl.PutUnit - 1) / kpl.PutUnit
	}
	for _, r := range userRecords {
		userBytes += len(r.Data)
	}
	calls := k.Calls(kpltest.OpPutRecords)
	throttled := 0
	for _, call := range calls {
		throttled += call.Failed
	}
	require.Positive(t, throttled)
	for name, want := range map[string]int{
		"receiver_accepted_log_records":                           items,
		"receiver_accepted_spans":                                 items,
		"receiver_accepted_metric_points":                         items,
		"kinesis_kpl_kinesis_records_put":                         len(records) + throttled + failedRecords(calls),
		`kinesis_kpl_kinesis_records_put|outcome="success"`:       len(records),
		"kinesis_kpl_kinesis_records_data_put":                    bytes,
		"kinesis_kpl_user_records_put":                            len(userRecords),
		`kinesis_kpl_user_records_put|outcome="success"`:          len(userRecords),
		"kinesis_kpl_user_records_received":                       len(userRecords),
		"kinesis_kpl_user_records_data_put":                       userBytes,
		"kinesis_kpl_user_records_pending":                        0,
		"kinesis_kpl_request_time_count":                          len(calls),
		"kinesis_kpl_open_shards":                                 3,
		"kinesis_kpl_errors_by_code":                              throttled + 2,
		"kinesis_kpl_put_units":                                   units,
		"kinesis_kpl_user_records_resent":                         0,
		"kinesis_kpl_kinesis_records_held":                        0,
		"kinesis_kpl_requests_in_flight":                          0,
		"kinesis_kpl_user_record_time_count":                      len(userRecords),
		`kinesis_kpl_errors_by_code|error_code="InternalFailure"`: 2,
		"exporter_send_failed_log_records":                        0,
	} {
		name, label, labeled := strings.Cut(name, "|")
		var labels []string
		if labeled {
			labels = []string{label}
		}
		assert.Equal(t, want, s.sum(name, labels...), "%s %s", name, label)
	}
}

// failedRecords counts the records of calls that failed as a whole.
func failedRecords(calls []kpltest.CallInfo) (n int) {
	for _, call := range calls {
		if call.Code != "" {
			n += call.Records
		}
	}
	return n
}
