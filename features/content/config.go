package content

import "fmt"

// Config says what becomes a token. The same values must be used to train and to
// describe new items afterwards.
type Config struct {
	// Stem reduces English words to their stem.
	Stem bool `yaml:"stem" json:"stem"`
	// StopWords drops English function words such as "the".
	StopWords bool `yaml:"stop_words" json:"stop_words"`
	// TitleRepeat is how often a word of the title counts beside one of the text.
	TitleRepeat int `yaml:"title_repeat" json:"title_repeat"`
	// MinLength and MaxLength bound a word, in characters; others are dropped. Pairs
	// of characters from scripts without spaces are not measured.
	MinLength int `yaml:"min_length" json:"min_length"`
	MaxLength int `yaml:"max_length" json:"max_length"`
	// MaxTokens is how many tokens of one item are kept: facets first, then title, then text.
	MaxTokens int `yaml:"max_tokens" json:"max_tokens"`
}

// Default stems, drops stop words, counts title words twice, and keeps words of 2
// to 40 characters, at most 20,000 an item.
func Default() Config {
	return Config{Stem: true, StopWords: true, TitleRepeat: 2, MinLength: 2, MaxLength: 40, MaxTokens: 20_000}
}

// Validate names the field that is out of range.
func (c Config) Validate() error {
	switch {
	case c.TitleRepeat < 1 || c.TitleRepeat > 100:
		return fmt.Errorf("content: title_repeat is %d: use 1 to 100", c.TitleRepeat)
	case c.MinLength < 1:
		return fmt.Errorf("content: min_length is %d: must be 1 or more", c.MinLength)
	case c.MaxLength < c.MinLength:
		return fmt.Errorf("content: max_length is %d: must not be below min_length, %d", c.MaxLength, c.MinLength)
	case c.MaxTokens < 1:
		return fmt.Errorf("content: max_tokens is %d: must be 1 or more", c.MaxTokens)
	}
	return nil
}
