// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

// prices are in US dollars. A GB has 2^30 bytes.
type prices struct {
	shardHour    float64 // provisioned
	millionUnits float64 // provisioned, for a million PUT payload units

	streamHour float64 // on-demand standard
	in, out    float64 // on-demand standard, for a GB

	advantageIn, advantageOut float64 // on-demand advantage, for a GB
	// advantageFloor is the least rate that on-demand advantage bills an account for, in bytes a second, in and out.
	advantageFloor float64
}

// listPrices returns what AWS's list of prices for Kinesis Data Streams said for us-east-1 in 2026. They differ by region, and
// may have changed: https://aws.amazon.com/kinesis/data-streams/pricing.
func listPrices() prices {
	return prices{
		shardHour: 0.015, millionUnits: 0.014,
		streamHour: 0.04, in: 0.08, out: 0.04,
		advantageIn: 0.032, advantageOut: 0.016, advantageFloor: 25 << 20,
	}
}

// bill is what a month costs by mode of the stream, in US dollars. Retention of more than 24 hours and enhanced fan-out are not
// in it.
type bill struct {
	shards, units float64 // the parts of provisioned
	provisioned   float64
	standard      float64
	advantage     float64 // if this stream were the only one of the account
}

// newBill returns the bill of a month of that many hours. Each reader reads all bytes.
func newBill(p plan, readers, hours float64, price prices) bill {
	const gb = 1 << 30
	seconds := hours * 3600
	gbOf := func(rate float64) float64 { return rate * seconds / gb }
	b := bill{
		shards:   p.shards * hours * price.shardHour,
		units:    p.units * seconds / 1e6 * price.millionUnits,
		standard: hours*price.streamHour + gbOf(p.billed)*price.in + gbOf(p.bytes*readers)*price.out,
		advantage: gbOf(max(p.billed, price.advantageFloor))*price.advantageIn +
			gbOf(max(p.bytes*readers, price.advantageFloor))*price.advantageOut,
	}
	b.provisioned = b.shards + b.units
	return b
}
