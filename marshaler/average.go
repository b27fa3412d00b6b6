package marshaler

// average follows a number that changes slowly.
type average struct {
	mean   float64 // 0 if nothing is known
	spread float64 // the mean deviation from it, as a part of it
}

// averageWeight is that of the latest number.
const averageWeight = .125

// learn takes in a number above 0.
func (a *average) learn(found float64) {
	if a.mean == 0 {
		a.mean = found
		return
	}
	off := found/a.mean - 1
	a.mean += averageWeight * (found - a.mean)
	a.spread += averageWeight * (max(off, -off) - a.spread)
}
