// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "google.golang.org/protobuf/encoding/protowire"

// deprecatedScopes is the field of a resource in which old writers put the scopes.
const deprecatedScopes = 1000

// migrate returns a request with all scopes in the field that OTLP has for them today. Receivers of the Collector do the same:
// where a resource has scopes in that field, the old ones do not count. Bytes without old ones, and malformed ones, stay.
func migrate(otlp []byte) []byte {
	found := false
	ok := eachRawField(otlp, func(number protowire.Number, wire protowire.Type, _, content []byte) {
		found = found || number == 1 && wire == protowire.BytesType && hasOldScopes(content)
	})
	if !ok || !found {
		return otlp
	}
	out := make([]byte, 0, len(otlp))
	eachRawField(otlp, func(number protowire.Number, wire protowire.Type, field, content []byte) {
		if number == 1 && wire == protowire.BytesType && hasOldScopes(content) {
			field = appendBytes(nil, 1, migrateResource(content))
		}
		out = append(out, field...)
	})
	return out
}

// hasOldScopes reports whether the content of a resource with its scopes has any in the old field.
func hasOldScopes(content []byte) bool {
	old := false
	ok := eachRawField(content, func(number protowire.Number, wire protowire.Type, _, _ []byte) {
		old = old || number == deprecatedScopes && wire == protowire.BytesType
	})
	return ok && old
}

// migrateResource returns the content of a resource with its scopes without the old field.
func migrateResource(content []byte) []byte {
	current := false
	eachRawField(content, func(number protowire.Number, _ protowire.Type, _, _ []byte) { current = current || number == 2 })
	var out []byte
	eachRawField(content, func(number protowire.Number, wire protowire.Type, field, content []byte) {
		switch {
		case number != deprecatedScopes || wire != protowire.BytesType:
			out = append(out, field...)
		case !current:
			out = appendBytes(out, 2, content)
		}
	})
	return out
}

// eachRawField calls visit for each field of a message that anybody may have written, groups included. The content is what stands
// behind tag and length. It returns false for malformed bytes.
func eachRawField(data []byte, visit func(number protowire.Number, wire protowire.Type, field, content []byte)) bool {
	for len(data) > 0 {
		number, wire, n := protowire.ConsumeField(data)
		if n < 0 {
			return false
		}
		field, content := data[:n], []byte(nil)
		if wire == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(field)
			content, _ = protowire.ConsumeBytes(field[tag:])
		}
		visit(number, wire, field, content)
		data = data[n:]
	}
	return true
}
