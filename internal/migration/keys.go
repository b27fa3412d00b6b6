// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package migration

import (
	"reflect"
	"slices"
	"strings"
)

// Keys returns the full names of the keys that a configuration of type t can have in YAML, such as "sending_queue::queue_size".
// A block of keys stands in the list too, before its keys.
func Keys(t reflect.Type) []string {
	return appendKeys(nil, "", t, nil)
}

func appendKeys(keys []string, prefix string, t reflect.Type, outer []reflect.Type) []string {
	t = inner(t)
	if t.Kind() != reflect.Struct {
		return keys
	}
	if slices.Contains(outer, t) {
		return keys // a type that refers to itself
	}
	outer = append(outer, t)
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		switch {
		case strings.Contains(options, "squash"):
			keys = appendKeys(keys, prefix, field.Type, outer)
		case name != "" && name != "-":
			keys = append(keys, prefix+name)
			keys = appendKeys(keys, prefix+name+"::", field.Type, outer)
		}
	}
	return keys
}

// inner returns what a pointer or an optional value of type t holds.
func inner(t reflect.Type) reflect.Type {
	for {
		switch {
		case t.Kind() == reflect.Pointer:
			t = t.Elem()
		case t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Optional["):
			value, found := t.FieldByName("value")
			if !found {
				return t
			}
			t = value.Type
		default:
			return t
		}
	}
}
