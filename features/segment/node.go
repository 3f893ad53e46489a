package segment

import (
	"regexp"
	"time"

	"kindred/features/segment/slot"
)

// op is what a node computes.
type op uint8

const (
	opConst      op = iota
	opSlot          // the value of slot n.slot
	opSpan          // a number of seconds, as a length of time
	opInstant       // a number of milliseconds, as a time
	opTrait         // the trait n.text
	opConsent       // the consent object
	opSession       // a property of the open session (n.which 0) or the one before (1), or their number (2)
	opEvent         // a part of the event, in a where
	opField         // the field n.text of args[0]
	opHas           // whether args[0] has it
	opAffinity      // the share of n.text, a value of facet n.facet
	opScore         // the built-in score "engagement"
	opScaled        // 100·(1 − e^(−args[0]/n.scale))
	opCluster       // the number of the cluster by clusterer n.text
	opConfidence    // of that assignment
	opPredict       // the prediction of model n.text
	opSegment       // whether the person is in segment n.slot
	opNow
	opDwell // how long the person is there: args[0] is when they came, args[1] their last sign of life
	opAnd
	opOr
	opNot
	opChoose
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opEqual
	opUnequal
	opAdd
	opSubtract
	opMultiply
	opDivide
	opModulo
	opNegate
	opIn
	opList
	opSize
	opContains
	opStartsWith
	opEndsWith
	opMatches
	opLower
	opUpper
	opNumber // int() and double()
	opClock  // a part of a time, by n.text, in n.zone
)

// fades says how a node's value changes by itself.
type fades uint8

const (
	still   fades = iota // only by events
	stepped              // now and then: next says when
	fading               // all the time; only comparisons with a number know when that matters
)

// node is one part of a compiled condition.
type node struct {
	op     op
	label  string // in the rule language, for explanations
	args   []*node
	value  value // of opConst
	slot   int
	which  int
	text   string
	facet  string
	scale  float64
	regexp *regexp.Regexp
	zone   *time.Location

	fades fades
	slope int  // of a time or a length of it: how it grows with now, −1, 0 or 1
	whole bool // an integer, by its type: division drops the rest
}

// kind is what a value is.
type kind uint8

const (
	unknown kind = iota // missing, or an operand of the wrong type
	null
	boolean
	number
	text
	instant // Unix ms in n
	span    // ms in n
	raw     // a JSON object or array
)

// value is what a node gives.
type value struct {
	kind kind
	n    float64
	s    string
	raw  []byte
}

func truth(b bool) value {
	if b {
		return value{kind: boolean, n: 1}
	}
	return value{kind: boolean}
}

func (v value) isTrue() bool  { return v.kind == boolean && v.n != 0 }
func (v value) isFalse() bool { return v.kind == boolean && v.n == 0 }

func numeric(x float64) value { return value{kind: number, n: x} }

func ofSlot(v slot.Value) value {
	switch v.Kind {
	case slot.Number:
		return numeric(v.Number)
	case slot.Text:
		return value{kind: text, s: v.Text}
	}
	return value{}
}

// toSlot is the inverse, for what has a place in a slot: numbers, texts and truth.
func toSlot(v value) slot.Value {
	switch v.kind {
	case number, boolean:
		return slot.Of(v.n)
	case text:
		return slot.Value{Kind: slot.Text, Text: v.s}
	}
	return slot.Value{}
}
