package config

import (
	_ "embed"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// meanings says what each setting means: "key<TAB>text" lines, made of the comments
// of the structs' fields by TestEverySettingIsExplained -update.
//
//go:embed meanings.txt
var meanings string

// Setting is one setting as people read it.
type Setting struct {
	Key, Env, Default, Meaning string
}

// Settings are all of them, in the file's order.
func Settings() []Setting {
	texts := map[string]string{}
	for line := range strings.Lines(meanings) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), "\t")
		texts[name] = text
	}
	c := Default()
	var out []Setting
	for _, k := range keys(&c) {
		out = append(out, Setting{Key: k.path, Env: k.env(), Default: k.text(), Meaning: texts[k.path]})
	}
	return out
}

// text is the value on one line.
func (k key) text() string {
	var b strings.Builder
	e := yaml.NewEncoder(&b)
	if err := e.Encode(yamlFlow(k.value.Interface())); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// Explain writes what a setting means, or all settings of a section; "" is all.
func Explain(w io.Writer, name string) error {
	found := false
	for _, s := range Settings() {
		if name != "" && s.Key != name && !strings.HasPrefix(s.Key, name+".") {
			continue
		}
		found = true
		fmt.Fprintf(w, "%s (default %s; %s)\n    %s\n", s.Key, s.Default, s.Env, s.Meaning)
	}
	if found {
		return nil
	}
	c := Default()
	if near := nearest(name, keys(&c)); near != "" {
		return fmt.Errorf("unknown key %s; did you mean %s?", name, near)
	}
	return fmt.Errorf("unknown key %s; `kindred config explain` lists the keys", name)
}
