package serve

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// policy lets the page load what this server has, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// guard stands in front of all handlers.
type guard struct {
	public bool     // other machines may ask
	hosts  []string // names that are ours, localhost excepted
	next   http.Handler
}

// ServeHTTP refuses what a page of another site may have sent.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if !g.ours(r.Host) {
		refuse(w, http.StatusForbidden, fmt.Errorf("host %.100q is not this server", r.Host))
		return
	}
	if r.URL.Path != "/" && !sameOrigin(r) {
		refuse(w, http.StatusForbidden, fmt.Errorf("requests of other origins are refused"))
		return
	}
	g.next.ServeHTTP(w, r)
}

// ours reports whether a Host header can be believed. A name that somebody
// else's name server points here would make this server and somebody else's
// page the same origin; an address cannot be pointed anywhere.
func (g *guard) ours(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if ip, err := netip.ParseAddr(host); err == nil {
		return g.public || ip.IsLoopback()
	}
	return host == "localhost" || slices.Contains(g.hosts, host)
}

// sameOrigin reports whether a request comes from our own page, from the
// address bar, or from a program that is no browser. Browsers say so in
// Sec-Fetch-Site, and old ones at least an Origin with what changes state.
func sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
	case "none":
		if r.Method != http.MethodGet {
			return false
		}
	case "":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	return origin == "" || origin == "http://"+r.Host
}
