// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
)

func TestJudgeStored(t *testing.T) {
	shards := newShardMap([]shard{
		{"lower", hashRange{minHashKey, hashKey{99, 0}}}, {"upper", hashRange{hashKey{99, 1}, maxHashKey}},
	}, nil, at(0))
	record := func(members int, lowest, highest uint64) *kinesisRecord {
		low, high := hashKey{high: lowest}, hashKey{high: highest}
		return &kinesisRecord{members: make([]userRecord, members), hash: low, lowest: low, highest: high}
	}
	before, after := at(-time.Second), at(time.Second)
	merged := newShardMap([]shard{{"child", hashRange{minHashKey, maxHashKey}}}, shards, at(2*time.Second))
	cases := map[string]struct {
		record    *kinesisRecord
		actual    ShardID
		stored    time.Time
		shards    *shardMap
		automatic bool
		want      placement
	}{
		"all members inside":              {record(2, 1, 50), "lower", after, shards, false, placeGood},
		"one member outside":              {record(2, 1, 100), "lower", after, shards, false, placeBad},
		"a child nobody has heard of":     {record(2, 1, 50), "child", after, shards, false, placeUnknown},
		"a child the newer map lacks":     {record(2, 1, 50), "child", before, shards, false, placeBad},
		"no map":                          {record(2, 1, 50), "lower", after, nil, false, placeUnknown},
		"not even its own key":            {record(2, 1, 50), "upper", after, shards, false, placeUnknown},
		"the newer map says so too":       {record(2, 1, 50), "upper", before, shards, false, placeBad},
		"not even one key for all":        {record(2, 50, 50), "upper", after, shards, false, placeUnknown},
		"the service chooses":             {record(2, 1, 50), "upper", after, shards, true, placeBad},
		"a parent, sent before it closed": {record(2, 1, 50), "lower", after, merged, false, placeGood},
		"a namesake of a closed shard":    {record(2, 1, 50), "lower", at(4 * time.Second), merged, false, placeUnknown},
	}
	for name, c := range cases {
		a := &Attempt{ShardID: c.actual, Start: c.stored.Add(-time.Second), End: c.stored}
		assert.Equal(t, c.want, judgePlace(c.record, a, c.shards, c.automatic), name)
	}
}

func TestJudgeFailed(t *testing.T) {
	lone := &kinesisRecord{members: make([]userRecord, 1)}
	several := &kinesisRecord{members: make([]userRecord, 2)}
	cases := map[string]struct {
		record  *kinesisRecord
		class   errorClass
		whole   bool
		records int
		fail    bool
		want    failureStep
	}{
		"throttled":                         {lone, classThrottle, false, 2, false, stepRetry},
		"throttled, asked to fail":          {lone, classThrottle, false, 2, true, stepThrottled},
		"internal failure, asked to fail":   {lone, classTransient, false, 2, true, stepRetry},
		"whole call failed":                 {several, classTransient, true, 2, false, stepRetry},
		"lone record rejected":              {lone, classRejected, false, 2, false, stepRejected},
		"aggregate rejected":                {several, classRejected, false, 2, false, stepSplit},
		"call of several rejected":          {lone, classRejected, true, 2, false, stepSplit},
		"call of one rejected":              {lone, classRejected, true, 1, false, stepRejected},
		"call of one aggregate rejected":    {several, classRejected, true, 1, false, stepSplit},
		"too large a call of several":       {lone, classTooLarge, true, 2, true, stepSplit},
		"too large an aggregate":            {several, classTooLarge, true, 1, true, stepSplit},
		"too large a record":                {lone, classTooLarge, true, 1, false, stepRetryLater},
		"too large a record, asked to fail": {lone, classTooLarge, true, 1, true, stepTooLarge},
		"a call of several not understood":  {lone, classUnreadable, true, 2, false, stepSplit},
		"a record not understood":           {lone, classUnreadable, true, 1, true, stepRetryLater},
		"an aggregate not understood":       {several, classUnreadable, false, 2, false, stepSplit},
		"nonsense":                          {several, classLater, true, 2, true, stepRetryLater},
		"nothing accepted, not even others": {several, classUnavailable, true, 2, false, stepUnavailable},
	}
	for name, c := range cases {
		config := Config{FailIfThrottled: c.fail, FailIfTooLarge: c.fail}
		assert.Equal(t, c.want, nextStep(c.record, c.class, c.whole, c.records, &config), name)
	}
}

