// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

var operateDocs = flag.String("operate.docs", "", "the directory in which TestDashboardAndAlertsInTrouble renews operate.svg")

// Lengths of the picture, in its units. Those of a panel are units of Grafana's grid.
const (
	gridWidth, gridHeight = 40, 17
	pictureWidth          = 24 * gridWidth
	alertHeight           = 14
	alertsHead            = 30
)

// colors are those of the lines of a panel.
var colors = []string{"#3274d9", "#e0752d", "#56a64b", "#a352cc", "#e02f44", "#8f8f1c", "#14a3a3", "#777"}

// unitNames are those of Grafana's units.
var unitNames = strings.NewReplacer(
	"short", "", "cps", "per s", "percentunit", "of 1", "currencyUSD", "USD", "Bps", "bytes per s",
)

// picture draws what a Prometheus has found, as the dashboard shows it.
type picture struct {
	svg        strings.Builder
	begin, end time.Time
	top        int // where the panels begin
}

// newPicture returns a picture with a bar for each time that an alert fired.
func newPicture(begin, end time.Time, alerts []series, rows int) *picture {
	p := &picture{begin: begin, end: end}
	slices.SortFunc(alerts, func(a, b series) int {
		return cmp.Or(cmp.Compare(seconds(a.Values[0]), seconds(b.Values[0])),
			cmp.Compare(a.Metric["alertname"], b.Metric["alertname"]))
	})
	p.top = alertsHead + alertHeight*len(alerts) + 10
	height := p.top + rows*gridHeight
	fmt.Fprintf(&p.svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="9">`+"\n",
		pictureWidth, height)
	fmt.Fprintf(&p.svg, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", pictureWidth, height)
	p.text(8, 18, 13, "#111", "Alerts that fire")
	for i, alert := range alerts {
		y := alertsHead + alertHeight*i
		p.text(8, y+10, 10, "#111", alert.Metric["alertname"])
		for _, sample := range alert.Values {
			x := 180 + p.along(sample, pictureWidth-190)
			fmt.Fprintf(&p.svg, `<rect x="%d" y="%d" width="6" height="10" fill="#e02f44"/>`+"\n", x, y+2)
		}
	}
	return p
}

func (p *picture) text(x, y, size int, color, text string) {
	fmt.Fprintf(&p.svg, `<text x="%d" y="%d" font-size="%d" fill="%s">%s</text>`+"\n", x, y, size, color, html.EscapeString(text))
}

// along is where a sample lies on an axis of time with a length.
func (p *picture) along(sample [2]any, length int) int {
	return int(float64(length) * (seconds(sample) - float64(p.begin.Unix())) / max(p.end.Sub(p.begin).Seconds(), 1))
}

func seconds(sample [2]any) float64 {
	at, _ := sample[0].(float64)
	return at
}

func value(sample [2]any) float64 {
	text, _ := sample[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) {
		return 0
	}
	return v
}

// named is a series with its legend.
type named struct {
	series

	legend string
}

// draw draws a panel with its series, or the head of a row.
func (p *picture) draw(of panel, all []named) {
	x, y := of.GridPos.X*gridWidth, p.top+of.GridPos.Y*gridHeight
	width, height := of.GridPos.W*gridWidth-8, of.GridPos.H*gridHeight-6
	if of.Type == "row" {
		p.text(8, y+13, 13, "#111", of.Title)
		return
	}
	fmt.Fprintf(&p.svg, `<rect x="%d" y="%d" width="%d" height="%d" fill="#fafafa" stroke="#ddd"/>`+"\n", x+2, y, width, height)
	p.text(x+8, y+12, 10, "#111", of.Title)
	highest := 0.0
	for _, s := range all {
		for _, sample := range s.Values {
			highest = max(highest, value(sample))
		}
	}
	unit := unitNames.Replace(of.FieldConfig.Defaults.Unit)
	p.text(x+8, y+23, 8, "#777", strconv.FormatFloat(highest, 'g', 3, 64)+" "+unit)
	legends := 0
	for i, s := range all {
		color := colors[i%len(colors)]
		var points strings.Builder
		for j, sample := range s.Values {
			if j%2 == 0 || j == len(s.Values)-1 {
				fmt.Fprintf(&points, "%d,%d ", x+8+p.along(sample, width-16),
					y+height-18-int(float64(height-48)*value(sample)/max(highest, 1e-9)))
			}
		}
		fmt.Fprintf(&p.svg, `<polyline fill="none" stroke="%s" points="%s"/>`+"\n", color, strings.TrimSpace(points.String()))
		if room := width - 16 - legends; room > 5*len(s.legend) {
			p.text(x+8+legends, y+height-6, 8, color, s.legend)
			legends += 5*len(s.legend) + 8
		}
	}
}

// String returns the picture as SVG.
func (p *picture) String() string { return p.svg.String() + "</svg>\n" }

// legendOf fills the labels of a series into the legend of its target.
func legendOf(format string, labels map[string]string) string {
	for label, value := range labels {
		format = strings.ReplaceAll(format, "{{"+label+"}}", strings.Replace(value, "shardId-000000000", "shard ", 1))
	}
	return format
}
