// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// The decoders, see read.py.
const (
	decodeProto        = "otlp_proto"
	decodeLines        = "lines"
	decodeDocument     = "document"
	decodeProtobufJSON = "protobuf_json"
)

// column is a column of the table: some kinds of records, and how readers decode them.
type column struct {
	title   string
	decoder string // of JSON; protobuf has its own
	has     func(w *written) bool
}

// columns returns the columns of the table.
func columns() []column {
	var all []column
	for _, format := range []kpl.AggregationFormat{kpl.AggregationKPL, kpl.AggregationConcatenated, kpl.AggregationNone} {
		plain := func(e marshaler.Encoding) func(w *written) bool {
			return func(w *written) bool {
				return w.format == format && w.encoding == e && w.compression == marshaler.NoCompression
			}
		}
		name := string(format)
		all = append(all,
			column{name + ": protobuf", "", plain(marshaler.OTLPProto)},
			column{"JSON", decodeLines, plain(marshaler.OTLPJSON)},
		)
		if format == kpl.AggregationConcatenated {
			all = append(all, column{"JSON as one document", decodeDocument, plain(marshaler.OTLPJSON)})
		}
		if format == kpl.AggregationNone {
			all = append(all, column{"JSON by protobuf", decodeProtobufJSON, plain(marshaler.OTLPJSON)})
		}
		all = append(all, column{"compressed", decodeLines, func(w *written) bool {
			return w.format == format && w.compression != marshaler.NoCompression
		}})
	}
	return all
}

// decoderOf returns how readers decode the records of a kind.
func (c *column) decoderOf(w *written) string {
	if w.encoding == marshaler.OTLPProto {
		return decodeProto
	}
	return c.decoder
}

// reader is a row of the table.
type reader struct {
	name string
	key  string // what the program calls it
	read func(testing.TB, []ToRead) []Reading
}

// readers returns the rows of the table but that of kinesistail. Versions are those that `make peers` installs.
func readers(t *testing.T) []reader {
	npm := func(name string) string { return version(t, "package.json", `"`+name+`": "(.*)"`) }
	pypi := func(name string) string { return version(t, "requirements.txt", `(?m)^`+name+`==(\S+)`) }
	maven := func(name string) string {
		return version(t, filepath.Join("java", "pom.xml"), `<artifactId>`+name+`</artifactId>\s*<version>(.*)</version>`)
	}
	return []reader{
		{"Go: `kpl.DeaggregateRecord`, `marshaler.Decompress`, pdata", "", inGo(readWithLibraries)},
		{"Go: pdata's unmarshalers", "", inGo(readWithPdata)},
		{"Go: protobuf", "", inGo(readWithProtobuf)},
		{"Java: `AggregatorUtil` of KCL " + maven("amazon-kinesis-client") + ", protobuf", "kcl", ReadInJava},
		{"Java: protobuf " + maven("protobuf-java-util"), "", ReadInJava},
		{"JavaScript: aws-kinesis-agg " + npm("aws-kinesis-agg") + ", protobufjs", "aws-kinesis-agg", ReadInNode},
		{"JavaScript: protobufjs", "", ReadInNode},
		{"Python: aws-kinesis-agg " + pypi("aws-kinesis-agg") + ", protobuf", "aws_kinesis_agg", ReadInPython},
		{"Python: Powertools " + pypi("aws-lambda-powertools") + ", protobuf " + pypi("protobuf"), "powertools", ReadInPython},
	}
}

// version returns what a pattern captures in a file of testdata/peers.
func version(t *testing.T, file, pattern string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root(t), "testdata", "peers", file))
	require.NoError(t, err)
	match := regexp.MustCompile(pattern).FindSubmatch(text)
	require.NotNil(t, match, pattern)
	return string(match[1])
}

// What a reader made of records.
const (
	readAll       = "yes"        // every item, once, and nothing else
	readFirstLine = "first line" // of each record, without an error
	readWrongIDs  = "wrong ids"  // every item, but its trace id is wrong, without an error
	readNone      = "no"         // an error for each record
)

// outcome says what a reader made of the records of one kind. Anything that the table has no word for fails the test.
func (w *written) outcome(t *testing.T, readings []Reading) string {
	t.Helper()
	var items []string
	failed := 0
	for _, r := range readings {
		items = append(items, r.Items...)
		if r.Error != "" {
			failed++
		}
	}
	slices.Sort(items)
	switch {
	case failed == len(readings):
		return readNone
	case failed > 0:
	case len(items) == 0:
	case slices.Equal(items, sorted(w.items)):
		return readAll
	case slices.Equal(items, sorted(w.firstLines(t))):
		return readFirstLine
	case slices.Equal(withoutIDs(items), withoutIDs(w.items)):
		return readWrongIDs
	}
	t.Errorf("%d of %d records of %s, %s, %s failed, and there are %d items: %.2000v",
		failed, len(readings), w.format, w.encoding, w.compression, len(items), readings)
	return "?"
}

