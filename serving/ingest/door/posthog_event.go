package door

import (
	"encoding/json"
	"strings"
	"time"
)

// posthogEvent is one event on its way into a call.
type posthogEvent struct {
	event  *object // what is still to be placed
	props  *object
	call   *object
	ctx    *object
	traits json.RawMessage // for an identify behind the call, or nil
}

// translate makes the call, or says why there is none:
//
//	$pageview        page
//	$pageleave       track Page Left, with dwell_seconds and depth
//	$screen          screen
//	$identify, $set  identify, traits from $set and, where it lacks them, $set_once
//	$create_alias    alias
//	$groupidentify   group
//	$autocapture     track Clicked, where a click was captured
func (e *posthogEvent) translate(sent time.Time) (reason string) {
	name := e.event.takeText("event")
	if name == "" {
		return "event: is missing or empty; it is the event's name"
	}
	p := e.props
	if id := e.event.takeText("uuid"); id != "" {
		e.call.setText("messageId", id)
	} else {
		e.call.setText("messageId", p.text("$insert_id"))
	}
	e.times(sent)
	e.person(name)
	traits := e.setTraits()
	e.surroundings()
	switch name {
	case "$pageview":
		e.call.setText("type", "page")
		e.call.setText("name", p.text("title"))
		p.lacks(e.ctx.child("page"))
	case "$screen":
		e.call.setText("type", "screen")
		e.call.setText("name", p.takeText("$screen_name"))
	case "$identify", "$set":
		e.call.setText("type", "identify")
		e.call.set("traits", traits)
		traits = nil
	case "$create_alias":
		e.call.setText("type", "alias")
		e.call.setText("previousId", p.takeText("alias"))
	case "$groupidentify":
		if strings.HasPrefix(e.call.text("userId"), "$") {
			return "distinct_id: names no person; a group is described here by a member"
		}
		e.call.setText("type", "group")
		e.call.setText("groupId", p.takeText("$group_key"))
		e.call.set("traits", p.take("$group_set"))
	default:
		e.track(name)
	}
	e.traits = traits
	e.call.setObject("properties", p)
	e.call.setObject("context", e.ctx)
	e.event.take("type")
	e.event.take("properties")
	e.call.lacks(e.event) // fields we do not know
	return ""
}

// track makes a track call, under our name for what PostHog captures by itself.
func (e *posthogEvent) track(name string) {
	p := e.props
	switch {
	case name == "$pageleave":
		name = "Page Left"
		if seconds := p.text("$prev_pageview_duration"); seconds != "" {
			p.setNumber("dwell_seconds", seconds)
		}
		if depth := p.text("$prev_pageview_max_scroll_percentage"); depth != "" {
			p.setNumber("depth", depth)
		}
	case name == "$autocapture" && p.text("$event_type") == "click":
		name = "Clicked"
	}
	e.call.setText("type", "track")
	e.call.setText("event", name)
}

// person says who acted. A distinct id is a user, unless the event says that the person is not
// identified: then it is an anonymous id. $device_id, which a browser keeps through
// identification, and $anon_distinct_id link the two.
func (e *posthogEvent) person(name string) {
	p := e.props
	id := e.event.takeText("distinct_id")
	if inner := p.text("distinct_id"); id == "" || name == "$create_alias" && inner != "" {
		id = inner
	}
	p.take("distinct_id")
	device, former := p.takeText("$device_id"), p.takeText("$anon_distinct_id")
	unknown := id == device || string(p.get("$is_identified")) == "false" || p.text("$user_state") == "anonymous" ||
		string(p.get("$process_person_profile")) == "false"
	if unknown && name != "$identify" && name != "$create_alias" {
		e.call.setText("anonymousId", id)
		return
	}
	if former == "" && device != id {
		former = device
	}
	e.call.setText("userId", id)
	if name != "$create_alias" && name != "$groupidentify" && former != id {
		e.call.setText("anonymousId", former)
	}
}

// setTraits takes $set and $set_once, of the event and of its properties; the event's
// go first, and $set before $set_once. Nil where they say nothing.
func (e *posthogEvent) setTraits() json.RawMessage {
	all := newObject()
	for _, name := range []string{"$set", "$set_once"} {
		all.lacks(e.event.child(name))
		all.lacks(e.props.child(name))
		e.event.take(name)
		e.props.take(name)
	}
	if len(all.names) == 0 {
		return nil
	}
	return all.bytes()
}

// surroundings moves what has a place in a context there.
func (e *posthogEvent) surroundings() {
	p := e.props
	page := pageOf(p.takeText("$current_url"), p.text("title"), p.takeText("$referrer"))
	if path := p.takeText("$pathname"); path != "" {
		page.setText("path", path)
	}
	if page.get("url") != nil || page.get("path") != nil {
		e.ctx.setObject("page", page)
	}
	into := func(name string, fields ...[2]string) {
		o := newObject()
		for _, f := range fields {
			o.set(f[0], p.take(f[1]))
		}
		e.ctx.setObject(name, o)
	}
	into("library", [2]string{"name", "$lib"}, [2]string{"version", "$lib_version"})
	into("os", [2]string{"name", "$os"}, [2]string{"version", "$os_version"})
	into("app", [2]string{"name", "$app_name"}, [2]string{"version", "$app_version"}, [2]string{"build", "$app_build"}, [2]string{"namespace", "$app_namespace"})
	into("device", [2]string{"type", "$device_type"}, [2]string{"manufacturer", "$device_manufacturer"}, [2]string{"model", "$device_model"})
	into("screen", [2]string{"width", "$screen_width"}, [2]string{"height", "$screen_height"})
	into("viewport", [2]string{"width", "$viewport_width"}, [2]string{"height", "$viewport_height"})
	into("campaign", [2]string{"source", "utm_source"}, [2]string{"name", "utm_campaign"}, [2]string{"medium", "utm_medium"},
		[2]string{"term", "utm_term"}, [2]string{"content", "utm_content"})
	e.ctx.setText("ip", p.takeText("$ip"))
	e.ctx.setText("timezone", p.takeText("$timezone"))
	e.ctx.setText("sessionId", p.takeText("$session_id"))
	e.ctx.setText("locale", p.takeText("$browser_language"))
	e.ctx.setText("userAgent", p.takeText("$raw_user_agent"))
	e.ctx.set("groups", p.take("$groups"))
	p.take("token")
	p.take("api_key")
}
