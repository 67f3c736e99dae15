package sweep

import (
	_ "embed"
	"html/template"
	"io"

	"github.com/penstock-go/penstock/cmd/demo/internal/view"
)

//go:embed report.html
var page string

var reportPage = template.Must(template.New("report").Parse(page))

// Row is one combination in a table.
type Row struct {
	Values  []string
	Figures []string // of Metrics, in their order
	Rounds  int
}

// Rows are all combinations that were measured.
func (r *Result) Rows() (rows []Row) {
	cells, _ := r.Grid.Cells()
	for _, cell := range cells {
		row := Row{Values: cell, Rounds: len(r.cellValues(Metrics[0], cell))}
		if row.Rounds == 0 {
			continue
		}
		for i := range Metrics {
			row.Figures = append(row.Figures, Metrics[i].Format(median(r.cellValues(Metrics[i], cell))))
		}
		rows = append(rows, row)
	}
	return rows
}

// HTML writes a page that needs nothing else.
func (r *Result) HTML(w io.Writer) error {
	var plots []template.HTML
	for _, p := range r.Plots() {
		plots = append(plots, template.HTML(p.SVG)) // made here, of escaped text
	}
	return reportPage.Execute(w, struct {
		*Result
		Title   string
		Metrics []Metric
		Plots   []template.HTML
	}{r, view.Title(&r.Base), Metrics, plots})
}
