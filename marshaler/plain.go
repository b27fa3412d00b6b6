// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

// isPlainAttribute reports whether an attribute is like nearly all are: a short key and a short value of one of the simple types,
// in any order, with ASCII text. Such an attribute is sound.
func isPlainAttribute(a []byte) bool {
	if len(a) < 4 {
		return false
	}
	second := 2 + int(a[1])
	if second+2 > len(a) || a[1]|a[second+1] >= 0x80 || second+2+int(a[second+1]) != len(a) {
		return false
	}
	switch {
	case a[0] == valueTag && a[second] == keyTag:
		return isPlainValue(a[2:second]) && isASCII(a[second+2:])
	case a[0] == keyTag && a[second] == valueTag:
		return isPlainValue(a[second+2:]) && isASCII(a[2:second])
	}
	return false
}

// isPlainValue reports whether the content of a value is a short text in ASCII, a number, a bool or nothing.
func isPlainValue(v []byte) bool {
	if len(v) < 2 {
		return len(v) == 0
	}
	switch v[0] {
	case valueString<<3 | wireBytes:
		return v[1] < 0x80 && int(v[1]) == len(v)-2 && isASCII(v[2:])
	case valueInt<<3 | wireVarint, valueBool<<3 | wireVarint:
		_, end := readUvarint(v, 1)
		return end == len(v)
	case valueDouble<<3 | wireFixed64:
		return len(v) == 9
	}
	return false
}

// keyTag stands in front of the key of an attribute.
const keyTag = 1<<3 | wireBytes
