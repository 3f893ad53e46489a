package clean

import (
	"strings"

	"github.com/mileusna/useragent"

	"kindred/features/expr/rawjson"
)

// The bounds of what is looked at to tell a device. Longer texts are cut.
const (
	maxAgentBytes = 512
	maxHintBytes  = 512
)

// agent is what is known about a user agent with its client hints; immutable.
type agent struct {
	device []byte // fields of context.device, without braces; empty where nothing was told
	kind   string // mobile, tablet, desktop, tv, bot or ""
	bot    string // the reason why it is a program's, or ""
}

// hints are a browser's client hints, from context.userAgentData or from headers.
type hints struct {
	mobile, platform, platformVersion, model, brand, brandVersion string
}

// The headers of client hints (WICG, User-Agent Client Hints), as Caller.Hints has them.
var hintHeaders = [...]string{"sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-ch-ua-platform-version", "sec-ch-ua-model", "sec-ch-ua-full-version-list", "sec-ch-ua"}

// readHintHeaders reads structured-field strings: "Android" with its quotes, ?1.
func readHintHeaders(h map[string]string) hints {
	text := func(name string) string { return strings.Trim(clip(h[name], maxHintBytes), `" `) }
	out := hints{platform: text("sec-ch-ua-platform"), platformVersion: text("sec-ch-ua-platform-version"), model: text("sec-ch-ua-model")}
	switch h["sec-ch-ua-mobile"] {
	case "?1":
		out.mobile = "true"
	case "?0":
		out.mobile = "false"
	}
	list := h["sec-ch-ua-full-version-list"]
	if list == "" {
		list = h["sec-ch-ua"]
	}
	for _, part := range strings.Split(clip(list, maxHintBytes), ",") {
		name, version, _ := strings.Cut(part, ";")
		out.take(strings.Trim(name, `" `), strings.Trim(strings.TrimPrefix(strings.TrimSpace(version), "v="), `"`))
	}
	return out
}

// readHintData reads navigator.userAgentData as analytics.js sends it.
func readHintData(raw []byte) hints {
	text := func(name string) string {
		s, _ := rawjson.Text(rawjson.Field(raw, name))
		return clip(s, maxHintBytes)
	}
	out := hints{platform: text("platform"), platformVersion: text("platformVersion"), model: text("model")}
	if m := rawjson.Field(raw, "mobile"); rawjson.Kind(m) == "boolean" {
		out.mobile = string(m)
	}
	list := rawjson.Field(raw, "fullVersionList")
	if list == nil {
		list = rawjson.Field(raw, "brands")
	}
	n := 0
	for a := rawjson.Elements(list); a.Next() && n < 16; n++ {
		brand, _ := rawjson.Text(rawjson.Field(a.Value, "brand"))
		version, _ := rawjson.Text(rawjson.Field(a.Value, "version"))
		out.take(clip(brand, maxHintBytes), clip(version, maxHintBytes))
	}
	return out
}

// take notes a brand: the browser's own wins over the engine's, made-up ones ("Not?A_Brand") are none.
func (h *hints) take(brand, version string) {
	if brand == "" || strings.Contains(brand, "Not") && strings.Contains(brand, "Brand") || brand == "Chromium" && h.brand != "" {
		return
	}
	if h.brand == "" || h.brand == "Chromium" {
		h.brand, h.brandVersion = strings.TrimPrefix(brand, "Google "), version
	}
}

// tell parses a user agent and its hints, which win where they say something.
func tell(ua string, h hints, lists *agentList) *agent {
	parsed := useragent.Parse(ua)
	a := &agent{bot: lists.find(ua)}
	switch {
	case parsed.Bot:
		a.kind = "bot"
		if a.bot == "" && !lists.exempt(ua) {
			a.bot = "user_agent" // which it calls itself would be for it to choose
		}
	case strings.Contains(ua, "SmartTV") || strings.Contains(ua, "SMART-TV") || strings.Contains(ua, "AppleTV") || strings.Contains(ua, "Android TV"):
		a.kind = "tv"
	case parsed.Tablet:
		a.kind = "tablet"
	case parsed.Mobile:
		a.kind = "mobile"
	case parsed.Desktop:
		a.kind = "desktop"
	}
	os, osVersion, browser, version, model := parsed.OS, parsed.OSVersion, parsed.Name, parsed.Version, parsed.Device
	if h.platform != "" {
		if h.platform != os && !(h.platform == "Chrome OS" && os == useragent.ChromeOS) {
			osVersion = ""
		}
		os = h.platform
	}
	if h.platformVersion != "" {
		osVersion = h.platformVersion
		if os == useragent.Windows {
			osVersion = windows(h.platformVersion)
		}
	}
	if h.brand != "" {
		browser, version = h.brand, h.brandVersion
	}
	if h.model != "" {
		model = h.model
	}
	switch {
	case a.kind == "bot" || a.kind == "tv" || h.mobile == "":
	case h.mobile == "true":
		a.kind = "mobile"
	case os == useragent.Android:
		a.kind = "tablet" // Chrome says ?0 on Android's large screens
	default:
		a.kind = "desktop"
	}
	if ua == "" && h == (hints{}) {
		return a
	}
	for _, f := range [...][2]string{{"type", a.kind}, {"os", os}, {"os_version", osVersion}, {"browser", browser}, {"browser_version", version}, {"model", model}} {
		if f[1] == "" {
			continue
		}
		if len(a.device) > 0 {
			a.device = append(a.device, ',')
		}
		a.device = append(rawjson.AppendText(a.device, f[0]), ':')
		a.device = rawjson.AppendText(a.device, clip(f[1], 60))
	}
	return a
}

// windows is the marketing version behind a platform version: 13 and up is Windows 11, 1 to 10 is
// Windows 10 (Microsoft Learn, "Detect Windows 11 using User-Agent Client Hints").
func windows(platformVersion string) string {
	major, _, _ := strings.Cut(platformVersion, ".")
	switch {
	case len(major) == 2 && major >= "13":
		return "11"
	case major == "0" || major == "":
		return ""
	}
	return "10"
}

// clip cuts s to at most n bytes, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
