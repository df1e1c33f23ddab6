package ingest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"grounded/ingest"
	"grounded/ingest/chunk"
	"grounded/ingest/parse"
	"grounded/ingest/verify"
	"grounded/store"
	"grounded/store/qdrant"
	"grounded/store/qdrant/qdranttest"
	"grounded/store/sqlite"
)

// ingestArgument makes the test binary ingest a folder into a file, or a server.
const ingestArgument = "__ingest"

// serverMark is before the address of a Qdrant server, where else there is the path of a file.
const serverMark = "qdrant:"

// openTarget opens a file or a server.
func openTarget(ctx context.Context, target string) (store.Store, error) {
	if address, ok := strings.CutPrefix(target, serverMark); ok {
		return qdrant.Open(ctx, qdrant.Config{Address: address, Timeout: 10 * time.Second, RetryFor: 2 * time.Minute})
	}
	return sqlite.Open(ctx, sqlite.Config{Path: target})
}

func ingestAlone(dir, db string) int {
	ctx := context.Background()
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s, err := openTarget(ctx, db)
	if err != nil {
		return fail(err)
	}
	pool, err := parse.New(parse.Config{Workers: 1})
	if err != nil {
		return fail(err)
	}
	in, err := ingest.New(ctx, ingest.Config{Store: s, Embedder: &embedder{name: "e"}, Parser: pool, Chunk: chunk.Config{TargetTokens: 30}, BatchTexts: 4,
		Scratch: filepath.Join(filepath.Dir(dir), "scratch")})
	if err != nil {
		return fail(err)
	}
	if _, err := in.Run(ctx, ingest.Request{Collection: "c", Paths: []string{dir}, Prune: true}, nil); err != nil {
		return fail(err)
	}
	if err := pool.Close(); err != nil {
		return fail(err)
	}
	if err := s.Close(); err != nil {
		return fail(err)
	}
	return 0
}

// dump writes down all that is stored, but for times.
func dump(t *testing.T, s store.Store) string {
	t.Helper()
	var b strings.Builder
	q := store.DocumentQuery{Scope: everything, Limit: 1000}
	docs, _, err := s.Documents(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		d.IngestedAt, d.ModifiedAt = time.Time{}, time.Time{}
		fmt.Fprintf(&b, "%+v\n", d)
		chunks, err := s.DocumentChunks(t.Context(), everything, d.ID, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			vectors, err := s.Vectors(t.Context(), "c", []string{c.InputHash()})
			if err != nil {
				t.Fatal(err)
			}
			hits, err := s.Search(t.Context(), store.Query{Scope: everything, Vector: vectors[c.InputHash()], Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "  %+v %v found %t\n", c, vectors[c.InputHash()], len(hits) == 1 && hits[0].Chunk.InputHash() == c.InputHash())
		}
	}
	quarantined, err := s.Quarantined(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range quarantined {
		q.At = time.Time{}
		fmt.Fprintf(&b, "%+v\n", q)
	}
	return b.String()
}

func TestKilledRunsEndAsAnUndisturbedOne(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for a few seconds")
	}
	dir := filepath.Join(t.TempDir(), "docs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 60 {
		write(fmt.Sprintf("%02d.txt", i), article(fmt.Sprintf("subject %d", i), 3))
	}
	writeArchive := func(subject string) {
		members := []string{"inner.zip", archived(t, "0.txt", article(subject+" inside", 2), "1.pdf", "no PDF")}
		for i := range 10 {
			members = append(members, fmt.Sprintf("%s %d.txt", subject, i), article(fmt.Sprintf("%s %d", subject, i), 2))
		}
		write("01.zip", archived(t, members...))
		write("02.eml", "From: a@x.org\nSubject: "+subject+"\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"+article(subject, 2)+
			"\n--b\nContent-Type: text/plain; name="+strings.ReplaceAll(subject, " ", "-")+".txt\n\n"+article(subject+" attached", 2)+"\n--b--\n")
	}
	writeArchive("subject")
	write("empty.txt", " ")

	command := func(db string) *exec.Cmd {
		cmd := exec.Command(os.Args[0], ingestArgument, dir, db)
		cmd.Stderr = os.Stderr
		return cmd
	}
	undisturbed := filepath.Join(t.TempDir(), "undisturbed.db")
	started := time.Now()
	if err := command(undisturbed).Run(); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(started)

	killed := filepath.Join(t.TempDir(), "killed.db")
	r := rand.New(rand.NewPCG(3, 5))
	for round := range 12 {
		cmd := command(killed)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Every other round also changes a document, so that replacing is interrupted as well.
		if round%2 == 1 {
			write("00.txt", article(fmt.Sprintf("change %d", round), 3))
			writeArchive(fmt.Sprintf("change %d", round))
		}
		wait := time.NewTimer(time.Duration(r.Float64() * float64(whole)))
		<-wait.C
		_ = cmd.Process.Kill() // it may have ended already
		_ = cmd.Wait()
	}
	write("00.txt", article("subject 0", 3))
	writeArchive("subject")
	if err := command(killed).Run(); err != nil {
		t.Fatal(err)
	}
	dumps := map[string]string{}
	for _, db := range []string{undisturbed, killed} {
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "scratch", "run-*")); err != nil || len(left) > 0 {
			t.Errorf("%s: unpacked files are left: %q, %v", db, left, err)
		}
		s, err := sqlite.Open(t.Context(), sqlite.Config{Path: db})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", db, err)
		}
		if report := verified(t, s, dir); !report.Healthy {
			t.Errorf("%s: %+v", db, report)
		}
		dumps[db] = strings.ReplaceAll(dump(t, s), "found false", "NOT FOUND")
		if c, err := s.Collection(t.Context(), "c"); err != nil || c.Documents != 75 || c.Quarantined != 2 {
			t.Errorf("%s: %+v, %v", db, c, err)
		}
		s.Close()
	}
	if strings.Contains(dumps[killed], "NOT FOUND") {
		t.Error("chunks are stored and not found")
	}
	if got, want := dumps[killed], dumps[undisturbed]; got != want {
		t.Errorf("what killed runs left is not what an undisturbed one did:\n%s", firstDifference(got, want))
	}
}

