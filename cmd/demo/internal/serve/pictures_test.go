package serve

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "`directory` that TestScreenshots writes pictures of the page to")

// TestScreenshots takes the pictures of the documents:
//
//	go test ./internal/serve -run Screenshots -screenshots DIR
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("-screenshots says where to")
	}
	s := settings()
	s.Rate, s.Queue, s.Batch, s.Interval, s.Latency = 20_000, 8192, 512, 100*time.Millisecond, 5*time.Millisecond
	s.Fallback, s.Breaker = "memory", 5
	h := newServed(t, Config{Settings: s})
	b := open(t, h)
	b.see("a flow", number("batches", "cut by size")+" > 300")
	b.do(chromedp.Click("#stall", chromedp.ByID))
	b.see("evictions", number("misses", "evicted for newer ones")+" > 20000")
	b.do(chromedp.Click("#stall", chromedp.ByID))
	h.want(200, "", "POST", "/api/knobs", `{"fail_rate":0.3}`)
	b.see("the fallback", `/[1-9]/.test(document.querySelector("#house-text").textContent.split("fallback")[1] || "")`)
	b.see("a while", number("batches", "cut by size")+" > 800")
	for _, shot := range []struct {
		name, scheme  string
		width, height int64
		scale         float64
	}{{"serve-light", "light", 1360, 900, 1}, {"serve-dark", "dark", 1360, 900, 1}, {"serve-phone", "light", 390, 1500, 1}} {
		var png []byte
		b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: shot.scheme}}),
			emulation.SetDeviceMetricsOverride(shot.width, shot.height, shot.scale, shot.width < 500))
		b.see("the next figures", `new Promise(done => setTimeout(() => done(true), 600))`)
		b.do(chromedp.CaptureScreenshot(&png))
		if err := os.WriteFile(filepath.Join(*screenshots, shot.name+".png"), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
