// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "google.golang.org/protobuf/encoding/protowire"

// kind is a kind of protobuf message in OTLP, such as a log record or an attribute.
type kind uint8

// The kinds of messages. Only those with text inside are listed.
const (
	opaque kind = iota // no message, or one without text
	logsRequest
	resourceLogs
	scopeLogs
	logRecord
	tracesRequest
	resourceSpans
	scopeSpans
	span
	spanEvent
	spanLink
	spanStatus
	metricsRequest
	resourceMetrics
	scopeMetrics
	metric
	numberData // gauge or sum
	numberPoint
	histogramData
	histogramPoint
	exponentialData
	exponentialPoint
	summaryData
	summaryPoint
	exemplar
	profilesRequest
	resourceProfiles
	scopeProfiles
	profile
	profilesDictionary
	keyValueAndUnit
	resource
	entityRef
	scope
	keyValue
	keyValueList
	arrayValue
	anyValue
	kinds
)

// The fields of anyValue.
const (
	valueString = iota + 1
	valueBool
	valueInt
	valueDouble
	valueArray
	valueKvlist
	valueBytes
)

// textLayout says where text lies in a kind of message. Its masks have bit n set for the field n. No field with text, in no
// message, has a number above 15.
type textLayout struct {
	// text is a mask of the fields that are strings.
	text uint16
	// inner has the kinds of the messages in the fields.
	inner [16]kind
	// numbers is true if nearly every message of the kind has numbers that are not ASCII, such as a time.
	numbers bool

	// light is a mask of the fields that are strings, or messages with little but text.
	light uint16
	// attributes is a mask of the fields that are attributes.
	attributes uint16
	// opaque is a mask of the fields without text.
	opaque uint16
}

// isText reports whether the field is a string.
func (l *textLayout) isText(f field) bool {
	return f.kind == protowire.BytesType && f.number < len(l.inner) && l.text>>f.number&1 == 1
}

// kindOf returns the kind of the message in the field, or opaque.
func (l *textLayout) kindOf(f field) kind {
	if f.kind != protowire.BytesType || f.number >= len(l.inner) {
		return opaque
	}
	return l.inner[f.number]
}

// fields returns a mask of the fields with these numbers.
func fields(numbers ...int) (mask uint16) {
	for _, n := range numbers {
		mask |= 1 << n
	}
	return mask
}

// textLayouts has the layout of each kind, as in the .proto files of OTLP. A test compares it with these files.
var textLayouts = completed([kinds]textLayout{
	logsRequest:   {inner: [16]kind{1: resourceLogs}},
	resourceLogs:  {text: fields(3), inner: [16]kind{1: resource, 2: scopeLogs}},
	scopeLogs:     {text: fields(3), inner: [16]kind{1: scope, 2: logRecord}},
	logRecord:     {text: fields(3, 12), inner: [16]kind{5: anyValue, 6: keyValue}, numbers: true},
	tracesRequest: {inner: [16]kind{1: resourceSpans}},
	resourceSpans: {text: fields(3), inner: [16]kind{1: resource, 2: scopeSpans}},
	scopeSpans:    {text: fields(3), inner: [16]kind{1: scope, 2: span}},
	span: {
		text: fields(3, 5), inner: [16]kind{9: keyValue, 11: spanEvent, 13: spanLink, 15: spanStatus}, numbers: true,
	},
	spanEvent:       {text: fields(2), inner: [16]kind{3: keyValue}, numbers: true},
	spanLink:        {text: fields(3), inner: [16]kind{4: keyValue}, numbers: true},
	spanStatus:      {text: fields(2)},
	metricsRequest:  {inner: [16]kind{1: resourceMetrics}},
	resourceMetrics: {text: fields(3), inner: [16]kind{1: resource, 2: scopeMetrics}},
	scopeMetrics:    {text: fields(3), inner: [16]kind{1: scope, 2: metric}},
	metric: {text: fields(1, 2, 3), inner: [16]kind{
		5: numberData, 7: numberData, 9: histogramData, 10: exponentialData, 11: summaryData, 12: keyValue,
	}},
	numberData:       {inner: [16]kind{1: numberPoint}},
	numberPoint:      {inner: [16]kind{5: exemplar, 7: keyValue}, numbers: true},
	histogramData:    {inner: [16]kind{1: histogramPoint}},
	histogramPoint:   {inner: [16]kind{8: exemplar, 9: keyValue}, numbers: true},
	exponentialData:  {inner: [16]kind{1: exponentialPoint}},
	exponentialPoint: {inner: [16]kind{1: keyValue, 11: exemplar}, numbers: true},
	summaryData:      {inner: [16]kind{1: summaryPoint}},
	summaryPoint:     {inner: [16]kind{7: keyValue}, numbers: true},
	exemplar:         {inner: [16]kind{7: keyValue}, numbers: true},
	profilesRequest:  {inner: [16]kind{1: resourceProfiles, 2: profilesDictionary}},
	resourceProfiles: {text: fields(3), inner: [16]kind{1: resource, 2: scopeProfiles}},
	scopeProfiles:    {text: fields(3), inner: [16]kind{1: scope, 2: profile}},
	profile:          {text: fields(9), numbers: true},
	profilesDictionary: {
		text: fields(5), inner: [16]kind{6: keyValueAndUnit}, numbers: true,
	},
	keyValueAndUnit: {inner: [16]kind{2: anyValue}, numbers: true},
	resource:        {inner: [16]kind{1: keyValue, 3: entityRef}},
	entityRef:       {text: fields(1, 2, 3, 4)},
	scope:           {text: fields(1, 2), inner: [16]kind{3: keyValue}},
	keyValue:        {text: fields(1), inner: [16]kind{2: anyValue}},
	keyValueList:    {inner: [16]kind{1: keyValue}},
	arrayValue:      {inner: [16]kind{1: anyValue}},
	anyValue:        {text: fields(valueString), inner: [16]kind{valueArray: arrayValue, valueKvlist: keyValueList}},
})

// completed sets light, attributes and opaque in all layouts.
func completed(layouts [kinds]textLayout) [kinds]textLayout {
	for k := range layouts {
		l := &layouts[k]
		l.light = l.text
		for number, inner := range l.inner {
			switch {
			case inner == keyValue:
				l.attributes |= fields(number)
				l.light |= fields(number)
			case inner != opaque && !layouts[inner].numbers:
				l.light |= fields(number)
			case inner == opaque && l.text&fields(number) == 0:
				l.opaque |= fields(number)
			}
		}
	}
	return layouts
}

// request returns the kind of the requests of the signal.
func (s Signal) request() kind {
	switch s {
	case Logs:
		return logsRequest
	case Traces:
		return tracesRequest
	case Metrics:
		return metricsRequest
	case Profiles:
		return profilesRequest
	}
	return opaque
}
