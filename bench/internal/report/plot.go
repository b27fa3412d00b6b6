// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"html"
	"strings"
)

// Bar is a variant that the plot shows.
type Bar struct {
	Label                string
	Compression, Variant string
	Color                string
}

// Lengths of the plot, in its units.
const (
	plotWidth   = 860
	labelWidth  = 250
	barHeight   = 16
	barPitch    = 20
	panelHead   = 30
	panelGap    = 14
	plotHead    = 34
	valueMargin = 120
)

// Plot returns an SVG with a panel of horizontal bars for each shape: the CPU time of a million items.
func Plot(title string, shapes []string, bars []Bar, rows []Row) []byte {
	var body bytes.Buffer
	y := plotHead
	for _, shape := range shapes {
		y = panel(&body, y, shape, bars, rows)
	}
	var svg bytes.Buffer
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" `+
		`font-size="12" fill="#24292f">`+"\n", plotWidth, y)
	fmt.Fprintf(&svg, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", plotWidth, y)
	text(&svg, 10, 22, `font-size="15" font-weight="600"`, title)
	svg.Write(body.Bytes())
	svg.WriteString("</svg>\n")
	return svg.Bytes()
}

// panel draws the bars of a shape from y on, and returns the y at their end.
func panel(w *bytes.Buffer, y int, shape string, bars []Bar, rows []Row) int {
	longest := 0.0
	found := map[string]*Row{}
	for i := range rows {
		for _, b := range bars {
			if r := &rows[i]; r.Shape == shape && r.Compression == b.Compression && r.Variant == b.Variant {
				found[b.Label] = r
				longest = max(longest, r.CPUSecondsPerMillion)
			}
		}
	}
	text(w, 10, y+18, `font-weight="600"`, shape)
	y += panelHead
	for _, b := range bars {
		r := found[b.Label]
		if r == nil {
			continue
		}
		text(w, labelWidth-8, y+12, `text-anchor="end"`, b.Label)
		width := r.CPUSecondsPerMillion / longest * (plotWidth - labelWidth - valueMargin)
		fmt.Fprintf(w, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", labelWidth, y, width, barHeight, b.Color)
		value := number(&r.CPUSecondsPerMillion, 2) + " s"
		if r.CPURatio != nil && !strings.HasPrefix(b.Variant, "awskinesis") {
			value += fmt.Sprintf(" (%.2f×)", *r.CPURatio)
		}
		text(w, labelWidth+int(width)+6, y+12, "", value)
		y += barPitch
	}
	return y + panelGap
}

func text(w *bytes.Buffer, x, y int, attributes, content string) {
	fmt.Fprintf(w, `<text x="%d" y="%d" %s>%s</text>`+"\n", x, y, attributes, html.EscapeString(content))
}
