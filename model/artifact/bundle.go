package artifact

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"kindred/model"
	"kindred/model/als"
	"kindred/model/cluster"
	"kindred/model/content"
	"kindred/model/hybrid"
	"kindred/model/itemitem"
	"kindred/model/popular"
	"kindred/model/vocab"
)

// Bundle is everything one training run publishes. Items is required; a model that
// was not trained is nil. The bundle is read-only once encoded or decoded.
type Bundle struct {
	Meta     Meta
	Items    *vocab.Vocab // item id <-> row, for every model of the bundle
	ALS      *als.Model
	ItemItem *itemitem.Model
	Content  *content.Model
	Popular  *popular.Model
	Hybrid   *hybrid.Model
	Cluster  *cluster.Model
}

// Scorers returns the trained components in a fixed order: als, itemitem, content,
// popular. The blend is not among them; see Blend.
func (b *Bundle) Scorers() []model.Scorer {
	var scorers []model.Scorer
	if b.ALS != nil {
		scorers = append(scorers, b.ALS)
	}
	if b.ItemItem != nil {
		scorers = append(scorers, b.ItemItem)
	}
	if b.Content != nil {
		scorers = append(scorers, b.Content)
	}
	if b.Popular != nil {
		scorers = append(scorers, b.Popular)
	}
	return scorers
}

// Blend binds the hybrid to the bundle's components; without a hybrid, all
// components count equally. It ranks as a server does. The error says that there is no component at all. Cost is
// that of hybrid.NewIndex.
func (b *Bundle) Blend() (*hybrid.Scorer, error) {
	scorers := b.Scorers()
	blend := b.Hybrid
	if blend == nil {
		names := make([]string, len(scorers))
		for i, s := range scorers {
			names[i] = s.Name()
		}
		blend = hybrid.Equal(names, hybrid.ZScore)
	}
	return blend.BindIndex(scorers, hybrid.NewIndex(scorers))
}

// Validate checks that the parts of the bundle belong together; the error names the
// one that does not.
func (b *Bundle) Validate() error {
	if b.Items == nil {
		return errors.New("the bundle has no item vocab")
	}
	for _, s := range b.Scorers() {
		if s.Items() != b.Items.Len() {
			return fmt.Errorf("%s knows %d items: the vocab has %d", s.Name(), s.Items(), b.Items.Len())
		}
	}
	if b.Hybrid != nil {
		if _, err := b.Hybrid.Bind(b.Scorers()); err != nil {
			return err
		}
	}
	return nil
}

// part is one section of a bundle: its codec, and a pointer to set when it is read.
type part struct {
	name    string
	present bool
	codec   interface {
		encoding.BinaryMarshaler
		encoding.BinaryUnmarshaler
	}
	set func()
}

// partOf describes the section that holds *field; decoding fills a fresh T.
func partOf[T any, P interface {
	*T
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}](name string, field *P) part {
	p := part{name: name, present: *field != nil, codec: *field}
	if !p.present {
		fresh := P(new(T))
		p.codec, p.set = fresh, func() { *field = fresh }
	}
	return p
}

// parts lists the sections after "meta", in file order.
func (b *Bundle) parts() []part {
	return []part{
		partOf("items", &b.Items),
		partOf("als", &b.ALS),
		partOf("itemitem", &b.ItemItem),
		partOf("content", &b.Content),
		partOf("popular", &b.Popular),
		partOf("hybrid", &b.Hybrid),
		partOf("cluster", &b.Cluster),
	}
}

// Encode writes the bundle in the format of the package comment. Equal bundles have
// equal bytes. The error names the part that does not belong or cannot be encoded.
func (b *Bundle) Encode() ([]byte, error) {
	if err := b.Validate(); err != nil {
		return nil, fmt.Errorf("encode artifact: %w", err)
	}
	meta, err := json.Marshal(b.Meta)
	if err != nil {
		return nil, fmt.Errorf("encode artifact: meta: %w", err)
	}
	sections := []section{{"meta", meta}}
	for _, p := range b.parts() {
		if !p.present {
			continue
		}
		body, err := p.codec.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("encode artifact: %s: %w", p.name, err)
		}
		sections = append(sections, section{p.name, body})
	}
	return pack(sections), nil
}

// Decode reads an artifact. The error is a *VersionError or a *CorruptError. The
// result holds no part of data.
func Decode(data []byte) (*Bundle, error) {
	sections, err := unpack(data)
	if err != nil {
		return nil, err
	}
	b := new(Bundle)
	if len(sections) == 0 || sections[0].name != "meta" {
		return nil, &CorruptError{Section: "meta", Err: errors.New("it is not the first section")}
	}
	if err := json.Unmarshal(sections[0].body, &b.Meta); err != nil {
		return nil, &CorruptError{Section: "meta", Err: err}
	}
	parts := b.parts()
	last := -1
	for _, s := range sections[1:] {
		at := slices.IndexFunc(parts, func(p part) bool { return p.name == s.name })
		switch {
		case at < 0 && s.name != "meta":
			return nil, &VersionError{Section: s.name}
		case at <= last:
			return nil, &CorruptError{Section: s.name, Err: errors.New("it is out of order or occurs twice")}
		}
		last = at
		if err := parts[at].codec.UnmarshalBinary(s.body); err != nil {
			return nil, &CorruptError{Section: s.name, Err: err}
		}
		parts[at].set()
	}
	if err := b.Validate(); err != nil {
		return nil, &CorruptError{Err: err}
	}
	return b, nil
}

// Checksum is the lower-case hex SHA-256 of an encoded artifact: its identity.
func Checksum(encoded []byte) string {
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}
