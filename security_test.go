// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadatatest"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// What must never be let out. Each of these is in the configurations or the data of the tests.
const (
	accessKeyMarker  = "AKIAMARKEDACCESSKEY"
	secretKeyMarker  = "marked/secret/key"
	tokenMarker      = "marked-session-token"
	externalIDMarker = "marked-external-id"
	bodyMarker       = "marked-body"
	attributeMarker  = "marked-attribute"
	keyMarker        = "marked-service"
)

func markers() []string {
	return []string{
		accessKeyMarker, secretKeyMarker, tokenMarker, externalIDMarker, bodyMarker, attributeMarker, keyMarker,
	}
}

// markedLogs returns log records whose content is marked in all places, one of them with a body of the given size.
func markedLogs(size int) plog.Logs {
	logs := logsOf(keyMarker+"1", keyMarker+"2")
	for _, resource := range logs.ResourceLogs().All() {
		resource.Resource().Attributes().PutStr("more", attributeMarker)
		record := resource.ScopeLogs().At(0).LogRecords().At(0)
		record.Attributes().PutStr(attributeMarker, attributeMarker)
		record.Body().SetStr(bodyMarker)
	}
	last := logs.ResourceLogs().At(1).ScopeLogs().At(0).LogRecords().At(0)
	last.Body().SetStr(bodyMarker + strings.Repeat("x", size))
	return logs
}

// told returns all that an exporter has let out: logs, spans, metrics, statuses, and the errors given.
func told(t *testing.T, r *rig, errs ...error) string {
	t.Helper()
	var all strings.Builder
	for _, entry := range r.logs.All() {
		fmt.Fprintf(&all, "%s %s %+v\n", entry.LoggerName, entry.Message, entry.ContextMap())
		for _, field := range entry.Context {
			fmt.Fprintf(&all, "%s %s %+v\n", field.Key, field.String, field.Interface)
		}
	}
	for _, span := range r.telemetry.SpanRecorder.Ended() {
		fmt.Fprintf(&all, "%s %+v %+v %+v\n", span.Name(), span.Attributes(), span.Status(), span.Events())
	}
	var collected metricdata.ResourceMetrics
	require.NoError(t, r.telemetry.Reader.Collect(context.WithoutCancel(t.Context()), &collected))
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			fmt.Fprintf(&all, "%s %s %s\n", m.Name, m.Description, m.Unit)
			for _, set := range attributeSets(t, m.Data) {
				fmt.Fprintln(&all, set.Encoded(attribute.DefaultEncoder()))
			}
		}
	}
	for _, event := range r.host.events {
		fmt.Fprintf(&all, "%v %+v\n", event.Status(), event.Err())
	}
	for _, err := range errs {
		fmt.Fprintf(&all, "%+v\n", err)
	}
	return all.String()
}

func attributeSets(t *testing.T, data metricdata.Aggregation) (sets []attribute.Set) {
	t.Helper()
	switch data := data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Histogram[int64]:
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			sets = append(sets, p.Attributes)
		}
	default:
		require.Fail(t, "unknown kind of metric", "%T", data)
	}
	return sets
}

// requireNothingMarked fails the test if something was let out that must not be, or if nothing was let out at all.
func requireNothingMarked(t *testing.T, text string) {
	t.Helper()
	require.Contains(t, text, "otelcol_kinesis_kpl_items_put")
	for _, marker := range markers() {
		require.NotContains(t, text, marker)
	}
}

// inProcess is an HTTP client that calls a handler where a network would be, so that it works in a synctest bubble.
type inProcess struct{ handler http.Handler }

