package follow

import "testing"

func TestRotatedNames(t *testing.T) {
	for name, want := range map[string]bool{
		"app.log": false, "app.log.1": true, "app.log.12": true, "app.log-20240101": true, "app.log.2024-01-01": true,
		"app-20240101T000000.000Z-000001.log": true, "app-2.log": false, "app.log.gz": false, "app.log.1.gz": false,
		"app.log.old": false, "app.log.": false, "apple.log": false, "app2.log": false, "other.log.1": false,
	} {
		if _, ok := rotated("app.log", name); ok != want {
			t.Errorf("%s: %v", name, ok)
		}
	}
	order := []string{"app.log-20240101", "app.log-20240102", "app.log.10", "app.log.9", "app.log.1"}
	for i := 1; i < len(order); i++ {
		a, _ := rotated("app.log", order[i-1])
		b, _ := rotated("app.log", order[i])
		if a.compare(b) >= 0 || b.compare(a) <= 0 || a.compare(a) != 0 {
			t.Errorf("%s is not before %s", order[i-1], order[i])
		}
	}
}
