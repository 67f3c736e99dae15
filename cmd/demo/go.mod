module github.com/penstock-go/penstock/cmd/demo

go 1.25

require (
	github.com/benbjohnson/clock v1.3.5
	github.com/penstock-go/penstock v0.0.0
)

require github.com/sourcegraph/conc v0.3.0 // indirect

replace github.com/penstock-go/penstock => ../..
