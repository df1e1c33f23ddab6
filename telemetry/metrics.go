package telemetry

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"grounded/corpus"
	"grounded/model"
)

// metrics are what Prometheus reads. Lengths of time are in seconds, costs in US dollars.
type metrics struct {
	registry *prometheus.Registry

	requests   *prometheus.CounterVec
	errors     *prometheus.CounterVec
	latency    *prometheus.HistogramVec
	inFlight   prometheus.Gauge
	retrieval  *prometheus.HistogramVec
	storeCalls *prometheus.HistogramVec

	modelCalls   *prometheus.HistogramVec
	firstToken   *prometheus.HistogramVec
	tokens       *prometheus.CounterVec
	cost         *prometheus.CounterVec
	unknownUsage *prometheus.CounterVec

	answers     *prometheus.CounterVec
	answerFirst *prometheus.HistogramVec
	citations   *prometheus.CounterVec
	unsupported prometheus.Counter

	jobsEnded     *prometheus.CounterVec
	documents     *prometheus.CounterVec
	documentTimes prometheus.Histogram
	pages         prometheus.Counter
	chunks        *prometheus.CounterVec

	lostSpans prometheus.Counter
}

// Buckets in seconds: of what a person waits for, from a search in memory to a long answer; of the search itself; of a
// document, from a note to a scanned book.
var (
	waits     = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}
	searches  = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	documents = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800}
)

func newMetrics(version, commit string) *metrics {
	r := prometheus.NewRegistry()
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "grounded_" + name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "grounded_" + name, Help: help, Buckets: buckets}, labels)
		r.MustRegister(h)
		return h
	}
	m := &metrics{
		registry: r,
		requests: counter("http_requests_total", "Requests that were answered, by route of the contract; route none is a path that is not there.", "method", "route", "status"),
		errors:   counter("http_errors_total", "Requests that ended with an error, also within a stream, by its code: rate_limit_exceeded and overloaded are refusals.", "code"),
		latency:  histogram("http_request_seconds", "Time to the last byte of an answer.", waits, "method", "route"),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "grounded_http_requests_in_flight", Help: "Requests that are being answered."}),

		retrieval:  histogram("retrieval_seconds", "Time of a retrieval: the question's vector, the search, reranking.", searches, "mode", "outcome"),
		storeCalls: histogram("store_seconds", "Time of a call to the store.", searches, "operation", "outcome"),

		modelCalls:   histogram("model_seconds", "Time of a call to a model with its retries.", waits, "model", "operation", "outcome"),
		firstToken:   histogram("model_first_token_seconds", "Time from a call to a chat model to its first text, where it streams.", waits, "model"),
		tokens:       counter("model_tokens_total", "Tokens that models' servers counted.", "model", "kind"),
		cost:         counter("model_cost_usd_total", "US dollars of the tokens counted, by the catalog's prices.", "model"),
		unknownUsage: counter("model_unknown_usage_total", "Calls whose tokens the model's server did not tell; they are in no other count.", "model"),

		answers:     counter("answers_total", "Answers by arm: answered, abstained or failed.", "model", "arm", "outcome"),
		answerFirst: histogram("answer_first_token_seconds", "Time from a question to the first text of its answer, retrieval included.", waits, "arm"),
		citations:   counter("citations_total", "Citations of answers, by who made them and whether the quote was found to support the sentence.", "origin", "verified"),

		jobsEnded: counter("jobs_ended_total", "Jobs that ended here.", "kind", "status"),
		documents: counter("ingest_documents_total", "Documents that were ingested here, by outcome.", "outcome"),
		chunks:    counter("ingest_chunks_total", "Chunks that were written, of which the vectors were reused or made.", "kind"),
	}
	m.unsupported = prometheus.NewCounter(prometheus.CounterOpts{Name: "grounded_unsupported_sentences_total", Help: "Sentences of grounded answers that no passage supports."})
	m.documentTimes = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "grounded_ingest_document_seconds", Help: "Time of a document that was new or had changed.", Buckets: documents})
	m.pages = prometheus.NewCounter(prometheus.CounterOpts{Name: "grounded_ingest_pages_total", Help: "Pages that were read."})
	m.lostSpans = prometheus.NewCounter(prometheus.CounterOpts{Name: "grounded_trace_spans_lost_total", Help: "Spans that the trace collector did not take."})
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "grounded_build_info", Help: "1; its labels say what runs."}, []string{"version", "commit"})
	build.WithLabelValues(version, commit).Set(1)
	r.MustRegister(m.inFlight, m.unsupported, m.documentTimes, m.pages, m.lostSpans, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers in Prometheus' text format, or OpenMetrics where it is asked for.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.metrics.registry, promhttp.HandlerOpts{Registry: t.metrics.registry, EnableOpenMetrics: true})
}

// Gauge tells a number that is read when it is asked for.
func (t *Telemetry) Gauge(name, help string, labels map[string]string, read func() float64) error {
	return t.metrics.registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "grounded_" + name, Help: help, ConstLabels: labels}, read))
}

// Answer counts an answer of an arm; err is why there is none.
func (t *Telemetry) Answer(modelID, arm string, a corpus.Answer, err error) {
	outcome := "answered"
	switch {
	case err != nil:
		outcome = "failed"
	case a.Abstained:
		outcome = "abstained"
	}
	m := t.metrics
	m.answers.WithLabelValues(modelID, arm, outcome).Inc()
	if err != nil {
		return
	}
	if first := a.Timings.FirstTokenMS; first != nil {
		m.answerFirst.WithLabelValues(arm).Observe(*first / 1000)
	}
	for _, c := range a.Citations {
		verified := "false"
		if c.Verified {
			verified = "true"
		}
		m.citations.WithLabelValues(c.Origin, verified).Inc()
	}
	m.unsupported.Add(float64(len(a.Unsupported)))
}

// usage counts the tokens of a call to a chat model, and what they cost.
func (m *metrics) usage(card model.Card, prompt, completion *int) {
	if prompt == nil || completion == nil {
		m.unknownUsage.WithLabelValues(card.ID).Inc()
		return
	}
	m.tokens.WithLabelValues(card.ID, "prompt").Add(float64(*prompt))
	m.tokens.WithLabelValues(card.ID, "completion").Add(float64(*completion))
	m.spent(card, *prompt, *completion)
}

func (m *metrics) spent(card model.Card, prompt, completion int) {
	if cost := card.Cost(prompt, completion); cost != nil {
		m.cost.WithLabelValues(card.ID).Add(*cost)
	}
}

// outcome of a call, as a label. A caller that has gone is no failure.
func outcome(ctx context.Context, err error) string {
	switch {
	case err == nil:
		return "ok"
	case ctx.Err() != nil:
		return "cancelled"
	}
	return "failed"
}
