package serve

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
)

func TestInABrowser(t *testing.T) {
	s := settings()
	s.Fallback, s.Breaker = "memory", 3
	h := newServed(t, Config{Settings: s})
	b := open(t, h)
	b.see("batches", number("batches", "cut by age")+" > 3")
	b.see("a moving dot", `document.querySelector("#house .dot") !== null`)

	b.do(chromedp.Click("#stall", chromedp.ByID))
	b.see("the stall", `document.querySelector("#stall").getAttribute("aria-pressed") === "true"`)
	b.see("evictions", number("misses", "evicted for newer ones")+" > 0")
	var before float64
	b.do(chromedp.Evaluate(number("misses", "evicted for newer ones"), &before))
	b.see("more evictions", fmt.Sprintf("%s > %v", number("misses", "evicted for newer ones"), before))
	b.do(chromedp.Focus("#stall", chromedp.ByID), chromedp.KeyEvent("\r")) // by the keyboard
	b.see("the sink going on", `document.querySelector("#stall").getAttribute("aria-pressed") === "false"`)

	b.do(chromedp.Evaluate(`(() => { const k = document.querySelector("#k-fail"); k.value = 100; k.dispatchEvent(new Event("input")); k.dispatchEvent(new Event("change")); })()`, nil))
	b.see("the fallback and an open breaker", `document.querySelector("#calls").textContent.includes("open") && /[1-9]/.test(document.querySelector("#house-text").textContent.split("fallback")[1] || "")`)
	b.do(chromedp.Evaluate(`(() => { const k = document.querySelector("#k-fail"); k.value = 0; k.dispatchEvent(new Event("input")); k.dispatchEvent(new Event("change")); })()`, nil))
	b.see("the knob turned back", `document.querySelector("#o-fail").textContent === "0 %"`)
	b.do(chromedp.Click("#flush", chromedp.ByID))
	b.see("the flush", `document.querySelector("#answer").textContent.startsWith("Flushed in")`)

	b.do(chromedp.Focus("#close", chromedp.ByID), chromedp.KeyEvent("\r"))
	b.see("the focus on what can be done next", `document.activeElement.id === "restart"`)
	b.see("the verdict", `document.querySelector("#verdict").textContent.includes("the books balance")`)
	b.see("the balance", `document.querySelector("#balance").textContent === "balances" && document.querySelector("#state").textContent === "closed"`)
	b.do(chromedp.Click("#keep", chromedp.ByID))
	b.see("the kept experiment", `document.querySelector("#saved").textContent.includes("balance")`)

	b.do(chromedp.SetValue("#s-overflow", "wait", chromedp.ByID), chromedp.Click("#restart", chromedp.ByID))
	b.see("the second experiment", `document.querySelector("#run").textContent === "2" && document.querySelector("#title").textContent.endsWith("wait")`)
	b.do(chromedp.Click("#keep", chromedp.ByID))
	b.see("both side by side", `document.querySelectorAll("#saved thead th").length === 3 && document.querySelector("#saved .differs") !== null`)
	b.do(emulation.SetDeviceMetricsOverride(375, 800, 1, true))
	b.see("a page as wide as the phone", `document.documentElement.scrollWidth <= 375`)
	b.quiet()
}

func TestPageComesBackAfterABreak(t *testing.T) {
	h := newServed(t, Config{Settings: settings()})
	b := open(t, h)
	h.http.CloseClientConnections()
	b.see("the break", `document.querySelector("#link").textContent === "reconnecting"`)
	b.see("the page come back", `document.querySelector("#link").textContent === "live"`)
}

func TestAKnobStaysWhereTheKeyboardPutIt(t *testing.T) {
	h := newServed(t, Config{Settings: settings()})
	b := open(t, h)
	h.server.knobs.Lock() // the request takes its time, and the figures are old meanwhile
	b.do(chromedp.Focus("#k-producers", chromedp.ByID))
	for range 3 {
		b.do(chromedp.KeyEvent(kb.ArrowRight))
	}
	b.figures(2)
	var shown string
	b.do(chromedp.Evaluate(`document.querySelector("#k-producers").value + " " + document.querySelector("#o-producers").textContent`, &shown))
	if shown != "7 7" {
		t.Errorf("the knob jumped to %s", shown)
	}
	h.server.knobs.Unlock()
	b.see("seven producers at work", `document.querySelector("#house text.figure").textContent === "7"`)
	b.quiet()
}

func TestATorrentFillsThePipesAndNothingMoves(t *testing.T) {
	s := settings()
	s.Rate, s.Overflow = 0, lab.Wait
	b := open(t, newServed(t, Config{Settings: s}))
	b.see("full pipes", `document.querySelectorAll("#house .pipe.full").length > 3`)
	b.see("no dot in them", `document.querySelectorAll("#house .dot").length === 0`)
	b.do(chromedp.Evaluate(`(() => { const k = document.querySelector("#k-rate"); k.value = 3; k.dispatchEvent(new Event("input")); k.dispatchEvent(new Event("change")); })()`, nil))
	b.see("dots", `document.querySelectorAll("#house .pipe.full").length === 0 && document.querySelectorAll("#house .dot").length > 3`)
	at := `[...document.querySelectorAll("#house .dot")].map(d => d.getAttribute("cx") + " " + d.getAttribute("cy")).join()`
	var before string
	b.do(chromedp.Evaluate(at, &before))
	b.see("dots that move", fmt.Sprintf("%s !== %q", at, before))
	b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}))
	b.see("dots at rest", `matchMedia("(prefers-reduced-motion: reduce)").matches && document.querySelectorAll("#house .dot").length <= 5`)
	b.figures(1) // they come to rest with the next figures
	b.do(chromedp.Evaluate(at, &before))
	b.figures(2)
	var after string
	b.do(chromedp.Evaluate(at, &after))
	if after != before {
		t.Errorf("dots moved from %s to %s", before, after)
	}
	b.quiet()
}