// Do implements [kinesis.HTTPClient].
func (c inProcess) Do(r *http.Request) (response *http.Response, err error) {
	defer func() { // a server does so too: to it, this panic is a broken connection
		switch reason := recover(); reason {
		case nil:
		case any(http.ErrAbortHandler):
			response, err = nil, cmp.Or(r.Context().Err(), http.ErrAbortHandler)
		default:
			panic(reason)
		}
	}()
	recorder := httptest.NewRecorder()
	c.handler.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// markedFactory returns a factory whose exporters call handler through the SDK's client, with marked credentials.
func markedFactory(handler http.Handler) exporter.Factory {
	return factoryFor(kinesis.New(kinesis.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("https://kinesis.invalid"),
		HTTPClient:   inProcess{handler},
		Credentials:  credentials.NewStaticCredentialsProvider(accessKeyMarker, secretKeyMarker, tokenMarker),
	}))
}

// wrongSignature answers as the service does to a wrong signature. The answer has what should have been signed, with the
// session token.
func wrongSignature(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"__type":"InvalidSignatureException","message":"The request signature we calculated does not match `+
		`the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation `+
		`for details.\n\nThe Canonical String for this request should have been\n'POST\n/\n\n`+
		`content-type:%s\nhost:%s\nx-amz-date:%s\nx-amz-security-token:%s\nx-amz-target:%s'"}`,
		r.Header.Get("Content-Type"), r.Host, r.Header.Get("X-Amz-Date"), r.Header.Get("X-Amz-Security-Token"),
		r.Header.Get("X-Amz-Target"))
}

// echo answers as some proxies do: with a page that has the whole request in it.
func echo(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusBadGateway)
	fmt.Fprintln(w, "<html>", r.Header)
	_ = r.Write(w)
}

// leakCase is something that goes wrong.
type leakCase struct {
	fault   kpltest.Fault
	handler http.HandlerFunc // instead of the service
	tune    func(*Config)
	size    int           // of a body
	timeout time.Duration // of the push
	stopIn  time.Duration // of the shutdown
}

func leakCases() map[string]leakCase {
	cases := map[string]leakCase{
		"a wrong signature":   {handler: wrongSignature},
		"a proxy that echoes": {handler: echo},
		"oversize":            {size: 2 << 20},
		"the push is over":    {fault: kpltest.FailCall(kpltest.CodeInternalFailure), timeout: time.Second},
		"the shutdown is over": {
			fault: kpltest.Break(kpltest.ConnectionHangs), timeout: time.Millisecond, stopIn: time.Millisecond,
			tune: func(c *Config) { c.Delivery = FireAndForget },
		},
		"a full producer": {
			fault: kpltest.Break(kpltest.ConnectionHangs), timeout: time.Second,
			tune: func(c *Config) { c.Producer.MaxOutstandingRecords = 1 },
		},
		"fire and forget": {
			fault: kpltest.FailRecordFraction(kpltest.CodeInvalidArgument, 1),
			tune:  func(c *Config) { c.Delivery = FireAndForget },
		},
		"a queue and retries": {
			fault: kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.9),
			tune: func(c *Config) {
				c.Queue, c.Retry = defaultConfig().Queue, defaultConfig().Retry
				c.Retry.MaxElapsedTime, c.Producer.FailIfThrottled = time.Second, true
			},
		},
		"aggregates": {
			fault: kpltest.FailRecordFraction(kpltest.CodeInvalidArgument, 1),
			tune:  func(c *Config) { c.Producer.AggregationFormat = kpl.AggregationKPL },
		},
		"a key for all": {
			fault: kpltest.FailRecordFraction(kpltest.CodeInvalidArgument, 1),
			tune:  func(c *Config) { c.PartitionKey = PartitionKeyConfig{Static: keyMarker} },
		},
		"the reset": {fault: kpltest.Break(kpltest.ConnectionReset)},
		"the cut":   {fault: kpltest.Break(kpltest.ConnectionCut)},
		"no answer": {fault: kpltest.Break(kpltest.ConnectionHangsStored)},
	}
	for _, code := range append(kpl.WellKnownCodes(), "NobodyKnows") {
		cases[code+" for the call"] = leakCase{fault: kpltest.FailCall(code)}
		cases[code+" for the record"] = leakCase{fault: kpltest.FailRecordFraction(code, 1)}
	}
	return cases
}

