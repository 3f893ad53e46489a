package tail

import "bytes"

// names decides by a field's name what is shown of its value.
type names struct {
	parts  [][]byte        // words that count anywhere in a name
	whole  map[string]bool // words that count as words alone
	shown  map[string]bool // whole names
	ids    map[string]bool // whole names of people's ids
	cached map[string]treatment
	memory []byte
}

// treatment is what becomes of a value.
type treatment uint8

const (
	mask     treatment = iota // what looks like a person's is hidden
	maskMail                  // digits are shown
	hash                      // shown as a hash
	hide
)

// maxCachedNames bounds the names whose treatment is remembered.
const maxCachedNames = 1024

func newNames(cfg Config) *names {
	n := &names{whole: map[string]bool{}, shown: map[string]bool{}, cached: map[string]treatment{}, ids: map[string]bool{
		"userid": true, "anonymousid": true, "previousid": true, "groupid": true, "deviceid": true, "distinctid": true, "visitorid": true,
		"customerid": true, "profileid": true, "profile": true, "uid": true, "aid": true, "anon": true, "user": true,
	}}
	for _, w := range cfg.Hidden {
		if p := plain(nil, w); len(p) < 4 {
			n.whole[string(p)] = true
		} else {
			n.parts = append(n.parts, p)
		}
	}
	for _, w := range cfg.Shown {
		n.shown[string(plain(nil, w))] = true
	}
	return n
}

func (n *names) of(name []byte) treatment {
	if t, ok := n.cached[string(name)]; ok {
		return t
	}
	t := n.judge(name)
	if len(n.cached) < maxCachedNames && len(name) <= 64 {
		n.cached[string(name)] = t
	}
	return t
}

func (n *names) judge(name []byte) treatment {
	p := plain(n.memory[:0], name)
	n.memory = p
	switch {
	case n.shown[string(p)]:
		return maskMail
	case n.ids[string(p)]:
		return hash
	}
	for _, part := range n.parts {
		if bytes.Contains(p, part) {
			return hide
		}
	}
	if n.whole[string(p)] {
		return hide
	}
	for from, i := 0, 0; i <= len(name); i++ { // word by word: clientIp, client_ip, client-ip, IPAddress
		if i < len(name) && isWordByte(name[i]) && !(i > from && isUpper(name[i]) && !isUpper(name[i-1])) {
			continue
		}
		if n.whole[string(plain(n.memory[:0], name[from:i]))] {
			return hide
		}
		from = i
	}
	return mask
}

// plain appends the letters and digits of a name in lower case; other alphabets stay as they are.
func plain[T string | []byte](dst []byte, name T) []byte {
	for i := range len(name) {
		if c := name[i]; isUpper(c) {
			dst = append(dst, c+'a'-'A')
		} else if isWordByte(c) {
			dst = append(dst, c)
		}
	}
	return dst
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || isUpper(c) || c >= 0x80
}
