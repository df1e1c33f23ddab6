package qdrant

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"

	"grounded/corpus"
	"grounded/store"
	"grounded/store/qdrant/qdranttest"
)

var testEmbedding = corpus.Embedding{Model: "test", Dimensions: 4, Normalised: true}

var inA = corpus.Scope{Collection: "a", Access: corpus.Access{Unrestricted: true}}

// made is a document of n chunks whose texts tell the edition.
func made(path, edition string, n int) (corpus.Document, []corpus.Page, []corpus.EmbeddedChunk) {
	d := corpus.Document{
		ID: corpus.NewDocumentID("a", "s", path), Collection: "a", Source: "s", Path: path, EmbeddingFingerprint: testEmbedding.Fingerprint(),
		PageCount: 1, ChunkCount: n,
	}
	var chunks []corpus.EmbeddedChunk
	for i := range n {
		c := corpus.Chunk{DocumentID: d.ID, Ordinal: i, PageStart: 1, PageEnd: 1, Text: fmt.Sprintf("%s of %s, part %d", edition, path, i)}
		c.ID = corpus.NewChunkID(d.ID, c.Text, 0)
		chunks = append(chunks, corpus.EmbeddedChunk{Chunk: c, Vector: []float32{1, 0, 0, 0}, Terms: []corpus.Term{{Text: edition, Count: 1}}})
	}
	return d, []corpus.Page{{Number: 1, Text: edition + " of " + path}}, chunks
}

func create(t *testing.T, s *Store) {
	t.Helper()
	if err := s.CreateCollection(t.Context(), corpus.Collection{Name: "a", Embedding: testEmbedding}); err != nil {
		t.Fatalf("CreateCollection: %v", err)
	}
}

func put(t *testing.T, s *Store, path, edition string, n int) {
	t.Helper()
	d, pages, chunks := made(path, edition, n)
	if err := s.Replace(t.Context(), d, pages, chunks); err != nil {
		t.Fatalf("Replace(%s): %v", path, err)
	}
}

func found(t *testing.T, s *Store, edition string) int {
	t.Helper()
	hits, err := s.Search(t.Context(), store.Query{Scope: inA, Terms: []corpus.Term{{Text: edition, Count: 1}}, Limit: 1000})
	if err != nil {
		t.Fatalf("Search: %v", err)
	}
	return len(hits)
}

func wantSound(t *testing.T, s *Store) {
	t.Helper()
	faults, err := s.Inspect(t.Context(), "a", false)
	if err != nil || len(faults) > 0 {
		t.Errorf("Inspect: %+v, %v", faults, err)
	}
}

func wantKind(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) || corpus.HintOf(err) == "" {
		t.Errorf("%s: got %v with hint %q, want one that is %q with a hint", what, err, corpus.HintOf(err), kind)
	}
}

func TestNobodyAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	for _, c := range []Config{
		{Address: address, RetryFor: 200 * time.Millisecond}, {Address: "no-such-host.invalid:6334", RetryFor: 200 * time.Millisecond, Timeout: time.Second},
	} {
		_, err := Open(t.Context(), c)
		wantKind(t, c.Address, err, corpus.ErrUnavailable)
		if err != nil && !strings.Contains(err.Error(), c.Address) {
			t.Errorf("the error does not name the server: %v", err)
		}
	}
}

func TestConfigurationThatCanNotBe(t *testing.T) {
	for _, c := range []Config{
		{Address: "host:port"}, {Address: ":6334"}, {Prefix: "a/b"}, {Replicas: 1, WriteConsistency: 2}, {Quantisation: "product"}, {ReadConsistency: "most"},
		{Timeout: -time.Second}, {CAFile: "ca.pem"}, {TLS: true, CAFile: "/no/such/file"}, {Oversampling: .5}, {Shards: -1},
	} {
		if _, err := Open(t.Context(), c); !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("%+v: got %v, want one that is invalid", c, err)
		}
	}
}

// oldServer is one of a version that lacks what is needed.
type oldServer struct {
	qdrant.UnimplementedQdrantServer
	version string
}

