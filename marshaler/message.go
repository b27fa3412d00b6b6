// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "fmt"

// Message is a complete OTLP request, encoded for one user record.
type Message struct {
	// Data is a valid Export*ServiceRequest, compressed as [Config.Compression] says. It shares no memory with the pdata
	// that it was made from. It must not be changed.
	Data []byte
	// PartitionKey has at most 256 Unicode characters. Empty means that the message may go to any shard.
	PartitionKey string
	// ExplicitHashKey is a decimal number from 0 to 2^128-1: the place of the message among the hash keys of the shards. Empty means
	// that the MD5 of PartitionKey decides. Where it is set, PartitionKey is set too.
	ExplicitHashKey string
	// Stream is what [Config.Route] has returned for the resources in Data. Empty means the default stream.
	Stream string
	// Items is the number of log records, spans, data points or samples in Data. It is at least 1.
	Items int

	// buffer owns the memory of Data. Release gives it back to the pool that it came from.
	buffer *buffer
	// otlp is what a foreign format has encoded as Data, and source owns its memory. Both are nil if nobody needs them.
	otlp   []byte
	source *buffer
}

// OTLP returns the items of the message in OTLP, which the Unmarshal functions of the [Marshaler] decode. As a rule that is Data.
// For [Config.Foreign] it is what Data was made of, if the message has several items or [Foreign.KeepOTLP] is set. It must not be
// changed, and not be read after Release.
func (m *Message) OTLP() []byte {
	if m.otlp != nil {
		return m.otlp
	}
	return m.Data
}

// Release gives the memory of Data back, so that later messages can use it. After Release, nobody may read Data, neither
// here nor through a copy of the message. Release must be called at most once. A message that is never released is left
// to the garbage collector.
func (m *Message) Release() {
	m.Data = nil
	m.buffer.release()
	m.buffer = nil
	m.otlp = nil
	m.source.release()
	m.source = nil
}

// PlainSize returns how many bytes Data has before compression. It is len(Data) without compression, and after Release it is 0.
func (m *Message) PlainSize() int {
	if m.buffer != nil && m.buffer.plain > 0 {
		return m.buffer.plain
	}
	return len(m.Data)
}

// Memory returns how many bytes of memory Data holds until the message is released, with what [Message.OTLP] returns. Without the
// latter it is at most an eighth more than Data has, for Data of 256 bytes or more. It is 0 after Release.
func (m *Message) Memory() int {
	memory := cap(m.Data)
	if m.buffer != nil {
		memory = m.buffer.memory()
	}
	if m.source != nil {
		return memory + m.source.memory()
	}
	return memory + cap(m.otlp)
}

// keySize returns how many bytes of the message's size are its key.
func (m *Message) keySize() int {
	if m.PartitionKey == "" {
		return KeylessKeySize
	}
	return len(m.PartitionKey)
}

// Encoded is the pdata of one push as messages. Each item of the push is in exactly one of Messages, or has one error in
// Rejected, or is counted by one error in Failed.
type Encoded struct {
	// Messages are in the order of their items. If they go to several places, by partition key, explicit hash key and stream, all
	// messages to one place stand together, in the order in which the first item of each appears.
	Messages []Message
	// Rejected has one error for each item that is too large for any message.
	Rejected []*ItemSizeError
	// Failed has the items that [Config.Foreign] could not encode.
	Failed []*EncodingError
	// Truncated has one error for each item that was too large for any message and was cut, see [TruncateOversize]. The item is
	// in Messages, and its error says how large it was.
	Truncated []*ItemSizeError
	// Keyless is true if partition keys are made of attributes or metadata, and nothing in the push has any of them. Then all items
	// share one partition key.
	Keyless bool
	// InvalidHashKeys is how many items have a value for [KeyConfig.ExplicitHashKeyAttribute] that is no hash key. Of profiles it is
	// how many resources.
	InvalidHashKeys int
	// Mended says what differs from the pdata of the push.
	Mended Mended
}

// note takes over what was found while the push was put into groups.
func (e *Encoded) note(p *push) { e.Keyless, e.InvalidHashKeys = p.keyless, p.invalidHashKeys }

// Release releases all messages, see [Message.Release].
func (e *Encoded) Release() {
	for i := range e.Messages {
		e.Messages[i].Release()
	}
}

// ItemSizeError says that an item is too large to be sent.
type ItemSizeError struct {
	// Signal is the kind of item.
	Signal Signal
	// Size is how many bytes a message with this item alone takes, partition key included. With compression, Size is
	// the size after compression, unless the item has more than [MaxPlainSize] bytes before.
	Size int
	// Limit is [Config.MaxSize].
	Limit int
	// Resource is an attribute that names the resource of the item, such as "service.name=checkout". It is empty if the resource
	// has no such attribute. The text of the error does not have it, because it goes to clients.
	Resource string
}

func (e *ItemSizeError) Error() string {
	return fmt.Sprintf("marshaler: a %s takes %d bytes with its resource and partition key, the limit is %d",
		e.Signal.item(), e.Size, e.Limit)
}
