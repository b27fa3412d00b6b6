package kpl

import "sync"

// memberPool keeps lists of user records that have their Results for the next Kinesis records, so that what records take
// up on their way is no garbage. It is safe for concurrent use.
type memberPool struct{ lists sync.Pool } // of *[]userRecord, empty

// minPooled is how many members make a list worth keeping.
const minPooled = 16

// get returns an empty list for about the given number of members. A pooled one that differs much is dropped: small
// records must not occupy the lists of large ones.
func (p *memberPool) get(members int) []userRecord {
	if members >= minPooled {
		list, _ := p.lists.Get().(*[]userRecord)
		if list != nil && cap(*list) >= members && cap(*list) <= 4*members {
			return *list
		}
	}
	return make([]userRecord, 0, members)
}

// put takes a list that nothing else refers to.
func (p *memberPool) put(list []userRecord) {
	if cap(list) >= minPooled {
		clear(list)
		list = list[:0]
		p.lists.Put(&list)
	}
}
