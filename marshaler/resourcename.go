// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// naming are the resource attributes that name a resource best, the best first.
var naming = []string{
	"service.name", "k8s.pod.name", "k8s.deployment.name", "container.name", "host.name", "faas.name", "service.instance.id",
}

// maxName is how many bytes of a value a name has at most.
const maxName = 128

// nameOf returns the attribute that names a resource best, such as "service.name=checkout". It returns "" if there is none.
func nameOf(attributes pcommon.Map) string {
	for _, key := range naming {
		if value, ok := attributes.Get(key); ok && value.Type() == pcommon.ValueTypeStr && value.Str() != "" {
			text := value.Str()
			return key + "=" + strings.ToValidUTF8(text[:min(len(text), maxName)], replacement)
		}
	}
	return ""
}