func (s oldServer) HealthCheck(context.Context, *qdrant.HealthCheckRequest) (*qdrant.HealthCheckReply, error) {
	return &qdrant.HealthCheckReply{Title: "qdrant", Version: s.version}, nil
}

func TestAnOlderServerIsRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	qdrant.RegisterQdrantServer(server, oldServer{version: "1.12.4"})
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	_, err = Open(t.Context(), Config{Address: listener.Addr().String()})
	wantKind(t, "Open", err, corpus.ErrUnsupported)
	if err != nil && !strings.Contains(err.Error(), "1.12.4") {
		t.Errorf("the error does not name the version: %v", err)
	}
}

func TestWrongKeys(t *testing.T) {
	server := qdranttest.Start(t, "QDRANT__SERVICE__API_KEY=right", "QDRANT__SERVICE__READ_ONLY_API_KEY=reader")
	writer := open(t, Config{Address: server.Address, APIKey: "right"})
	create(t, writer)
	put(t, writer, "x", "first", 1)
	for _, key := range []string{"", "wrong"} {
		_, err := Open(t.Context(), Config{Address: server.Address, APIKey: key})
		wantKind(t, "with key "+key, err, corpus.ErrForbidden)
	}
	reader := open(t, Config{Address: server.Address, APIKey: "reader"})
	if n := found(t, reader, "first"); n != 1 {
		t.Errorf("a reader finds %d chunks, want 1", n)
	}
	d, pages, chunks := made("x", "second", 1)
	wantKind(t, "Replace by a reader", reader.Replace(t.Context(), d, pages, chunks), corpus.ErrForbidden)
	if n := found(t, writer, "first"); n != 1 {
		t.Errorf("after a refused write %d chunks are found, want 1", n)
	}
}

func TestAServerThatComesUpLateIsWaitedFor(t *testing.T) {
	server := qdranttest.Start(t)
	server.Stop()
	opened := make(chan error)
	go func() {
		s, err := Open(t.Context(), Config{Address: server.Address, RetryFor: time.Minute})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	server.Restart()
	if err := <-opened; err != nil {
		t.Errorf("Open: %v", err)
	}
}

func TestNothingIsLostWhenTheServerIsKilled(t *testing.T) {
	server := qdranttest.Start(t)
	s := open(t, Config{Address: server.Address, RetryFor: 5 * time.Minute, Timeout: 5 * time.Second})
	create(t, s)
	const writers, documents, rounds, kills = 4, 15, 2, 4
	var writing sync.WaitGroup
	progress := make(chan struct{}, writers*documents*rounds)
	for w := range writers {
		writing.Go(func() {
			for i := range documents * rounds {
				d, pages, chunks := made(fmt.Sprintf("%d-%d", w, i%documents), fmt.Sprint("round", i/documents), 3)
				if err := s.Replace(t.Context(), d, pages, chunks); err != nil {
					t.Errorf("Replace: %v", err)
				}
				progress <- struct{}{}
			}
		})
	}
	for range kills {
		for range writers * documents * rounds / (kills + 1) {
			<-progress
		}
		server.Kill() // while others write
		server.Restart()
	}
	writing.Wait()
	if n := found(t, s, "round1"); n != writers*documents*3 {
		t.Errorf("found %d chunks of the last round, want %d", n, writers*documents*3)
	}
	if n := found(t, s, "round0"); n != 0 {
		t.Errorf("found %d chunks of the first round, want none", n)
	}
	wantSound(t, s)
}

func TestAPausedServer(t *testing.T) {
	server := qdranttest.Start(t)
	patient := open(t, Config{Address: server.Address, Timeout: 500 * time.Millisecond, RetryFor: time.Minute})
	create(t, patient)
	put(t, patient, "x", "first", 2)
	hasty := open(t, Config{Address: server.Address, Timeout: 300 * time.Millisecond, RetryFor: time.Millisecond})
	server.Pause()
	_, err := hasty.Search(t.Context(), store.Query{Scope: inA, Vector: []float32{1, 0, 0, 0}})
	wantKind(t, "Search", err, corpus.ErrUnavailable)
	d, pages, chunks := made("x", "second", 2)
	written := make(chan error)
	go func() { written <- patient.Replace(t.Context(), d, pages, chunks) }()
	_, err = hasty.Document(t.Context(), inA, d.ID)
	wantKind(t, "Document", err, corpus.ErrUnavailable)
	server.Resume()
	if err := <-written; err != nil {
		t.Errorf("Replace through a pause: %v", err)
	}
	if first, second := found(t, patient, "first"), found(t, patient, "second"); first != 0 || second != 2 {
		t.Errorf("found %d chunks of the first and %d of the second edition, want 0 and 2", first, second)
	}
	wantSound(t, patient)
}

func TestCancellingEndsAWaitForTheServer(t *testing.T) {
	server := qdranttest.Start(t)
	s := open(t, Config{Address: server.Address, RetryFor: time.Hour, Timeout: time.Hour})
	create(t, s)
	server.Pause()
	defer server.Resume()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	d, pages, chunks := made("x", "first", 1)
	if err := s.Replace(ctx, d, pages, chunks); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Replace: got %v, want that its time is over", err)
	}
	if _, err := s.Search(ctx, store.Query{Scope: inA, Vector: []float32{1, 0, 0, 0}}); err == nil {
		t.Error("Search of a paused server succeeds")
	}
}

