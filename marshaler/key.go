// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// keyer says where the items of a push go.
type keyer struct {
	static string
	// buckets are those of traces; nil if trace ids make no keys.
	buckets []destination
	// The names of what makes keys are sorted, so that their order in the configuration does not matter.
	resourceNames []string
	recordNames   []string
	metadataKeys  []string
	// hashKeyName is [KeyConfig.ExplicitHashKeyAttribute].
	hashKeyName string
	// route is [Config.Route].
	route func(pcommon.Map) string
}

// newKeyer returns a keyer for a valid configuration.
func newKeyer(c *Config) keyer {
	k := keyer{
		static:        c.Key.Static,
		resourceNames: slices.Sorted(slices.Values(c.Key.ResourceAttributes)),
		recordNames:   slices.Sorted(slices.Values(c.Key.RecordAttributes)),
		metadataKeys:  slices.Sorted(slices.Values(lowered(c.Key.MetadataKeys))),
		hashKeyName:   c.Key.ExplicitHashKeyAttribute,
		route:         c.Route,
	}
	if n := c.Key.buckets(); n > 0 {
		k.buckets = newBuckets(n)
	}
	return k
}

// isDigest reports whether keys are hashes of values.
func (k *keyer) isDigest() bool {
	return len(k.resourceNames)+len(k.recordNames)+len(k.metadataKeys) > 0
}

// readsItems reports whether destinations differ between the items of a resource.
func (k *keyer) readsItems() bool {
	return k.buckets != nil || len(k.recordNames) > 0 || k.hashKeyName != ""
}

// readsResources reports whether destinations depend on attributes of resources.
func (k *keyer) readsResources() bool {
	return len(k.resourceNames) > 0 || k.hashKeyName != "" || k.route != nil
}

// namesOfResources returns the names of the attributes of resources that destinations depend on. Nil means all.
func (k *keyer) namesOfResources() []string {
	switch {
	case k.route != nil:
		return nil
	case k.hashKeyName != "":
		return append(slices.Clip(k.resourceNames), k.hashKeyName)
	}
	return k.resourceNames
}

// namesOfItems returns the names of the attributes of items that destinations depend on.
func (k *keyer) namesOfItems() []string {
	if k.hashKeyName != "" {
		return append(slices.Clip(k.recordNames), k.hashKeyName)
	}
	return k.recordNames
}

// group puts the push into groups by destination. The groups are in the order in which their destinations first appear. The
// push must have items.
func (k *keyer) group(p *push, g *grouper) {
	g.reset()
	switch { // these take copies, so that a push without groups takes no memory
	case k.buckets != nil:
		k.groupTraces(*p, g)
	case k.isDigest() || k.readsResources():
		k.groupValues(*p, g)
	default:
		g.add(destination{key: k.static})
	}
	p.groups, p.byItem = g.finish(), p.records != nil
	p.keyless, p.invalidHashKeys = g.keyless, g.invalidHashKeys
}
