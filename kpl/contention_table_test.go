package kpl

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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
	limitsHeader = "| producers | shards | records | others | greedy | at random | policy " +
		"| goodput | wasted | Jain | after a split |\n" +
		"|--:|--:|--:|--:|--:|--:|---|--:|--:|--:|--:|\n"
	limitsSeed = 7_000 // the limiter was not tuned with runs of this seed
)

// limitsRows are the rows of the table, each for both policies.
func limitsRows() []contention {
	var rows []contention
	both := func(c contention) {
		if c.recordSize == 0 {
			c.recordSize = 50_000
		}
		rows = append(rows, c)
		c.learns = true
		rows = append(rows, c)
	}
	for _, shards := range []int{1, 16, 256} {
		for _, producers := range []int{1, 10, 50} {
			both(contention{producers: producers, shards: shards})
		}
	}
	for _, producers := range []int{1, 10, 50} {
		both(contention{producers: producers, shards: 16, foreign: 0.5})
	}
	for _, producers := range []int{1, 10, 50} {
		both(contention{producers: producers, shards: 2, recordSize: 1_000})
	}
	for _, random := range []float64{0.01, 0.05, 0.2} {
		both(contention{producers: 1, shards: 8, random: random})
		both(contention{producers: 1, shards: 1, recordSize: 1_000, random: random})
	}
	both(contention{producers: 10, shards: 8, random: 0.1})
	for _, greedy := range []float64{0.5, 1, 1.5} {
		both(contention{producers: 1, shards: 8, greedy: greedy})
	}
	return rows
}

// prefix is what a row of the table begins with.
func (c *contention) prefix() string {
	policy := "150 %"
	if c.learns {
		policy = "learns"
	}
	return fmt.Sprintf("| %d | %d | %d kB | %.0f %% | %.0f %% | %.0f %% | %s |",
		c.producers, c.shards, c.recordSize/1000, c.foreign*100, c.greedy*100, c.random*100, policy)
}

// limitsResult is what a row says.
type limitsResult struct {
	contentionResult
	split string
}

// limitsRun fills a row in. The fixed rate does not change with time, so a shorter run is enough for it.
func limitsRun(row contention) limitsResult {
	steady, split := row, row
	split.seed = limitsSeed
	switch {
	case !row.learns:
		steady.length, steady.settled = 4*time.Second, 2*time.Second
	case row.random > 0 || row.greedy > 0:
		steady.length = 30 * time.Minute
	default:
		steady.length, steady.settled = 15*time.Minute, 10*time.Minute
	}
	result := limitsResult{split: "never"}
	groups := max(1, row.shards/16) // lanes do not influence each other, and a run with few shards is faster
	for group := range groups {
		c := steady
		c.shards, c.seed = row.shards/groups, uint64(limitsSeed+group)
		c.run()
		r := c.measure()
		result.goodput += r.goodput / float64(groups)
		result.wasted += r.wasted / float64(groups)
		result.jain += r.jain / float64(groups)
	}
	split.shards = min(row.shards, 2)
	split.splitAt, split.length = 6*time.Minute, 9*time.Minute
	if !row.learns {
		split.splitAt, split.length = 2*time.Second, 13*time.Second
	}
	split.run()
	if after, ok := split.convergence(split.shards, 3*split.shards, split.splitAt); ok {
		result.split = fmt.Sprintf("%.0f s", after.Seconds())
	}
	return result
}