func TestFaultOfCall(t *testing.T) {
	status := func(code int, err error) error {
		return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: code}}, Err: err,
		}}
	}
	const throughput = "ProvisionedThroughputExceededException"
	api := func(code string) error { return &smithy.GenericAPIError{Code: code, Message: "m"} }
	cases := map[string]struct {
		err   error
		class errorClass
		code  string
	}{
		"throttled":        {status(400, api(throughput)), classThrottle, throughput},
		"validation":       {status(400, api("ValidationException")), classRejected, "ValidationException"},
		"no such stream":   {status(400, api("ResourceNotFoundException")), classUnavailable, "ResourceNotFoundException"},
		"expired token":    {status(400, api("ExpiredTokenException")), classUnavailable, "ExpiredTokenException"},
		"internal failure": {status(500, api("InternalFailure")), classTransient, "InternalFailure"},
		"unheard of, 400":  {status(400, api("Whatever")), classTransient, "Whatever"},
		"unheard of, 403":  {status(403, api("Whatever")), classUnavailable, "Whatever"},
		"unheard of, 404":  {status(404, api("Whatever")), classUnavailable, "Whatever"},
		"unheard of, 413":  {status(413, api("Whatever")), classTooLarge, CodeRequestTooLarge},
		"a page with 413":  {status(413, errors.New("invalid character")), classTooLarge, CodeRequestTooLarge},
		"a page with 400":  {status(400, errors.New("invalid character")), classTransient, "HTTP400"},
		"not understood":   {status(400, api("SerializationException")), classUnreadable, "SerializationException"},
		"unknown call":     {status(400, api("UnknownOperationException")), classTransient, "UnknownOperationException"},
		"too large a call": {status(413, api("RequestEntityTooLargeException")), classRejected, "RequestEntityTooLargeException"},
		"unheard of, 429":  {status(429, api("Whatever")), classThrottle, "Whatever"},
		"garbage with 200": {status(200, errors.New("invalid character")), classLater, "HTTP200"},
		"garbage with 503": {status(503, errors.New("invalid character")), classTransient, "HTTP503"},
		"answer cut short": {status(200, &smithy.DeserializationError{Err: io.ErrUnexpectedEOF}), classTransient, CodeConnection},
		"wrong certificate": {
			&smithyhttp.RequestSendError{Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}},
			classUnavailable, CodeCertificate,
		},
		"connection":     {&smithyhttp.RequestSendError{Err: errors.New("reset")}, classTransient, CodeConnection},
		"timeout":        {&smithyhttp.RequestSendError{Err: context.DeadlineExceeded}, classTransient, CodeTimeout},
		"canceled":       {&smithy.CanceledError{Err: context.Canceled}, classTransient, CodeCanceled},
		"no credentials": {&smithy.OperationError{Err: errors.New("get identity")}, classUnavailable, CodeNotSent},
		"role not to be had": {
			&smithy.OperationError{Err: fmt.Errorf("get identity: %w", api("AccessDenied"))}, classUnavailable, CodeNotSent,
		},
		"not an error of AWS":   {errors.New("boom"), classTransient, CodeUnknown},
		"entries do not match":  {countMismatchError{1, 2}, classLater, CodeCountMismatch},
		"throttling by request": {status(400, api("ThrottlingException")), classThrottle, "ThrottlingException"},
	}
	for name, c := range cases {
		got := faultOfCall(c.err)
		assert.Equal(t, c.class, got.class, name)
		assert.Equal(t, c.code, got.code, name)
		assert.NotEmpty(t, got.message, name)
		assert.LessOrEqual(t, len(got.message), maxMessage, name)
	}
}

func TestClip(t *testing.T) {
	long := ""
	var longSb121 strings.Builder
	for range 200 {
		longSb121.WriteString("é")
	}
	long += longSb121.String()
	assert.Len(t, clip("x"+long), 255, "not in the middle of a character")
	assert.Equal(t, "short", clip("short"))
}
