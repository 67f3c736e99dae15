package serve

import (
	"fmt"
	"net"
	"net/netip"
)

// CheckAddr refuses an address that other machines may reach, unless public.
func CheckAddr(addr string, public bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("-addr is %q: %w", addr, err)
	}
	ip, err := netip.ParseAddr(host)
	if public || host == "localhost" || err == nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("-addr is %q, which other machines may reach; want 127.0.0.1, [::1] or localhost, or the flag -public", addr)
}
