// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// write writes the plan as a table for people.
func write(w io.Writer, l load, p plan, b bill) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(what, value, why string) { fmt.Fprintf(table, "%s\t%s\t%s\n", what, value, why) }
	row("data", size(p.bytes)+"/s", "at the peak "+size(p.peakBytes)+"/s")
	row("shards", count(p.shards), fmt.Sprintf("1 MiB and 1,000 records a second each, %.0f %% full at the peak", l.fill*100))
	row("Kinesis records", count(p.records)+"/s", "at most")
	row("PUT units", count(p.units)+"/s", "at most, of 25,600 bytes")
	row("collectors", count(p.collectors), fmt.Sprintf("with %g cores, which are 70 %% busy at the peak", l.cores))
	row("memory of each", size(p.memory),
		fmt.Sprintf("with full queues; a limit of %s, and GOMEMLIMIT=%.0fMiB", size(p.limit), p.memory/(1<<20)))
	row("full queues hold", p.buffered.Round(time.Second).String(), "of an outage at the peak")
	row("requests in flight", count(p.requests), "in each collector at the peak; max_connections is 24")
	row("pushes that wait", count(p.pushes), "in each, with 1,000 items; num_consumers is 1024")
	row("", "", "")
	row("a month, provisioned", dollars(b.provisioned), fmt.Sprintf("shards %s, PUT units %s", dollars(b.shards), dollars(b.units)))
	row("on-demand standard", dollars(b.standard), "")
	row("on-demand advantage", dollars(b.advantage), "if it is the account's only stream: at least 25 MiB/s are billed, in and out")
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nPrices are AWS's list for us-east-1 in 2026 unless flags say otherwise; they may have changed.\n"+
		"Retention of more than 24 hours and enhanced fan-out are not in them.")
	return err
}

func size(bytes float64) string {
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if bytes < 1024 || unit == "GiB" {
			return strconv.FormatFloat(bytes, 'f', digits(bytes), 64) + " " + unit
		}
		bytes /= 1024
	}
	return ""
}

func digits(value float64) int {
	if value < 10 {
		return 1
	}
	return 0
}

func dollars(value float64) string { return "$" + count(value) }

// count returns a number without decimals, with a comma for each thousand.
func count(value float64) string {
	text := strconv.FormatFloat(value, 'f', 0, 64)
	var b strings.Builder
	for i, digit := range text {
		if i > 0 && (len(text)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}