func TestTwoProcessesThatIngestTheSameEndAsOne(t *testing.T) {
	for name, target := range map[string]func(t *testing.T) string{
		"embedded": func(t *testing.T) string { return filepath.Join(t.TempDir(), "grounded.db") },
		"qdrant":   func(t *testing.T) string { return serverMark + qdranttest.Start(t).Address },
	} {
		t.Run(name, func(t *testing.T) {
			const documents = 40
			dir, target := filepath.Join(t.TempDir(), "docs"), target(t)
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			for round := range 3 {
				for i := range documents {
					text := article(fmt.Sprintf("subject %d in round %d", i, round), 3)
					if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.txt", i)), []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				var both [2]*exec.Cmd
				for i := range both {
					both[i] = exec.Command(os.Args[0], ingestArgument, dir, target)
					both[i].Stderr = os.Stderr
					if err := both[i].Start(); err != nil {
						t.Fatal(err)
					}
				}
				for _, cmd := range both {
					if err := cmd.Wait(); err != nil {
						t.Fatal(err)
					}
				}
				s, err := openTarget(t.Context(), target)
				if err != nil {
					t.Fatal(err)
				}
				if report := verified(t, s, dir); !report.Healthy || report.Documents != documents {
					t.Errorf("round %d: %+v", round, report)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// verified compares the store with the folder.
func verified(t testing.TB, s store.Store, dir string) verify.Report {
	t.Helper()
	pool, err := parse.New(parse.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	in, err := ingest.New(t.Context(), ingest.Config{Store: s, Embedder: &embedder{name: "e"}, Parser: pool, Chunk: chunk.Config{TargetTokens: 30}})
	if err != nil {
		t.Fatal(err)
	}
	report, err := verify.Run(t.Context(), verify.Config{Ingester: in, Collection: "c", Paths: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// BenchmarkKills kills ingests at 50 random moments, runs each once more to its end, and counts what is lost, double and
// orphaned then: into the embedded store, into Qdrant, and into a Qdrant server that is killed instead.
func BenchmarkKills(b *testing.B) {
	b.Run("embedded", func(b *testing.B) {
		benchmarkKills(b, filepath.Join(b.TempDir(), "killed.db"), func(cmd *exec.Cmd) { _ = cmd.Process.Kill() })
	})
	b.Run("qdrant", func(b *testing.B) {
		benchmarkKills(b, serverMark+qdranttest.Start(b).Address, func(cmd *exec.Cmd) { _ = cmd.Process.Kill() })
	})
	b.Run("server", func(b *testing.B) {
		server := qdranttest.Start(b)
		benchmarkKills(b, serverMark+server.Address, func(*exec.Cmd) {
			server.Kill()
			server.Restart()
		})
	})
}

func benchmarkKills(b *testing.B, target string, kill func(*exec.Cmd)) {
	const kills, documents = 50, 40
	dir := filepath.Join(b.TempDir(), "docs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	write := func(i, version int) {
		b.Helper()
		text := article(fmt.Sprintf("subject %d in version %d", i, version), 3)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.txt", i)), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	// run ingests, and reports whether it was still at work when something was killed after a wait.
	run := func(wait time.Duration) (took time.Duration, hit bool) {
		b.Helper()
		cmd := exec.Command(os.Args[0], ingestArgument, dir, target)
		cmd.Stderr = os.Stderr
		started := time.Now()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if wait > 0 {
			select {
			case err := <-ended:
				ended <- err
			case <-time.After(wait):
				hit = true
				kill(cmd)
			}
		}
		if err := <-ended; err != nil && !hit {
			b.Fatal(err)
		}
		return time.Since(started), hit
	}
	counts := map[string]int{}
	killed := 0
	for b.Loop() {
		for i := range documents {
			write(i, 0)
		}
		whole, _ := run(0)
		r := rand.New(rand.NewPCG(7, 11))
		for round := 1; killed < kills; round++ {
			for i := range documents { // each round has as much to do as the first
				write(i, round)
			}
			if _, hit := run(1 + time.Duration(r.Float64()*float64(whole))); !hit {
				continue
			}
			killed++
			run(0)
			s, err := openTarget(b.Context(), target)
			if err != nil {
				b.Fatal(err)
			}
			report := verified(b, s, dir)
			for kind, n := range report.Counts {
				counts[kind] += n
			}
			if report.Documents != documents {
				b.Errorf("after kill %d there are %d documents of %d", killed, report.Documents, documents)
			}
			s.Close()
		}
	}
	b.ReportMetric(float64(killed), "kills")
	b.ReportMetric(float64(counts[verify.Lost]), "lost")
	b.ReportMetric(float64(counts[verify.Double]), "double")
	b.ReportMetric(float64(counts[verify.Damaged]), "orphans")
	b.ReportMetric(0, "ns/op")
	for kind, n := range counts {
		b.Errorf("%d faults are %s", n, kind)
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}
