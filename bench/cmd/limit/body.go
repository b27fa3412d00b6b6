// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/md5" //nolint:gosec // the aggregation format asks for it
	"crypto/sha256"
	"encoding/hex"
)

const partitionKey = "0123456789abcdef"

// Sizes in bytes: of a record that is full, and of the request that is posted under load.
const (
	recordSize  = 51_200 - len(partitionKey)
	requestSize = 5 << 20
)

// body is a PutRecords request on its way. Its buffers are used again.
type body struct {
	encoding
	compress func(dst, src []byte) []byte // nil for none
	post     func(body []byte, hash string) error

	piece      int // how many bytes of OTLP make a record
	text       []byte
	compressed []byte
	records    int

	// What is left of messages shares an aggregate, as far as there is room.
	rest    []byte
	members int
}

func newBody(in encoding, compress func(dst, src []byte) []byte, post func(body []byte, hash string) error) *body {
	b := &body{encoding: in, compress: compress, post: post, piece: recordSize}
	b.reset()
	return b
}

func (b *body) reset() { b.text, b.records = append(b.text[:0], b.start...), 0 }

// add puts a message into records, and posts what is full. A full record is sent by itself, without an MD5.
func (b *body) add(message []byte) error {
	for len(message) > 0 {
		piece := message[:min(len(message), b.piece)]
		message = message[len(piece):]
		last := len(message) == 0
		if b.compress != nil {
			b.compressed = b.compress(b.compressed[:0], piece)
			if !last {
				// As much of the next as would have filled this one, and a little less, for they differ.
				b.piece = len(piece) * recordSize / len(b.compressed) * 49 / 50
			}
			piece = b.compressed
		}
		if err := b.put(piece, last); err != nil {
			return err
		}
	}
	return nil
}

// put puts the data of a record into the request, or keeps it for an aggregate if it does not fill one.
func (b *body) put(data []byte, last bool) error {
	if !last || len(data) >= recordSize {
		return b.record(data)
	}
	if len(b.rest)+len(data) > recordSize {
		if err := b.aggregate(); err != nil {
			return err
		}
	}
	b.rest = append(b.rest, data...)
	b.members++
	return nil
}

// aggregate makes a record of the rests. One alone needs no MD5.
func (b *body) aggregate() error {
	if b.members == 0 {
		return nil
	}
	if b.members > 1 {
		sum := md5.Sum(b.rest) //nolint:gosec // see above
		b.rest = append(b.rest, sum[:]...)
	}
	err := b.record(b.rest)
	b.rest, b.members = b.rest[:0], 0
	return err
}

// record writes a record into the request, and posts it when it is full.
func (b *body) record(data []byte) error {
	if b.records > 0 {
		b.text = append(b.text, b.between...)
	}
	b.text = append(b.text, b.recordStart...)
	b.text = b.appendData(b.text, data)
	b.text = append(b.text, b.recordEnd...)
	b.records++
	if len(b.text) > b.full || b.records == 500 {
		return b.send()
	}
	return nil
}

// flush posts everything.
func (b *body) flush() error {
	if err := b.aggregate(); err != nil {
		return err
	}
	return b.send()
}

// send posts the request, if it has records, and begins the next.
func (b *body) send() error {
	if b.records == 0 {
		return nil
	}
	b.text = append(b.text, b.end...)
	sum := sha256.Sum256(b.text)
	err := b.post(b.text, hex.EncodeToString(sum[:]))
	b.reset()
	return err
}
