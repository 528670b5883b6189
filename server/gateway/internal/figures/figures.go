// Package figures counts what the gateway does, for Prometheus.
package figures

import (
	"bytes"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

const prefix = "persona_gateway_"

// heap is the runtime's name of the memory that objects take.
const heap = "/memory/classes/heap/objects:bytes"

// buckets are those of the server's calls.
var buckets = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10}

// Figures are all that the gateway counts, in a registry of their own.
type Figures struct {
	registry   *prometheus.Registry
	requests   *prometheus.CounterVec
	seconds    prometheus.Histogram
	refused    *prometheus.CounterVec
	inFlight   prometheus.Gauge
	Handshakes prometheus.Counter // of TLS that failed
}

// New counts nothing yet. reasons are those that the gateway refuses for, and version is its own.
func New(version string, reasons []string) *Figures {
	f := &Figures{
		registry:   prometheus.NewRegistry(),
		requests:   vec("requests_total", "Answered requests by method and status; cut: the answer was broken off, or the caller left before it.", "method", "status"),
		refused:    vec("refused_total", "Requests that the gateway refused itself, without the server.", "reason"),
		seconds:    prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + "request_seconds", Help: "Seconds until a request was answered.", Buckets: buckets}),
		inFlight:   prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "requests_in_flight", Help: "Requests that are being answered."}),
		Handshakes: prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "tls_handshakes_failed_total", Help: "Handshakes of TLS that failed."}),
	}
	f.registry.MustRegister(f.requests, f.refused, f.seconds, f.inFlight, f.Handshakes)
	for _, reason := range reasons { // so that the first of each is seen to rise
		f.refused.WithLabelValues(reason)
	}
	labels := prometheus.Labels{"version": version, "go": runtime.Version()}
	f.Look("build_info", "What runs; always 1.", labels, func() float64 { return 1 })
	f.Look("goroutines", "Goroutines that there are.", nil, func() float64 { return float64(runtime.NumGoroutine()) })
	f.Look("heap_bytes", "Bytes that objects in memory take.", nil, heapBytes)
	return f
}

func vec(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
}

// Look adds a figure that is looked at whenever somebody asks.
func (f *Figures) Look(name, help string, labels prometheus.Labels, look func() float64) {
	f.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help, ConstLabels: labels}, look))
}

// Count adds a counter that somebody else counts.
func (f *Figures) Count(name, help string, look func() float64) {
	f.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + name, Help: help}, look))
}

// AddProcess adds what the system says of this process, for a gateway without a server that says it.
func (f *Figures) AddProcess() {
	labelled := prometheus.WrapRegistererWith(prometheus.Labels{"process": "gateway"}, f.registry)
	labelled.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// Begin counts a request; what it returns counts its end.
func (f *Figures) Begin() (end func(method, status string)) {
	begun := time.Now()
	f.inFlight.Inc()
	return func(method, status string) {
		f.inFlight.Dec()
		f.seconds.Observe(time.Since(begun).Seconds())
		f.requests.WithLabelValues(method, status).Inc()
	}
}

// Refused counts a request that the gateway refused itself.
func (f *Figures) Refused(reason string) { f.refused.WithLabelValues(reason).Inc() }

// Page is all of it in Prometheus's text format.
func (f *Figures) Page() []byte {
	var page bytes.Buffer
	families, _ := f.registry.Gather() // what can't be told is left out
	for _, family := range families {
		_, _ = expfmt.MetricFamilyToText(&page, family) // a buffer takes everything
	}
	return page.Bytes()
}

func heapBytes() float64 {
	sample := []metrics.Sample{{Name: heap}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64())
}