func sorted(items []string) []string { return slices.Sorted(slices.Values(items)) }

// withoutIDs returns the names of items, sorted.
func withoutIDs(items []string) []string {
	names := make([]string, len(items))
	for i, item := range items {
		names[i], _, _ = strings.Cut(item, "|")
	}
	slices.Sort(names)
	return names
}

// row returns the cells of a reader.
func (r *reader) row(t *testing.T, kinds []*written) []string {
	t.Helper()
	var all []ToRead
	each(columns(), kinds, func(c column, w *written) {
		for _, record := range w.records {
			record.Reader, record.Decoder = r.key, c.decoderOf(w)
			all = append(all, record)
		}
	})
	readings := r.read(t, all)
	cells := make([]string, 0, len(columns()))
	for _, c := range columns() {
		words := map[string][]string{}
		each([]column{c}, kinds, func(_ column, w *written) {
			n := len(w.records)
			word := w.outcome(t, readings[:n])
			readings = readings[n:]
			words[word] = append(words[word], w.detail())
		})
		cells = append(cells, cell(words))
	}
	return cells
}

// each calls do for the kinds of each column.
func each(columns []column, kinds []*written, do func(column, *written)) {
	for _, c := range columns {
		for _, w := range kinds {
			if c.has(w) {
				do(c, w)
			}
		}
	}
}

// cell returns the text for outcomes: a word if there is only one, otherwise each with what it is for.
func cell(words map[string][]string) string {
	var texts []string
	for word, details := range words {
		if len(words) > 1 {
			word += " (" + strings.Join(details, ", ") + ")"
		}
		texts = append(texts, word)
	}
	if len(texts) == 0 {
		return notWritten
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

// notWritten is the cell for what the exporter does not write, or what a reader cannot be told to do.
const notWritten = "–"

// tailRow returns the cells of kinesistail, which chooses its decoder itself.
func tailRow(t *testing.T, kinds []*written, items []string) []string {
	t.Helper()
	cells := make([]string, 0, len(columns()))
	for _, c := range columns() {
		words := map[string][]string{}
		each([]column{c}, kinds, func(c column, w *written) {
			if c.decoder == decodeDocument || c.decoder == decodeProtobufJSON {
				return
			}
			var own []string
			for _, item := range items {
				if slices.ContainsFunc(w.names, func(name string) bool { return strings.HasPrefix(item, name) }) {
					own = append(own, item)
				}
			}
			word := w.outcome(t, []Reading{{Items: own}})
			words[word] = append(words[word], w.detail())
		})
		cells = append(cells, cell(words))
	}
	return cells
}

var renewReaders = flag.Bool("readers.renew", false, "write the table of docs/readers.md instead of comparing with it")

// TestReaders reads records of all kinds with all readers, item by item, and compares the outcome with the table in
// docs/readers.md.
func TestReaders(t *testing.T) {
	kinds, endpoint := writeKinds(Context(t), t)
	rows := [][]string{{"reader"}, {"---"}}
	for _, c := range columns() {
		rows[0], rows[1] = append(rows[0], c.title), append(rows[1], "---")
	}
	path := filepath.Join(Root(t), "docs", "readers.md")
	document, err := os.ReadFile(path)
	require.NoError(t, err)
	tried := func(name string, cells func(t *testing.T) []string) {
		done := t.Run(name, func(t *testing.T) {
			row := append([]string{name}, cells(t)...)
			rows = append(rows, row)
			if !*renewReaders {
				assert.Contains(t, string(document), line(row), "make readers renews the table")
			}
		})
		require.True(t, done || !*renewReaders)
	}
	tried("kinesistail", func(t *testing.T) []string { return tailRow(t, kinds, tail(Context(t), t, endpoint)) })
	for _, r := range readers(t) {
		tried(r.name, func(t *testing.T) []string { return r.row(t, kinds) })
	}
	if *renewReaders {
		require.NoError(t, os.WriteFile(path, []byte(withTable(t, string(document), rows)), 0o600))
		return
	}
	assert.Contains(t, string(document), line(rows[0])+line(rows[1]))
	require.Equal(t, len(readers(t))+3, strings.Count(tableOf(t, string(document)), "\n"), "rows of readers that there are not")
}

// line returns a row of a table.
func line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// The marks around the table.
const tableBegin, tableEnd = "<!-- table of make readers -->\n", "<!-- end of the table -->\n"

func tableOf(t *testing.T, document string) string {
	t.Helper()
	_, rest, found := strings.Cut(document, tableBegin)
	require.True(t, found)
	table, _, found := strings.Cut(rest, tableEnd)
	require.True(t, found)
	return table
}

func withTable(t *testing.T, document string, rows [][]string) string {
	t.Helper()
	var table strings.Builder
	for _, row := range rows {
		fmt.Fprint(&table, line(row))
	}
	return strings.Replace(document, tableBegin+tableOf(t, document), tableBegin+table.String(), 1)
}
