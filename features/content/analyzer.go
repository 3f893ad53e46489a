package content

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"

	"kindred/data"
)

// Prefixes of facet tokens.
const (
	TagPrefix      = "tag:"
	CategoryPrefix = "category:"
	BrandPrefix    = "brand:"
)

// Analyzer makes tokens of items. It is immutable and safe for concurrent use.
type Analyzer struct{ cfg Config }

// NewAnalyzer returns an analyzer; the error is cfg's.
func NewAnalyzer(cfg Config) (*Analyzer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Analyzer{cfg: cfg}, nil
}

// Tokens are the item's tokens with the default configuration.
func Tokens(it data.Item) []string {
	return (&Analyzer{cfg: Default()}).Tokens(it)
}

// Tokens are the item's tokens: categories, tags and brand, then the words of the
// title, TitleRepeat times, then those of the text; at most MaxTokens. Nil when the
// item says nothing. Cost is O(length of its text).
func (a *Analyzer) Tokens(it data.Item) []string {
	var tokens []string
	add := func(token string) bool {
		if len(tokens) < a.cfg.MaxTokens {
			tokens = append(tokens, token)
		}
		return len(tokens) < a.cfg.MaxTokens
	}
	facet := func(prefix string, values ...string) {
		for _, v := range values {
			if v = normalize(v); v != "" {
				add(prefix + v)
			}
		}
	}
	facet(CategoryPrefix, it.Categories...)
	facet(TagPrefix, it.Tags...)
	facet(BrandPrefix, it.Brand)
	for range a.cfg.TitleRepeat {
		a.words(it.Title, add)
	}
	a.words(it.Text, add)
	return tokens
}

// Words are the tokens of free text, such as a query.
func (a *Analyzer) Words(text string) []string {
	var tokens []string
	a.words(text, func(token string) bool {
		tokens = append(tokens, token)
		return len(tokens) < a.cfg.MaxTokens
	})
	return tokens
}

// normalize is a facet's value in lower case with single spaces.
func normalize(v string) string {
	return strings.Join(strings.Fields(strings.ToLower(v)), " ")
}

// words calls add with each token of text until it returns false.
func (a *Analyzer) words(text string, add func(string) bool) {
	for text != "" {
		start := strings.IndexFunc(text, inWord)
		if start < 0 {
			return
		}
		text = text[start:]
		first, _ := utf8.DecodeRuneInString(text)
		unspaced := spaceless(first)
		end := strings.IndexFunc(text, func(r rune) bool {
			if apostrophe(r) {
				return unspaced
			}
			return !inWord(r) || !unicode.Is(unicode.Mn, r) && spaceless(r) != unspaced
		})
		if end < 0 {
			end = len(text)
		}
		run := text[:end]
		text = text[end:]
		if unspaced {
			if !pairs(run, add) {
				return
			}
		} else if token := a.word(run); token != "" && !add(token) {
			return
		}
	}
}

// word is the token of one run of letters, or "" for none.
func (a *Analyzer) word(run string) string {
	w := strings.ToLower(run)
	// Possessives and contractions: "Schindler's" is Schindler, "don't" is a stop word.
	if at := strings.IndexFunc(w, apostrophe); at >= 0 {
		if a.cfg.StopWords && english.IsStopWord(w[:at]) {
			return ""
		}
		rest := strings.TrimLeftFunc(w[at:], apostrophe)
		if w = w[:at]; len(rest) > 2 { // O'Hara, d'Artagnan
			w += strings.Map(dropApostrophe, rest)
		}
	}
	if n := utf8.RuneCountInString(w); n < a.cfg.MinLength || n > a.cfg.MaxLength {
		return ""
	}
	if a.cfg.StopWords && english.IsStopWord(w) {
		return ""
	}
	if a.cfg.Stem && plainEnglish(w) {
		w = english.Stem(w, true)
	}
	return w
}

// pairs adds the overlapping pairs of characters of run, or its only character, and
// reports whether more are wanted.
func pairs(run string, add func(string) bool) bool {
	runes := []rune(run)
	if len(runes) == 1 {
		return add(run)
	}
	for i := range runes[1:] {
		if !add(string(runes[i : i+2])) {
			return false
		}
	}
	return true
}

// inWord reports whether r is part of a word.
func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// spaceless reports whether r belongs to a script that is written without spaces.
func spaceless(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// apostrophe reports whether r is one of the characters typed for an apostrophe.
func apostrophe(r rune) bool { return r == '\'' || r == '’' || r == 'ʼ' }

// dropApostrophe maps apostrophes to nothing.
func dropApostrophe(r rune) rune {
	if apostrophe(r) {
		return -1
	}
	return r
}

// plainEnglish reports whether w is made of the letters a to z only.
func plainEnglish(w string) bool {
	for i := range len(w) {
		if w[i] < 'a' || w[i] > 'z' {
			return false
		}
	}
	return true
}
