// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var limitsDocs = flag.String("limits.docs", "", "the directory in which TestContentionTable renews limits.md and limits.svg")

const (
	limitsBegin  = "<!-- table: begin -->\n"
	limitsEnd    = "<!-- table: end -->\n"
	limitsHeader = "| what | producers | records | policy | goodput | wasted | first minute | p50 | p99 | over 1 s | over 5 s " +
		"| expired | not accepted | Jain |\n|---|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
	limitsSeed = 16_000 // of no run that the numbers of the pace were chosen with
	limitsRuns = 3      // of each row, with seeds of their own; the table has the means
)

// limitsRow is a row of the table.
type limitsRow struct {
	what string
	contention
}

// saturated always has more to send than it may. It waits with what it gets until there is room.
const saturated = 3.0

// limitsRows are the rows of the table.
func limitsRows() []limitsRow {
	var rows []limitsRow
	add := func(what string, c contention, policies ...policy) {
		if c.length == 0 {
			c.length, c.settled = 4*time.Minute, time.Minute
		}
		if c.shards == 0 {
			c.shards = 2
		}
		for _, size := range []int{50_000, 1_000} {
			for _, policy := range policies {
				c.recordSize, c.policy = size, policy
				if size < 10_000 && c.shards > 1 {
					c.shards = 1
				}
				rows = append(rows, limitsRow{what, c})
			}
		}
	}
	for _, producers := range []int{1, 5, 10, 50} {
		add("saturated", contention{producers: producers, demand: saturated, outstanding: time.Second},
			policyKPL, policyFixed, policyPaced)
	}
	add("saturated, others take 50 % of half of the shards",
		contention{producers: 10, demand: saturated, outstanding: time.Second, foreign: 0.5}, policyFixed, policyPaced)
	for _, demand := range []float64{0.3, 0.7, 0.95} {
		add(fmt.Sprintf("demand %.0f %%", demand*100), contention{producers: 10, demand: demand}, policyFixed, policyPaced)
	}
	add("demand 95 %", contention{producers: 50, demand: 0.95}, policyFixed, policyPaced)
	for _, producers := range []int{3, 10} {
		add("demand 70 % in bursts", contention{producers: producers, demand: 0.7, bursts: true}, policyFixed, policyPaced)
	}
	add("demand 120 %", contention{producers: 5, demand: 1.2}, policyFixed, policyPaced)
	for _, outstanding := range []time.Duration{time.Second, 5 * time.Second, 10 * time.Second} {
		add(fmt.Sprintf("demand 120 %%, at most %.0f s in the producer", outstanding.Seconds()),
			contention{producers: 5, demand: 1.2, outstanding: outstanding}, policyFixed, policyPaced)
	}
	add("restart with 10 s to send, demand 70 %",
		contention{producers: 5, demand: 0.7, backlog: 10 * time.Second, length: 2 * time.Minute}, policyFixed, policyPaced)
	add("split after a minute, demand 120 %",
		contention{producers: 5, demand: 1.2, splitAt: time.Minute, length: 3 * time.Minute}, policyFixed, policyPaced)
	add("all throttled for 30 s, demand 70 %", contention{
		producers: 5, demand: 0.7, stormAt: time.Minute, settled: 30 * time.Second, length: 4 * time.Minute,
	}, policyFixed, policyPaced)
	for _, greedy := range []float64{0.5, 1, 1.5} {
		add(fmt.Sprintf("greedy neighbor %.0f %%, demand 30 %%", greedy*100),
			contention{producers: 5, demand: 0.3, greedy: greedy}, policyFixed, policyPaced)
	}
	add("greedy neighbor 50 %, saturated",
		contention{producers: 5, demand: saturated, outstanding: time.Second, greedy: 0.5}, policyFixed, policyPaced)
	for _, random := range []float64{0.01, 0.05, 0.2} {
		add(fmt.Sprintf("%.0f %% throttled at random, demand 70 %%", random*100),
			contention{producers: 5, demand: 0.7, random: random}, policyFixed, policyPaced)
	}
	add("5 % throttled at random, saturated",
		contention{producers: 1, demand: saturated, outstanding: time.Second, random: 0.05}, policyFixed, policyPaced)
	return rows
}

func (p policy) String() string { return [...]string{"KPL", "fixed", "default"}[p] }

// prefix is what a row of the table begins with.
func (r *limitsRow) prefix() string {
	return fmt.Sprintf("| %s | %d | %d kB | %v |", r.what, r.producers, r.recordSize/1000, r.policy)
}

func (r *contentionResult) row() string {
	return fmt.Sprintf(" %.1f %% | %.1f %% | %.1f %% | %.2f s | %.2f s | %.1f %% | %.1f %% | %.2f %% | %.1f %% | %.3f |\n",
		r.goodput*100, r.wasted*100, r.firstMinute*100, r.p50.Seconds(), r.p99.Seconds(), r.over1*100, r.over5*100,
		r.expired*100, r.away*100, r.jain)
}

