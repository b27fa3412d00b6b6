// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// push is what pdata says about the data of one push.
type push struct {
	signal Signal
	// items is how many log records, spans, data points or samples there are. The encoded bytes must hold as many.
	items int
	// resources is how many resources there are. The encoded bytes must hold as many.
	resources int
	// attributes returns the attributes of a resource, from which partition keys are made.
	attributes func(resource int) pcommon.Map
	// metadata returns the values of a key of the client's metadata. Nil means that there is none.
	metadata func(key string) []string
	// records calls visit for each item, in order. It is nil if destinations do not depend on items, and for profiles, whose
	// samples have neither a trace id nor attributes of their own.
	records func(visit func(*record))

	// groups are what goes to each destination. There is at least one group. byItem says that their runs are items, not resources.
	groups []group
	byItem bool
	// keyless is set if keys are made of values, and nothing in the push has any of them.
	keyless bool
	// invalidHashKeys is how many items have an explicit hash key that is none.
	invalidHashKeys int
}

// eachRecord calls visit for each item, in order. Where items do not matter, it calls visit for each resource.
func (p *push) eachRecord(visit func(*record)) {
	if p.records != nil {
		p.records(visit)
		return
	}
	r := record{attributes: pcommon.NewMap()}
	for r.resource = range p.resources {
		visit(&r)
	}
}

// checkCount compares what was found in the encoded bytes with what pdata says. So no item is ever lost in silence.
func (p *push) checkCount(resources, items int) error {
	if items != p.items || resources != p.resources {
		return fmt.Errorf("marshaler: cut %s: found %d items of %d resources, expected %d of %d",
			p.signal, items, resources, p.items, p.resources)
	}
	return nil
}
