// Package scan counts what is in a JSON text before anything is built of it.
package scan

import (
	"fmt"
	"strings"
)

// What a text may hold. The largest message of the contract stays below all of them.
const (
	MaxDepth   = 32      // objects and arrays within each other
	MaxItems   = 1000    // of one array or object
	MaxValues  = 600_000 // in all; 1,000 responses of 500 choices have most
	MaxMembers = 250_000 // of all objects; each costs several values' memory
)

// Excess is what a text has too much of.
type Excess struct {
	Field       string // the way to it, such as personas[12].attributes; "" is the text itself
	Description string
}

// level is an object or array that is open.
type level struct {
	name  span // of the member that it is, if it stands in an object
	array bool
	items int // that are over
}

// span is a part of the text.
type span struct{ from, to int }

// scanner reads a text once, byte by byte, and keeps only the levels that are open.
type scanner struct {
	text    []byte
	levels  [MaxDepth]level
	depth   int
	name    span // the latest string
	values  int
	members int
}

// Check returns the first excess of a text, or nil, and how many values stand before it, or in all.
// Whether the text is JSON is the decoder's to say: of one that is not, at least as much is counted as is
// built.
func Check(text []byte) (*Excess, int) {
	s := scanner{text: text}
	for i := 0; i < len(text); i++ {
		var excess *Excess
		switch text[i] {
		case '"':
			end := closingQuote(text, i)
			s.name = span{i + 1, end}
			i = end
		case '[', '{':
			excess = s.open(text[i] == '[')
		case ']', '}':
			s.depth = max(s.depth-1, 0)
		case ',':
			excess = s.count()
		case ':':
			s.members++
		}
		if excess == nil {
			excess = s.total()
		}
		if excess != nil {
			return excess, s.values
		}
	}
	return nil, s.values
}

// closingQuote finds the end of the string that starts at i.
func closingQuote(text []byte, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return min(i, len(text))
}

func (s *scanner) open(array bool) *Excess {
	if s.depth == MaxDepth {
		return &Excess{Description: fmt.Sprintf("is nested more than %d deep", MaxDepth)}
	}
	s.levels[s.depth] = level{name: s.name, array: array}
	s.depth++
	s.values++
	return nil
}

// count notes a comma: one more item, where a level is open.
func (s *scanner) count() *Excess {
	s.values++
	if s.depth == 0 {
		return nil
	}
	at := &s.levels[s.depth-1]
	if at.items++; at.items < MaxItems {
		return nil
	}
	return &Excess{s.path(), fmt.Sprintf("must hold at most %d items", MaxItems)}
}

// path is the way to the innermost level that is open.
func (s *scanner) path() string {
	var path strings.Builder
	for i := 1; i < s.depth; i++ {
		name := s.levels[i].name
		switch outer := s.levels[i-1]; {
		case outer.array:
			fmt.Fprintf(&path, "[%d]", outer.items)
		case path.Len() > 0:
			fmt.Fprintf(&path, ".%.100s", s.text[name.from:name.to])
		default:
			fmt.Fprintf(&path, "%.100s", s.text[name.from:name.to])
		}
	}
	return path.String()
}

func (s *scanner) total() *Excess {
	switch {
	case s.values > MaxValues:
		return &Excess{Description: fmt.Sprintf("holds more than %d values", MaxValues)}
	case s.members > MaxMembers:
		return &Excess{Description: fmt.Sprintf("holds more than %d members of objects", MaxMembers)}
	}
	return nil
}