func TestACollectionThatSomebodyDeleted(t *testing.T) {
	s := fresh(t, qdranttest.Address(t))
	create(t, s)
	put(t, s, "x", "first", 2)
	r, err := s.find(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.client().DeleteCollection(t.Context(), r.physical); err != nil {
		t.Fatal(err)
	}
	_, err = s.Search(t.Context(), store.Query{Scope: inA, Vector: []float32{1, 0, 0, 0}})
	wantKind(t, "Search", err, corpus.ErrCorrupt)
	d, pages, chunks := made("y", "first", 1)
	wantKind(t, "Replace", s.Replace(t.Context(), d, pages, chunks), corpus.ErrCorrupt)
	wantKind(t, "Check", s.Check(t.Context()), corpus.ErrCorrupt)
	_, err = s.Inspect(t.Context(), "a", false)
	wantKind(t, "Inspect", err, corpus.ErrCorrupt)
	faults, err := s.Inspect(t.Context(), "a", true)
	if err != nil || len(faults) < 2 || !faults[0].Repaired || faults[1].Repaired || faults[1].Path != "x" {
		t.Errorf("Inspect with repair: %+v, %v; want the collection mended, and x for ingest to do again", faults, err)
	}
	put(t, s, "x", "first", 2)
	put(t, s, "y", "first", 1)
	if n := found(t, s, "first"); n != 3 {
		t.Errorf("found %d chunks, want 3", n)
	}
	wantSound(t, s)
}

// A write that is cut off is what a killed process leaves, at each of its steps.
func TestWritesThatCameToNoEnd(t *testing.T) {
	s := fresh(t, qdranttest.Address(t))
	create(t, s)
	put(t, s, "x", "first", 3)
	cut := func(edition string, n int) (*write, int64) {
		d, pages, chunks := made("x", edition, n)
		w, err := s.prepareWrite(t.Context(), d, pages, chunks)
		if err != nil {
			t.Fatal(err)
		}
		v := s.writer.stamp(0)
		if err := s.putPoints(t.Context(), w.record, []*write{w}, v); err != nil {
			t.Fatal(err)
		}
		return w, v
	}
	see := func(what string, want map[string]int) {
		t.Helper()
		s := open(t, s.config) // which remembers nothing
		for edition, n := range want {
			if got := found(t, s, edition); got != n {
				t.Errorf("%s: found %d chunks of the edition %s, want %d", what, got, edition, n)
			}
		}
		hits, err := s.Search(t.Context(), store.Query{Scope: inA, Vector: []float32{1, 0, 0, 0}, Limit: 3})
		if err != nil || len(hits) != 3 {
			t.Errorf("%s: found %d chunks by vector, %v; want 3", what, len(hits), err)
		}
	}
	cut("second", 4)
	see("before the switch", map[string]int{"first": 3, "second": 0})
	if faults, err := s.Inspect(t.Context(), "a", true); err != nil || len(faults) != 1 || faults[0].Repaired {
		t.Errorf("Inspect: %+v, %v; want points that may be on their way", faults, err)
	}

	w, v := cut("third", 3)
	if _, err := s.switchOver(t.Context(), w.record, []*write{w}, v, map[corpus.DocumentID]int64{w.id: 1}); err != nil {
		t.Fatal(err)
	}
	see("after the switch", map[string]int{"first": 0, "second": 0, "third": 3})
	if faults, err := s.Inspect(t.Context(), "a", false); err != nil || len(faults) != 1 {
		t.Errorf("Inspect: %+v, %v; want the points of former versions", faults, err)
	}
	if err := s.Recover(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	see("recovered", map[string]int{"first": 0, "second": 0, "third": 3})
	wantSound(t, s)

	cut("fourth", 2)
	put(t, s, "x", "fifth", 3)
	see("written again", map[string]int{"third": 0, "fourth": 0, "fifth": 3})
	wantSound(t, s)
}

func TestADeletionThatCameToNoEnd(t *testing.T) {
	s := fresh(t, qdranttest.Address(t))
	create(t, s)
	put(t, s, "x", "first", 3)
	d, _, _ := made("x", "", 0)
	r, err := s.find(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	wait := true
	_, err = s.client().SetPayload(t.Context(), &qdrant.SetPayloadPoints{
		CollectionName: s.manifest(), Wait: &wait, Payload: payload{fieldState: text(stateDeleting), fieldVersion: qdrant.NewValueInt(s.writer.stamp(0))},
		PointsSelector: qdrant.NewPointsSelector(documentID(r.key, d.ID)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := found(t, s, "first"); n != 0 {
		t.Errorf("found %d chunks of a document that is being deleted", n)
	}
	if _, err := s.Document(t.Context(), inA, d.ID); !errors.Is(err, corpus.ErrNotFound) {
		t.Errorf("Document: %v", err)
	}
	if faults, err := s.Inspect(t.Context(), "a", false); err != nil || len(faults) != 1 {
		t.Errorf("Inspect: %+v, %v; want one fault", faults, err)
	}
	if err := s.Recover(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	wantSound(t, s)
	if n, err := s.countPoints(t.Context(), r.physical, all(keyword(fieldCollection, r.key))); err != nil || n != 0 {
		t.Errorf("%d points are left, %v", n, err)
	}
}

func TestAFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("skipped: a small disk is mounted by root only")
	}
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=400m"); err != nil {
		t.Skipf("skipped: mount a small disk: %v", err)
	}
	t.Cleanup(func() { // after the server has ended
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	server := qdranttest.Start(t, "QDRANT__STORAGE__STORAGE_PATH="+folder, "QDRANT__STORAGE__WAL__WAL_CAPACITY_MB=1")
	s := open(t, Config{Address: server.Address, RetryFor: time.Second, Timeout: 20 * time.Second})
	create(t, s)
	put(t, s, "before", "first", 2)
	ballast := folder + "/ballast"
	fill(t, ballast)
	long := strings.Repeat("long ", 50_000)
	var err error
	for i := 0; i < 40 && err == nil; i++ {
		d, pages, chunks := made(fmt.Sprint("big", i), "big", 4)
		for j := range chunks {
			chunks[j].Text = fmt.Sprint(long, j)
		}
		err = s.Replace(t.Context(), d, pages, chunks)
	}
	if err == nil {
		t.Fatal("a full disk takes 40 MB")
	}
	t.Logf("the full disk says: %v", err)
	if !errors.Is(err, corpus.ErrFull) && !errors.Is(err, corpus.ErrUnavailable) {
		t.Errorf("got %v, want one that is full or unavailable", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	server.Restart()
	if n := found(t, s, "first"); n != 2 {
		t.Errorf("found %d chunks of what was there before, want 2", n)
	}
	put(t, s, "after", "after", 2)
	if n := found(t, s, "after"); n != 2 {
		t.Errorf("found %d chunks of what came after, want 2", n)
	}
}

// fill writes a file until the disk has no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	for {
		if _, err := f.Write(block); err != nil {
			return
		}
	}
}
