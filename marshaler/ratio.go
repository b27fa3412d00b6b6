package marshaler

import "sync"

// ratio learns how many times smaller compression makes chunks, from those before. Any number of goroutines may use one
// at the same time.
type ratio struct {
	mu    sync.Mutex
	found average // guarded by mu
}

const (
	firstRatio = 2  // before anything is known: too little rather than too much, for a chunk can grow
	minRatio   = .9 // what cannot be compressed gets a little larger
	maxRatio   = 64 // bounds what is in memory for a chunk

	minSpread = .01
	maxSpread = .05
)

// plain returns how many bytes to compress in order to get at most size bytes, in most cases.
func (r *ratio) plain(size int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	mean := r.found.mean
	if mean == 0 {
		mean = firstRatio
	}
	spread := min(max(r.found.spread, minSpread), maxSpread)
	return min(int(float64(size)*mean*(1-spread)), MaxPlainSize)
}

// learn takes in what became of a chunk that was about as large as plain advised.
func (r *ratio) learn(plain, packed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found.learn(min(max(float64(plain)/float64(packed), minRatio), maxRatio))
}
