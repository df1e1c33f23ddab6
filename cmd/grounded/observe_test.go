package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"grounded/telemetry/telemetrytest"
)

// TestWhatIsUploadedIsCountedAndTraced runs the server with metrics on an address of their own, and stops it, which
// sends the last traces.
func TestWhatIsUploadedIsCountedAndTraced(t *testing.T) {
	models := newModelServer()
	defer models.Close()
	collector := telemetrytest.Start(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "collector-key=mine")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
	s := newSite(t, models.URL, "{lease: 2s}\nmetrics: {address: 127.0.0.1:0}")
	var log output
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	exit := make(chan int, 1)
	go func() {
		p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: &log, env: os.LookupEnv}
		exit <- p.run(ctx, []string{"--config", s.file, "serve", "--address", "127.0.0.1:0"})
	}()
	base := log.find(t, `listening on (http://[0-9.:]+)`)
	metrics := log.find(t, `"metrics are served","address":"(http://[^"]+)"`)
	id := s.upload(t, base, "admin", "alpha", map[string][]byte{"leave.md": []byte("# Leave\n\nEveryone has 27 days."), "bad.pdf": []byte("%PDF-1.4 nothing")})
	if j := s.until(t, base, "admin", id, ended); j.Status != "failed" {
		t.Fatalf("got %+v", j)
	}
	log.find(t, `"job ended"`)
	status, text := call(t, "GET", metrics, "", "")
	for _, line := range []string{
		`grounded_ingest_documents_total{outcome="new"} 1`,
		`grounded_ingest_documents_total{outcome="quarantined"} 1`,
		`grounded_ingest_chunks_total{kind="written"} 1`,
		`grounded_ingest_chunks_total{kind="embedded"} 1`,
		`grounded_ingest_pages_total 1`,
		`grounded_ingest_document_seconds_count 2`,
		`grounded_jobs_ended_total{kind="ingest",status="failed"} 1`,
		`grounded_store_seconds_count{operation="replace",outcome="ok"} 1`,
		`grounded_model_tokens_total{kind="embedding",model="words"} `,
		`grounded_build_info{commit="",version="dev"} 1`,
		`grounded_http_requests_total{method="POST",route="/api/collections/{collection}/documents",status="202"} 1`,
	} {
		if status != http.StatusOK || !strings.Contains(text, "\n"+line) {
			t.Errorf("status %d, there is no %s in\n%s", status, line, text)
		}
	}
	if status, _ := call(t, "GET", strings.TrimSuffix(metrics, "metrics"), "", ""); status != http.StatusNotFound {
		t.Errorf("beside the metrics there is something: status %d", status)
	}
	if status, _ := call(t, "GET", base+"/metrics", s.secret["alpha"], ""); status != http.StatusForbidden {
		t.Errorf("a key that is no admin's is answered by %d", status)
	}
	stop()
	if code := <-exit; code != 0 {
		t.Errorf("exit code %d: %s", code, log.String())
	}
	names := map[string]string{}
	for _, span := range collector.Spans() {
		names[span.Name] = span.Error
	}
	for name, kind := range map[string]string{"job ingest": "invalid", "embeddings words": "", "store replace": "", "POST /api/collections/{collection}/documents": ""} {
		if got, ok := names[name]; !ok || got != kind {
			t.Errorf("span %s ended with %q, want %q; there are %v", name, got, kind, names)
		}
	}
	if key := collector.Header().Get("Collector-Key"); key != "mine" {
		t.Errorf("the collector is sent the key %q", key)
	}
}

func TestWhatCannotBeToldIsRefusedAtTheStart(t *testing.T) {
	folder := t.TempDir()
	for settings, want := range map[string]string{
		"metrics: {address: nowhere}":      "metrics.address",
		"tracing: {endpoint: 'localhost'}": "http://localhost:4318",
		"tracing: {sample_ratio: 7}":       "from 0 to 1",
	} {
		file := folder + "/grounded.yaml"
		if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, notes := command(t, "--config", file, "serve", "--address", "127.0.0.1:0"); code == 0 || !strings.Contains(notes, want) {
			t.Errorf("%s: exit %d: %s", settings, code, notes)
		}
	}
}
