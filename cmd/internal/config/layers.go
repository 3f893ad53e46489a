package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"kindred/model/kernel"
)

// envPrefix begins the name of every environment variable that is read.
const envPrefix = "KINDRED_"

// notSettings are the variables of that prefix that something else reads: the inner
// loops, before there is a configuration, `kindred load`, which has no data directory, commands that ask a running server, and the
// scripts that install what tests need.
var notSettings = []string{kernel.LevelVariable, "KINDRED_LOAD_KEY", "KINDRED_API_KEY", "KINDRED_TEST_CACHE"}

// key is one setting: a leaf of the configuration struct.
type key struct {
	path  string // as in the file, joined by dots: training.schedule.cron
	value reflect.Value
}

// env is the setting's environment variable: KINDRED_TRAINING_SCHEDULE_CRON.
func (k key) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_"))
}

// keys lists the leaves of the struct v points to, in declaration order.
func keys(v any) []key {
	var out []key
	walk(reflect.ValueOf(v).Elem(), "", &out)
	return out
}

func walk(v reflect.Value, prefix string, out *[]key) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		inline := strings.Contains(options, "inline")
		if name == "-" || !field.IsExported() || name == "" && !inline {
			continue
		}
		path := prefix + name
		if leaf := v.Field(i); !isBranch(leaf) {
			*out = append(*out, key{path, leaf})
		} else if inline {
			walk(leaf, prefix, out)
		} else {
			walk(leaf, path+".", out)
		}
	}
}

// isBranch reports whether v is a struct of further settings, and not a value
// that a single text stands for.
func isBranch(v reflect.Value) bool {
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		return false
	}
	_, text := v.Addr().Interface().(encoding.TextUnmarshaler)
	_, node := v.Addr().Interface().(yaml.Unmarshaler)
	return !text && !node
}

// set gives the setting the value that the text stands for. Lists may be
// written [a, b] or a,b.
func (k key) set(text string) error {
	if k.value.Kind() == reflect.Slice && !strings.HasPrefix(strings.TrimSpace(text), "[") && text != "" {
		text = "[" + text + "]"
	}
	if k.value.Kind() == reflect.String {
		k.value.SetString(text) // as it is: "on" and "1.0" are strings here
		return nil
	}
	if d, ok := k.value.Addr().Interface().(*time.Duration); ok {
		parsed, err := time.ParseDuration(text) // takes a bare 0, which YAML does not
		if err != nil {
			return fmt.Errorf("%q is no %s", text, describe(k.value.Type()))
		}
		*d = parsed
		return nil
	}
	fresh := reflect.New(k.value.Type())
	if err := yaml.Unmarshal([]byte(text), fresh.Interface()); err != nil {
		return fmt.Errorf("%q is no %s", text, describe(k.value.Type()))
	}
	k.value.Set(fresh.Elem())
	return nil
}

func describe(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration; write it like 30m or 1h30m"
	case t.Kind() == reflect.Bool:
		return "truth value; write true or false"
	case t.Kind() == reflect.Slice:
		return "list; write it like a,b"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return "whole number in the range of its type"
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return "number"
	}
	return t.String()
}

// fromFile overlays dst with a YAML file. Unknown and repeated keys are errors
// that name the line.
func fromFile(dst any, name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(dst); err != nil && !errors.Is(err, io.EOF) { // an empty file changes nothing
		return fmt.Errorf("configuration file %s: %s", name, readable(err, dst))
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("configuration file %s: holds more than one document", name)
	}
	return nil
}

// readable turns the decoder's "field x not found in type T" into words for
// someone who never saw the type.
func readable(err error, dst any) string {
	text := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n  ", " "), "yaml: unmarshal errors: ")
	text = strings.TrimPrefix(text, "yaml: ")
	if i := strings.Index(text, " not found in type "); i >= 0 {
		field := text[strings.LastIndex(text[:i], " ")+1 : i]
		text = strings.Replace(text[:i], "field "+field, fmt.Sprintf("unknown key %q", field), 1)
		if near := nearest(field, keys(dst)); near != "" {
			text += fmt.Sprintf("; did you mean %s?", near)
		}
	}
	return text
}

// fromEnv overlays dst with the KINDRED_* variables of environ ("NAME=value").
// A KINDRED_ variable that is no setting is an error, so that a misspelt one is
// not silently ignored; names in except are left alone.
func fromEnv(dst any, environ []string, except ...string) error {
	all := keys(dst)
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(except, name) {
			continue
		}
		i := slices.IndexFunc(all, func(k key) bool { return k.env() == name })
		if i < 0 {
			return fmt.Errorf("environment variable %s is no setting%s", name, meant(name, all))
		}
		if err := all[i].set(value); err != nil {
			return fmt.Errorf("environment variable %s: %w", name, err)
		}
	}
	return nil
}

// meant suggests the variable that a misspelt one was meant to be.
func meant(name string, all []key) string {
	best, bestDistance := "", 1+len(name)/6
	for _, k := range all {
		if d := distance(name, k.env()); d < bestDistance {
			best, bestDistance = k.env(), d
		}
	}
	if best == "" {
		return "; `kindred config print --env` lists them"
	}
	return "; did you mean " + best + "?"
}

// fromSets overlays dst with flags of the form key=value.
func fromSets(dst any, sets []string) error {
	all := keys(dst)
	for _, s := range sets {
		path, value, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("--set %s: write it as key=value", s)
		}
		i := slices.IndexFunc(all, func(k key) bool { return k.path == path })
		if i < 0 {
			hint := "; `kindred config print` lists the keys"
			if near := nearest(path, all); near != "" {
				hint = "; did you mean " + near + "?"
			}
			return fmt.Errorf("--set %s: unknown key%s", path, hint)
		}
		if err := all[i].set(value); err != nil {
			return fmt.Errorf("--set %s: %w", path, err)
		}
	}
	return nil
}

// nearest is the key that name was probably meant to be: the closest by its whole path
// or its last name, within two edits; else the one whose last name it has under
// another path, or the closest path within a third of its length. "" is none.
func nearest(name string, all []key) string {
	best, bestDistance := "", 3
	for _, k := range all {
		last := k.path[strings.LastIndex(k.path, ".")+1:]
		if d := min(distance(name, k.path), distance(name, last)); d < bestDistance {
			best, bestDistance = k.path, d
		}
	}
	if best != "" || !strings.Contains(name, ".") {
		return best
	}
	bestDistance = len(name) + 1
	for _, k := range all {
		d := distance(name, k.path)
		sameEnd := strings.HasSuffix(k.path, name[strings.LastIndex(name, "."):])
		if (sameEnd || d <= len(name)/3) && d < bestDistance {
			best, bestDistance = k.path, d
		}
	}
	return best
}

// distance is the Levenshtein distance of a and b in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
