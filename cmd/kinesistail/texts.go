// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
)

// text is a string, number or boolean of a payload.
type text struct {
	in   string // field that has it: logRecords, spans, resource, attributes
	name string // key of an attribute, or name of a field
	of   string // the value
}

func (t text) String() string { return t.name + "=" + t.of }

// errStop is returned by a function that wants no more texts.
var errStop = errors.New("stop")

// eachText calls yield for each text of OTLP in JSON, in their order, until yield returns false.
func eachText(payload []byte, yield func(text) bool) error {
	w := textWalker{json.NewDecoder(bytes.NewReader(payload)), yield}
	w.tokens.UseNumber()
	if err := w.value("", ""); err != nil && !errors.Is(err, errStop) {
		return fmt.Errorf("read the payload: %w", err)
	}
	return nil
}

type textWalker struct {
	tokens *json.Decoder
	yield  func(text) bool
}

// value reads a value: that of a field of in.
func (w textWalker) value(in, field string) error {
	token, err := w.tokens.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			for w.tokens.More() {
				if err := w.value(in, field); err != nil {
					return err
				}
			}
		} else if err := w.object(in, field); err != nil {
			return err
		}
		_, err = w.tokens.Token() // the end
		return err
	case nil:
		return nil
	default:
		if !w.yield(text{in, field, fmt.Sprint(token)}) {
			return errStop
		}
		return nil
	}
}

// object reads the fields of an object.
func (w textWalker) object(in, field string) error {
	key := "" // of an attribute
	for w.tokens.More() {
		token, err := w.tokens.Token()
		if err != nil {
			return err
		}
		switch name, _ := token.(string); {
		case name == "key":
			if token, err = w.tokens.Token(); err != nil {
				return err
			}
			key, _ = token.(string)
		case wraps(name) && key != "":
			err = w.value(field, key)
		case wraps(name):
			err = w.value(in, field)
		default:
			err = w.value(cmp.Or(field, in), name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wraps reports whether a field only wraps the value of another one.
func wraps(field string) bool {
	switch field {
	case "value", "values", "stringValue", "intValue", "doubleValue", "boolValue", "bytesValue", "arrayValue", "kvlistValue":
		return true
	default:
		return false
	}
}
