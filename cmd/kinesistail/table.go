// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Widths of columns of text, in characters.
const (
	keyWidth     = 24
	contentWidth = 100
)

// tableLines prints user records for people, each in a line.
type tableLines struct {
	out   io.Writer
	begun bool
}

// record prints the line for a user record.
func (t *tableLines) record(line recordLine) error {
	kind, items := line.Signal, strconv.Itoa(line.Items)
	if kind == "" {
		kind, items = "text", "-"
		if line.Text == "" {
			kind = "data"
		}
	}
	return t.row(line.Arrived.Format(time.RFC3339), line.Shard, kind, items, line.PartitionKey, contentOf(line))
}

// failure prints the line for an aggregated record with members that cannot be read.
func (t *tableLines) failure(line errorLine) error {
	return t.row("", line.Shard, "error", "-", "", line.Error)
}

func (t *tableLines) row(arrived, shard, kind, items, key, content string) error {
	const layout = "%-20s  %-20s  %-8s  %5s  %-*s  %s\n"
	if !t.begun {
		t.begun = true
		if _, err := fmt.Fprintf(t.out, layout, "ARRIVED", "SHARD", "KIND", "ITEMS", keyWidth, "PARTITION KEY", "CONTENT"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(t.out, layout, arrived, visible(shard), kind, items,
		keyWidth, clipped(key, keyWidth), clipped(content, contentWidth))
	return err
}

// contentOf says in short what a user record has in it: the services and the bodies of log records, the names of spans or of
// metrics. Of other data it is the text or the size.
func contentOf(line recordLine) string {
	var parts []string
	if line.OutOfRange {
		parts = append(parts, "(out of range)")
	}
	switch {
	case line.Error != "":
		parts = append(parts, line.Error)
	case line.Text != "":
		parts = append(parts, line.Text)
	case line.Signal == "":
		parts = append(parts, strconv.Itoa(len(line.Data))+" bytes")
	default:
		parts = append(parts, titlesOf(line.Payload)...)
	}
	return strings.Join(parts, "  ")
}

// titlesOf returns the first texts of a payload that tell most, as many as a line has room for.
func titlesOf(payload []byte) (titles []string) {
	size := 0
	err := eachText(payload, func(t text) bool {
		var title string
		switch {
		case t.in == "attributes" && t.name == "service.name", t.in == "body":
			title = t.String()
		case t.in == "logRecords" && t.name == "body", t.in == "spans" && t.name == "name", t.in == "metrics" && t.name == "name":
			title = t.of
		default:
			return true
		}
		titles = append(titles, title)
		size += len(title)
		return size < contentWidth
	})
	if err != nil { // never: the payload is valid JSON
		return []string{err.Error()}
	}
	return titles
}
