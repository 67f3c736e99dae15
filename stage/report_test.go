package stage

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

type reporting struct{ SinkFunc[int] }

func (reporting) Report(r *SinkReport) {
	r.Bytes += 7
	r.Breaker = max(r.Breaker, BreakerOpen)
}

func TestReportSink(t *testing.T) {
	r := SinkReport{Bytes: 1, Breaker: BreakerHalfOpen}
	ReportSink[int](SinkFunc[int](nil), &r)
	require.Equal(t, SinkReport{Bytes: 1, Breaker: BreakerHalfOpen}, r, "a sink need not report")
	ReportSink[int](reporting{}, &r)
	require.Equal(t, SinkReport{Bytes: 8, Breaker: BreakerOpen}, r)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.JSONEq(t, `{"bytes":8,"retries":0,"abandoned":0,"throttled":0,"opened":0,"breaker":"open"}`, string(text))
	var back SinkReport
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, r, back)
	require.ErrorContains(t, json.Unmarshal([]byte(`{"breaker":"ajar"}`), &back), "ajar")
}