// TestContentionTable checks that the table of docs/limits.md has the right rows. With the flag that says where the page is,
// it makes the table and the plot anew instead.
func TestContentionTable(t *testing.T) {
	rows := limitsRows()
	if *limitsDocs == "" {
		document, err := os.ReadFile(filepath.Join("..", "docs", "limits.md"))
		require.NoError(t, err)
		for _, row := range rows {
			assert.Contains(t, string(document), row.prefix(), "make limits renews the table")
		}
		return
	}
	results := make([]limitsResult, len(rows))
	var running sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, row := range rows {
		running.Go(func() {
			free <- struct{}{}
			results[i] = limitsRun(row)
			<-free
		})
	}
	running.Wait()
	table := limitsHeader
	for i, row := range rows {
		r := results[i]
		table += fmt.Sprintf("%s %.1f %% | %.2f %% | %.3f | %s |\n", row.prefix(), r.goodput*100, r.wasted*100, r.jain, r.split)
	}
	table += "\n| share at first | 50 kB records: 95 % of the shard after | 1 kB records |\n|--:|--:|--:|\n"
	for _, share := range []float64{0.02, 0.1, 0.5} {
		table += fmt.Sprintf("| %.0f %% | %.0f s | %.0f s |\n",
			share*100, limitsRecovery(share, 50_000).Seconds(), limitsRecovery(share, 1_000).Seconds())
	}
	table += "\n| throttled at random | for | 95 % of the shard after that |\n|--:|--:|--:|\n"
	for _, burst := range []contention{
		{random: 0.2, randomFor: 5 * time.Second},
		{random: 0.2, randomFor: 20 * time.Second},
		{random: 0.5, randomFor: 30 * time.Second},
		{random: 0.5, randomFor: time.Minute},
	} {
		table += fmt.Sprintf("| %.0f %% | %.0f s | %.0f s |\n",
			burst.random*100, burst.randomFor.Seconds(), limitsAfterBurst(burst).Seconds())
	}
	renewLimits(t, table)
	plot := filepath.Join(*limitsDocs, "limits.svg")
	require.NoError(t, os.WriteFile(plot, []byte(limitsPlot(rows, results)), 0o600))
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

// limitsAfterBurst returns how long producers take to reach 95 % of their shards after throttling at random has ended.
func limitsAfterBurst(c contention) time.Duration {
	c.producers, c.shards, c.recordSize, c.learns, c.seed = 1, 4, 50_000, true, limitsSeed
	for c.length = 2 * c.randomFor; ; c.length *= 2 {
		attempt := c
		attempt.run()
		if after, ok := attempt.convergence(0, c.shards, c.randomFor); ok {
			return after
		}
	}
}

// limitsRecovery is how long a producer that has a shard for itself takes from the given share to 95 % of it.
func limitsRecovery(share float64, size int) time.Duration {
	const longest, window = time.Hour, 5 * time.Second
	c := &contention{producers: 1, shards: 1, recordSize: size, startShare: share, learns: true, length: longest}
	c.run()
	from := time.Duration(0)
	for from+window < longest && c.window(0, 1, from, from+window).goodput < 0.95 {
		from += time.Second
	}
	return from
}

// limitsPlot draws two plots side by side: what is wasted, and how fair it is. Both are for 16 shards without other writers.
func limitsPlot(rows []contention, results []limitsResult) string {
	const width, height, gap = 44.0, 160.0, 330.0
	var svg strings.Builder
	svg.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 230" font-family="sans-serif" font-size="10">` + "\n")
	svg.WriteString(`<rect width="680" height="230" fill="#fff"/>` + "\n")
	for panel, title := range []string{"wasted attempts", "Jain index"} {
		left, bars := 20+float64(panel)*gap, 0
		fmt.Fprintf(&svg, `<text x="%.0f" y="16">%s (grey: fixed 150 %%, blue: learns)</text>`+"\n", left, title)
		for i, row := range rows {
			if row.shards != 16 || row.foreign > 0 {
				continue
			}
			value, color, label := results[i].wasted, "#999", ""
			if panel == 1 {
				value = results[i].jain
			}
			if row.learns {
				color, label = "#27c", fmt.Sprintf("%d producers", row.producers)
			}
			x := left + float64(bars)*width + float64(bars/2)*8
			fmt.Fprintf(&svg, `<rect x="%.1f" y="%.1f" width="%.0f" height="%.1f" fill="%s"/>`+"\n",
				x, 40+height*(1-value), width-2, height*value, color)
			fmt.Fprintf(&svg, `<text x="%.1f" y="%.1f">%.3f</text>`+"\n", x+6, 36+height*(1-value), value)
			fmt.Fprintf(&svg, `<text x="%.1f" y="216">%s</text>`+"\n", x-30, label)
			bars++
		}
	}
	svg.WriteString("</svg>\n")
	return svg.String()
}