// The exporter lets out neither credentials nor payload, whatever goes wrong.
func TestNothingSecretIsLetOut(t *testing.T) {
	for name, tt := range leakCases() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c := newTestKinesis(2), directConfig()
				if tt.fault != nil {
					k.Inject(tt.fault)
				}
				c.AWS.RoleARN, c.AWS.ExternalID = "arn:aws:iam::123456789012:role/writer", externalIDMarker
				c.Producer.RecordTTL, c.Producer.RequestTimeout = 2*time.Second, time.Second
				c.Telemetry.ShardAttribute = true
				if tt.tune != nil {
					tt.tune(c)
				}
				handler := k.Handler()
				if tt.handler != nil {
					handler = tt.handler
				}
				r := newRig(t, markedFactory(handler), c)
				require.NoError(t, r.Start(t.Context(), r.host))
				pushErr := r.ConsumeLogs(within(t, cmp.Or(tt.timeout, time.Minute)), markedLogs(tt.size))
				stopErr := r.Shutdown(within(t, cmp.Or(tt.stopIn, time.Minute)))
				again := r.ConsumeLogs(within(t, time.Second), markedLogs(0))

				text := told(t, r, pushErr, stopErr, again)
				// The log names the resource of an item that is too large: that is what somebody has to mend.
				requireNothingMarked(t, strings.ReplaceAll(text, "service.name="+keyMarker+"2", ""))
				failed := r.sum(t, "items_put") - r.sum(t, "items_put", "outcome", "success")
				assert.Positive(t, failed, "something went wrong")
			})
		})
	}
}

// The same if nothing goes wrong. The stored data does have the marks.
func TestNothingSecretIsLetOutOfASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(2)
		r := newRig(t, markedFactory(k.Handler()), directConfig())
		require.NoError(t, r.Start(t.Context(), r.host))
		require.NoError(t, r.ConsumeLogs(t.Context(), markedLogs(0)))
		r.stop(t)
		requireNothingMarked(t, told(t, r))
		records := k.Records(testStream)
		require.Len(t, records, 2)
		for _, marker := range []string{bodyMarker, attributeMarker, keyMarker} {
			assert.Contains(t, string(records[0].Data), marker)
		}
		for _, record := range records {
			assert.NotContains(t, record.PartitionKey, keyMarker, "keys by attributes are digests")
		}
	})
}

// Nothing is let out of the credentials of a role either, nor of the calls that get them.
func TestNothingSecretIsLetOutOfARole(t *testing.T) {
	for name, tokens := range map[string]http.HandlerFunc{
		"denied": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/u is `+
				`not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/writer</Message>`+
				`</Error></ErrorResponse>`)
		},
		"echoed": echo,
		"broken": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"granted": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>%s</AccessKeyId>`+
				`<SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken>`+
				`<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
				accessKeyMarker, secretKeyMarker, tokenMarker)
		},
		"granted, half": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><SecretAccessKey>%s</Secret`, secretKeyMarker)
		},
	} {
		t.Run(name, func(t *testing.T) {
			sts := httptest.NewServer(tokens)
			defer sts.Close()
			service := httptest.NewServer(http.HandlerFunc(wrongSignature))
			defer service.Close()
			t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL)
			t.Setenv("AWS_ACCESS_KEY_ID", accessKeyMarker)
			t.Setenv("AWS_SECRET_ACCESS_KEY", secretKeyMarker)
			t.Setenv("AWS_SESSION_TOKEN", tokenMarker)
			t.Setenv("AWS_MAX_ATTEMPTS", "1") // of STS
			c := directConfig()
			c.AWS.Endpoint, c.AWS.Insecure = service.URL, true
			c.AWS.RoleARN, c.AWS.ExternalID = "arn:aws:iam::123456789012:role/writer", externalIDMarker
			c.Producer.RecordTTL, c.Producer.RecordMaxBufferedTime = 100*time.Millisecond, time.Millisecond
			r := startReal(t, c)
			err := r.ConsumeLogs(t.Context(), markedLogs(0))
			require.Error(t, err)
			assert.False(t, consumererror.IsPermanent(err))
			requireNothingMarked(t, told(t, r, err))
		})
	}
}

