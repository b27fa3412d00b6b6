// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"errors"
	"fmt"
)

// keyErrors gathers what is wrong with keys: one error for each key, and none that only follows from an error of another key.
type keyErrors struct {
	wrong map[string]bool
	list  []error
}

// add notes what is wrong with a key. Related are the keys that its limits come from.
func (e *keyErrors) add(key string, related []string, format string, args ...any) {
	if e.wrong[key] {
		return
	}
	for _, other := range related {
		if e.wrong[other] {
			return
		}
	}
	if e.wrong == nil {
		e.wrong = map[string]bool{}
	}
	e.wrong[key] = true
	e.list = append(e.list, fmt.Errorf(key+" "+format, args...))
}

// join returns all of them as one error, nil if there are none.
func (e *keyErrors) join() error { return errors.Join(e.list...) }