// TestContentionTable checks that the table of docs/limits.md has the right rows. With the flag that says where the page is,
// it makes the table and the plot anew instead.
func TestContentionTable(t *testing.T) {
	rows := limitsRows()
	if *limitsDocs == "" {
		document, err := os.ReadFile(filepath.Join("..", "docs", "limits.md"))
		require.NoError(t, err)
		for _, row := range rows {
			if !strings.Contains(string(document), row.prefix()) {
				assert.Fail(t, "make limits renews the table", row.prefix()) // without all of the document
			}
		}
		return
	}
	results := make([]contentionResult, len(rows))
	var running sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range rows {
		running.Go(func() {
			free <- struct{}{}
			results[i] = limitsRun(rows[i].contention)
			<-free
		})
	}
	running.Wait()
	table := limitsHeader
	for i := range rows {
		table += rows[i].prefix() + results[i].row()
	}
	table += "\n| records | 95 % of the shard after, on average | at most |\n|--:|--:|--:|\n"
	for _, size := range []int{50_000, 1_000} {
		mean, most := recovery(size)
		table += fmt.Sprintf("| %d kB | %.0f s | %.0f s |\n", size/1000, mean.Seconds(), most.Seconds())
	}
	renewLimits(t, table)
	plot := filepath.Join(*limitsDocs, "limits.svg")
	require.NoError(t, os.WriteFile(plot, []byte(limitsPlot(rows, results)), 0o600))
}

// limitsRun is the mean of several runs.
func limitsRun(c contention) contentionResult {
	var sum contentionResult
	for run := range uint64(limitsRuns) {
		one := c
		one.seed = limitsSeed + run
		r := one.run()
		for _, part := range []struct{ sum, one *float64 }{
			{&sum.goodput, &r.goodput},
			{&sum.wasted, &r.wasted},
			{&sum.firstMinute, &r.firstMinute},
			{&sum.over1, &r.over1},
			{&sum.over5, &r.over5},
			{&sum.expired, &r.expired},
			{&sum.away, &r.away},
			{&sum.jain, &r.jain},
		} {
			*part.sum += *part.one / limitsRuns
		}
		sum.p50, sum.p99 = sum.p50+r.p50/limitsRuns, sum.p99+r.p99/limitsRuns
	}
	return sum
}

// renewLimits puts the table into its document.
func renewLimits(t *testing.T, table string) {
	t.Helper()
	path := filepath.Join(*limitsDocs, "limits.md")
	document, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(document), limitsBegin)
	require.True(t, found)
	_, after, found := strings.Cut(rest, limitsEnd)
	require.True(t, found)
	require.NoError(t, os.WriteFile(path, []byte(before+limitsBegin+table+limitsEnd+after), 0o600))
}

// limitsPlot draws what is wasted and how late records are with records of 50 kB, for both policies side by side.
func limitsPlot(rows []limitsRow, results []contentionResult) string {
	const line, bar, gap = 34.0, 240.0, 310.0
	var svg strings.Builder
	labels := []string{
		"saturated", "demand 95 %", "demand 70 % in bursts", "demand 120 %, at most 1 s in the producer",
		"restart with 10 s to send, demand 70 %", "greedy neighbor 150 %, demand 30 %",
	}
	height := 60 + line*float64(len(labels))
	svg.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="11" `)
	fmt.Fprintf(&svg, `viewBox="0 0 900 %.0f">`+"\n", height)
	fmt.Fprintf(&svg, `<rect width="900" height="%.0f" fill="#fff"/>`+"\n", height)
	svg.WriteString(`<text x="10" y="20">50 kB records. Grey: fixed rate, blue: default</text>` + "\n")
	svg.WriteString(`<text x="260" y="20">throttled part of the attempts</text>` + "\n")
	fmt.Fprintf(&svg, `<text x="%.0f" y="20">p99 in seconds</text>`+"\n", 260+gap)
	seen := map[string]int{}
	for i, row := range rows {
		at := slices.Index(labels, row.what)
		if at < 0 || row.recordSize != 50_000 || row.policy == policyKPL || row.producers == 1 || seen[row.what] == 2 {
			continue
		}
		seen[row.what]++
		y, color := 34+line*float64(at), "#999"
		if row.policy == policyPaced {
			y, color = y+13, "#27c"
		} else {
			fmt.Fprintf(&svg, `<text x="10" y="%.0f">%s</text>`+"\n", y+10, row.what)
			fmt.Fprintf(&svg, `<text x="10" y="%.0f" fill="#777">%d producers</text>`+"\n", y+23, row.producers)
		}
		values := []string{fmt.Sprintf("%.1f %%", results[i].wasted*100), fmt.Sprintf("%.2f s", results[i].p99.Seconds())}
		for panel, part := range []float64{results[i].wasted, results[i].p99.Seconds() / 30} {
			x := 260 + gap*float64(panel)
			fmt.Fprintf(&svg, `<rect x="%.0f" y="%.0f" width="%.1f" height="11" fill="%s"/>`+"\n", x, y, max(1, bar*part), color)
			fmt.Fprintf(&svg, `<text x="%.1f" y="%.0f">%s</text>`+"\n", x+bar*part+5, y+10, values[panel])
		}
	}
	svg.WriteString("</svg>\n")
	return svg.String()
}
