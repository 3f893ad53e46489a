package tail

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// What stands for what was hidden.
const (
	hiddenMark = "[hidden]"
	emailMark  = "[email]"
	numberMark = "[number]"
	ipMark     = "[ip]"
)

// atEntities are ways to write @ in a page that hold separators of their own.
var atEntities = [][]byte{[]byte("&#64;"), []byte("&#064;"), []byte("&#x40;"), []byte("&#X40;"), []byte("&commat;")}

// appendMasked appends text without the e-mail addresses in it and, unless digits
// are to be kept, without phone numbers, long runs of digits and IPv4 addresses.
// scratch is memory for what lies between; it is returned, grown.
func appendMasked(dst, text, scratch []byte, keepDigits bool) (out, grown []byte) {
	for _, entity := range atEntities {
		if bytes.Contains(text, entity) {
			return append(dst, emailMark...), scratch
		}
	}
	if keepDigits {
		return appendWithoutEmails(dst, text), scratch
	}
	scratch = appendWithoutEmails(scratch[:0], text)
	return appendWithoutNumbers(dst, scratch), scratch
}

// appendWithoutEmails hides each word with an @ in it, however that is written: a
// handle is hidden, too.
func appendWithoutEmails(dst, text []byte) []byte {
	if !bytes.ContainsAny(text, "@%＠\\") {
		return append(dst, text...)
	}
	for len(text) > 0 {
		end := bytes.IndexFunc(text, isBreak)
		if end < 0 {
			end = len(text)
		}
		if word := text[:end]; hasAt(word) {
			dst = append(dst, emailMark...)
		} else {
			dst = append(dst, word...)
		}
		if text = text[end:]; len(text) > 0 {
			_, size := utf8.DecodeRune(text)
			dst, text = append(dst, text[:size]...), text[size:]
		}
	}
	return dst
}

// isBreak is what ends an e-mail address in running text or a query string.
func isBreak(r rune) bool {
	switch r {
	case '"', '<', '>', '(', ')', ',', ';', '|', '[', ']', '{', '}', '=', '&', '?', '/', ':', '#':
		return true
	}
	return unicode.IsSpace(r)
}

func hasAt(word []byte) bool {
	if i := bytes.IndexByte(word, '@'); i >= 0 && len(word) > 1 {
		return true
	}
	return bytes.Contains(word, []byte("%40")) || bytes.Contains(word, []byte("%2540")) ||
		bytes.Contains(word, []byte(`\u0040`)) || bytes.Contains(word, []byte(`\x40`)) || bytes.Contains(word, []byte("＠"))
}

const (
	minNumber = 7 // digits of the shortest number that is hidden in a text
	maxGap    = 3 // characters between two digits of one number
)

// appendWithoutNumbers hides runs of digits, with what people write between them,
// but for dates.
func appendWithoutNumbers(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		size := digitAt(text, i)
		if size == 0 {
			dst = append(dst, text[i])
			i++
			continue
		}
		run := numberAt(text, i)
		switch {
		case run.groups == 4 && run.dotted && run.digits <= 12:
			dst = append(dst, ipMark...)
		case run.digits >= minNumber && !isDate(text[i:run.end]):
			dst = append(dst, numberMark...)
		default:
			dst = append(dst, text[i:run.end]...)
		}
		i = run.end
	}
	return dst
}

type number struct {
	end            int // behind the last digit
	digits, groups int
	dotted         bool // nothing but single dots between the groups
}

func numberAt(text []byte, i int) number {
	n := number{dotted: true, groups: 1}
	for i < len(text) {
		if size := digitAt(text, i); size > 0 {
			i += size
			n.digits++
			n.end = i
			continue
		}
		gap := i
		for gap < len(text) && gap-i < maxGap && isGap(text[gap]) {
			gap++
		}
		if gap == i || digitAt(text, gap) == 0 {
			break
		}
		n.dotted = n.dotted && gap == i+1 && text[i] == '.'
		n.groups++
		i = gap
	}
	return n
}

// digitAt is the size of the digit of any script at i, 0 for none.
func digitAt(text []byte, i int) int {
	if i >= len(text) {
		return 0
	}
	if c := text[i]; c < utf8.RuneSelf {
		if c >= '0' && c <= '9' {
			return 1
		}
		return 0
	}
	if r, size := utf8.DecodeRune(text[i:]); unicode.IsDigit(r) {
		return size
	}
	return 0
}

func isGap(c byte) bool {
	switch c {
	case ' ', '-', '.', '(', ')', '/', '+', '_', '\t', 0xC2, 0xA0: // the last two are a no-break space
		return true
	}
	return false
}

// isDate reports whether run is a year, month and day.
func isDate(run []byte) bool {
	return len(run) == 10 && run[4] == '-' && run[7] == '-' && (run[0] == '1' && run[1] == '9' || run[0] == '2' && run[1] == '0')
}
