// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

// cutJSON adds the request and all that it holds to the tree.
func (t *tree) cutJSON() error {
	s := jsonScanner(t.data)
	end, err := t.cutObject(s.skipSpace(0), 0, 0)
	if err != nil {
		return err
	}
	if s.skipSpace(end) != len(s) {
		return ErrMalformed
	}
	t.containers[0][0].tail.end = len(s) // with the newline that ends each message
	return nil
}

// cutObject adds a container and all that it holds. The container is the object at start. It returns where the object ends.
func (t *tree) cutObject(start, depth, parent int) (end int, err error) {
	s := jsonScanner(t.data)
	if !s.at(start, '{') {
		return 0, ErrMalformed
	}
	place := t.begin(depth, parent, 0)
	layer := t.layers[depth]
	pos := start + 1
	for first := true; ; first = false {
		next, done, ok := s.next(pos, first, '}')
		if !ok {
			return 0, ErrMalformed
		}
		if done {
			t.finish(depth, place, extent{start, next})
			return next, nil
		}
		key, value, ok := s.key(next)
		if !ok {
			return 0, ErrMalformed
		}
		switch {
		case !layer.hasKey(key):
			if pos, ok = s.skipValue(value); !ok {
				return 0, ErrMalformed
			}
		case layer.list:
			pos, err = t.cutArray(value, depth, place)
		default:
			pos, err = t.cutChild(value, depth, place)
		}
		if err != nil {
			return 0, err
		}
	}
}

// cutArray adds the children of a container. They are the elements of the array at start. It returns where the array ends.
func (t *tree) cutArray(start, depth, place int) (end int, err error) {
	s := jsonScanner(t.data)
	if !s.at(start, '[') {
		return 0, ErrMalformed
	}
	pos := start + 1
	for first := true; ; first = false {
		next, done, ok := s.next(pos, first, ']')
		if !ok {
			return 0, ErrMalformed
		}
		if done {
			return next, nil
		}
		if pos, err = t.cutChild(next, depth, place); err != nil {
			return 0, err
		}
	}
}

// cutChild adds a child of a container, and all that it holds. The child is the object at start. It returns where the object
// ends.
func (t *tree) cutChild(start, depth, place int) (end int, err error) {
	if depth+1 < t.itemDepth() {
		end, err = t.cutObject(start, depth+1, place)
	} else {
		end, err = t.cutItem(start)
	}
	if err != nil {
		return 0, err
	}
	return end, t.add(depth+1, t.container(depth, place).first, extent{start, end})
}

// cutItem returns where an item ends. The item is the object at start.
func (t *tree) cutItem(start int) (end int, err error) {
	s := jsonScanner(t.data)
	if !s.at(start, '{') {
		return 0, ErrMalformed
	}
	end, ok := s.skipBrackets(start)
	if !ok {
		return 0, ErrMalformed
	}
	return end, nil
}
