package content_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/features/content"
)

func analyzer(t testing.TB, change func(*content.Config)) *content.Analyzer {
	t.Helper()
	cfg := content.Default()
	if change != nil {
		change(&cfg)
	}
	a, err := content.NewAnalyzer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestWordsAreLoweredStemmedAndFreeOfStopWords(t *testing.T) {
	cases := []struct {
		name, text string
		want       []string
	}{
		{"stop words go", "The Lord of the Rings", []string{"lord", "ring"}},
		{"stems join forms", "running runner runs", []string{"run", "runner", "run"}},
		{"digits stay", "Toy Story (1995)", []string{"toy", "stori", "1995"}},
		{"possessive", "Schindler's Schindler’s", []string{"schindler", "schindler"}},
		{"contraction of a stop word", "don't what's", nil},
		{"a name with an apostrophe", "O'Hara", []string{"ohara"}},
		{"quotes are no apostrophes", "'lamp' lamp's'", []string{"lamp", "lamp"}},
		{"other alphabets are kept whole", "Война и мир Straße", []string{"война", "мир", "straße"}},
		{"scripts without spaces give pairs", "東京都 lamp", []string{"東京", "京都", "lamp"}},
		{"one character alone", "猫", []string{"猫"}},
		{"scripts side by side are cut apart", "iPhone手机壳", []string{"iphon", "手机", "机壳"}},
		{"letters too short are dropped", "a b c x-ray", []string{"ray"}},
		{"nothing", " \t—!?", nil},
		{"broken encoding is no letter", "lamp\xff\xfedesk", []string{"lamp", "desk"}},
	}
	a := analyzer(t, nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, a.Words(c.text)); diff != "" {
				t.Errorf("Words(%q) (-want +got):\n%s", c.text, diff)
			}
		})
	}
}

func TestFacetsStayApartFromWords(t *testing.T) {
	it := data.Item{
		Title: "Drama", Text: "a drama", Categories: []string{"Drama", "  "}, Tags: []string{"Time  Travel"}, Brand: "ACME",
	}
	want := []string{"category:drama", "tag:time travel", "brand:acme", "drama", "drama", "drama"}
	if diff := cmp.Diff(want, content.Tokens(it)); diff != "" {
		t.Errorf("Tokens (-want +got):\n%s", diff)
	}
}

func TestAnItemThatSaysNothingHasNoTokens(t *testing.T) {
	if got := content.Tokens(data.Item{ID: "lamp"}); got != nil {
		t.Errorf("Tokens = %q; want none", got)
	}
}

func TestTokensAreBounded(t *testing.T) {
	a := analyzer(t, func(c *content.Config) { c.MaxTokens = 3 })
	it := data.Item{Tags: []string{"x"}, Title: "lamp", Text: strings.Repeat("desk chair ", 1000) + strings.Repeat("語", 1000)}
	if diff := cmp.Diff([]string{"tag:x", "lamp", "lamp"}, a.Tokens(it)); diff != "" {
		t.Errorf("Tokens (-want +got):\n%s", diff)
	}
	if got := a.Words(it.Text); len(got) != 3 {
		t.Errorf("Words gave %d tokens; want 3", len(got))
	}
}

func TestWithoutStemmingAndStopWordsWordsAreKept(t *testing.T) {
	a := analyzer(t, func(c *content.Config) { c.Stem, c.StopWords = false, false })
	if diff := cmp.Diff([]string{"the", "running", "man"}, a.Words("The Running Man")); diff != "" {
		t.Errorf("Words (-want +got):\n%s", diff)
	}
}

func TestAnyTextGivesWholeLowerCaseTokens(t *testing.T) {
	a := analyzer(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("ab'’ \u0301猫ก9-")))).Draw(t, "text")
		for _, token := range a.Words(text) {
			if token == "" || !utf8.ValidString(token) || strings.ContainsAny(token, " '’") {
				t.Fatalf("Words(%q) has token %q", text, token)
			}
			if strings.ToLower(token) != token {
				t.Fatalf("Words(%q): token %q is not lower case", text, token)
			}
		}
	})
}

func TestConfigIsRefusedByFieldName(t *testing.T) {
	cases := map[string]func(*content.Config){
		"title_repeat": func(c *content.Config) { c.TitleRepeat = 0 },
		"min_length":   func(c *content.Config) { c.MinLength = 0 },
		"max_length":   func(c *content.Config) { c.MaxLength = 1 },
		"max_tokens":   func(c *content.Config) { c.MaxTokens = 0 },
	}
	for field, change := range cases {
		cfg := content.Default()
		change(&cfg)
		if _, err := content.NewAnalyzer(cfg); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: error is %v; want one that names it", field, err)
		}
	}
}

func ExampleTokens() {
	fmt.Println(content.Tokens(data.Item{Title: "Toy Story (1995)", Categories: []string{"Animation"}}))
	// Output: [category:animation toy stori 1995 toy stori 1995]
}
