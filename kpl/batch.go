package kpl

import "context"

// Callers stands for a fixed number of callers that put records and wait for their Results, such as the consumers of a
// queue. Once all of them wait, no further record can arrive from them: what they wait for is then sent at once,
// whatever [Config.RecordMaxBufferedTime] says. So that time never limits their throughput.
type Callers struct{}

// Callers returns a group of n callers. With n of 0 their number is not known, and they are never taken to be all
// waiting.
func (p *Producer) Callers(n int) *Callers { panic("skeleton") }

// Begin starts a batch for one of the callers.
func (c *Callers) Begin() *Batch { panic("skeleton") }

// Batch is a number of records that one caller puts and waits for together. It is not safe for concurrent use.
type Batch struct{}

// Put accepts a record into the batch. It blocks and fails as [Producer.Put] does; a record that was not accepted is not
// part of the batch.
func (b *Batch) Put(ctx context.Context, record UserRecord) error { panic("skeleton") }

// Wait returns the Results of the batch in the order of its Puts. When ctx ends, records that are in no PutRecords call
// yet end with [OutcomeCanceled], and Wait returns as soon as those in flight have their Result too, which takes
// [Config.RequestTimeout] at most. It must be called once, and the batch not used afterwards.
func (b *Batch) Wait(ctx context.Context) []Result { panic("skeleton") }
