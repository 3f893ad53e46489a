package poll

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kindred/serving/ingest/secret"
)

func TestOtherHostsAndPrivateAddressesAreRefused(t *testing.T) {
	reached := false
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached = true; fmt.Fprint(w, `[]`) }))
	defer inner.Close()
	var mux http.ServeMux
	mux.HandleFunc("/here", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", http.StatusFound) })
	mux.HandleFunc("/there", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `[{"id":"ann"}]`) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner.URL, http.StatusFound) })
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	mux.HandleFunc("/link", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "<"+inner.URL+">; rel=next")
		fmt.Fprint(w, `[]`)
	})
	outer := httptest.NewServer(&mux)
	defer outer.Close()
	try := func(address string, change func(*Config)) error {
		h := new(house)
		cfg := Default()
		cfg.Name, cfg.URL, cfg.Pages = "crm", address, "link"
		if change != nil {
			change(&cfg)
		}
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		p, err := New(cfg, Deps{Accept: h.accept, Store: h, Secrets: secret.System(), Now: time.Now, Jitter: func() float64 { return 0 }})
		if err != nil {
			t.Fatal(err)
		}
		return p.Once(t.Context())
	}
	if err := try(outer.URL+"/here", nil); err != nil {
		t.Errorf("a redirect on the same host: %v", err)
	}
	for path, want := range map[string]string{"/away": "redirect: it leads to", "/round": "redirects", "/link": "next page: it leads to"} {
		if err := try(outer.URL+path, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if reached {
		t.Error("another host was asked")
	}
	// A name of the outside that resolves to this machine, as an attacker's would.
	guarded := Default()
	guarded.URL = "https://crm.example/"
	if _, err := Client(guarded).Get(inner.URL); err == nil || !strings.Contains(err.Error(), "not a public address") || reached {
		t.Errorf("connected to a private address: %v", err)
	}
	guarded.AllowPrivate = []string{"127.0.0.0/8", "::1/128"}
	if _, err := Client(guarded).Get(inner.URL); err != nil || !reached {
		t.Errorf("an allowed address: %v", err)
	}
}

func TestWhatIsPublic(t *testing.T) {
	for a, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "10.0.0.1": false, "172.16.3.4": false, "192.168.1.1": false, "127.0.0.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "::1": false, "::": false, "fe80::1%eth0": false, "fd00:ec2::254": false,
		"::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true, "64:ff9b::a00:1": false, "2002:a00:1::": false, "::7f00:1": false, "ff02::1": false,
	} {
		if got := isPublic(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %v, want %v", a, got, want)
		}
	}
}