// A redirect is no reason to send data and signature to somebody else.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				assert.Fail(t, "the redirect was followed")
			}))
			defer elsewhere.Close()
			server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
			defer server.Close()
			c := directConfig()
			c.AWS.Endpoint, c.AWS.Insecure = server.URL, true
			c.Producer.RecordTTL, c.Producer.RecordMaxBufferedTime = 100*time.Millisecond, time.Millisecond
			err := startReal(t, c).ConsumeLogs(t.Context(), logsOf("a"))
			require.ErrorIs(t, err, kpl.ErrExpired)
			assert.False(t, consumererror.IsPermanent(err))
		})
	}
}

// An endpoint without TLS needs insecure, wherever the endpoint comes from.
func TestEndpointOfTheEnvironmentNeedsTLS(t *testing.T) {
	for _, variable := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KINESIS"} {
		t.Run(variable, func(t *testing.T) {
			k := newTestKinesis(1)
			server := httptest.NewServer(k.Handler())
			defer server.Close()
			t.Setenv(variable, strings.Replace(server.URL, "http:", "HTTP:", 1))
			c := directConfig()
			e := newRig(t, NewFactory(), c)
			require.ErrorContains(t, e.Start(t.Context(), e.host), "aws: "+variable+" is "+server.URL+", which has no TLS")
			e.stop(t)

			c = directConfig()
			c.AWS.Insecure = true
			require.NoError(t, startReal(t, c).ConsumeLogs(t.Context(), logsOf("a")))
			assert.Equal(t, []string{"a"}, storedBodies(t, k))
		})
	}
}

// PutRecords is the only permission that is needed. Without ListShards all signals are delivered, and the status of the
// component reports nothing wrong.
func TestPutRecordsAloneIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(4), directConfig()
		k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.FailCall(kpltest.CodeAccessDenied)))
		c.Producer.AggregationFormat = kpl.AggregationKPL
		f := factoryFor(k)
		r := newRig(t, f, c)
		require.NoError(t, r.Start(t.Context(), r.host))
		set := metadatatest.NewSettings(r.telemetry)
		traces, consumeTraces, err := pushTraces.start(t.Context(), f, set, c)
		require.NoError(t, err)
		metrics, consumeMetrics, err := pushMetrics.start(t.Context(), f, set, c)
		require.NoError(t, err)
		for _, e := range []component.Component{traces, metrics} {
			require.NoError(t, e.Start(t.Context(), r.host))
		}
		for i := range 20 {
			name := fmt.Sprint(i)
			require.NoError(t, r.ConsumeLogs(t.Context(), logsOf(name, name)))
			require.NoError(t, consumeTraces(t.Context(), tracesOf(name, name)))
			require.NoError(t, consumeMetrics(t.Context(), metricsOf(name, name)))
		}
		for _, e := range []component.Component{traces, metrics, r} {
			require.NoError(t, e.Shutdown(t.Context()))
		}
		for _, signal := range []string{"logs", "traces", "metrics"} {
			assert.Equal(t, 40, r.sum(t, "items_put", "signal", signal, "outcome", "success"), signal)
		}
		assert.Equal(t, 120, r.sum(t, "items_put"))
		assert.Empty(t, k.DroppedAggregates(testStream))
		assert.Len(t, k.UserRecords(testStream), 60)
		assert.Empty(t, r.host.statuses())
		assert.NotZero(t, r.logs.FilterMessageSnippet("Listing the shards failed").Len())
	})
}
