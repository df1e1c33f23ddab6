package bench

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	client "github.com/qdrant/go-client/qdrant"

	"grounded/ingest"
	"grounded/ingest/move"
	"grounded/model/local/localtest"
	"grounded/retrieve"
	"grounded/store"
	"grounded/store/qdrant"
	"grounded/store/qdrant/qdranttest"
)

// BenchmarkIngestQdrant compares an ingest into Qdrant with a plain program of langchaingo that writes a document at a
// time, against the same embedding server that answers at once. Both have made their collections before.
func BenchmarkIngestQdrant(b *testing.B) {
	server := instantEmbedder(b)
	for _, name := range []string{"handbook", "contoso"} {
		b.Run(name, func(b *testing.B) {
			folder := publicData(b, name)
			if name == "contoso" {
				folder = contosoFiles(b, folder)
			}
			address := qdranttest.Start(b).Address
			var ours, plain throughput
			for i := 0; b.Loop(); i++ {
				plain.add(plainQdrant(b, folder, server, address, i))
				ours.add(ingestIntoQdrant(b, folder, server, address, i))
			}
			b.ReportMetric(ours.documentsPerSecond(), "documents/s")
			b.ReportMetric(plain.documentsPerSecond(), "plain-documents/s")
			b.ReportMetric(ours.chunksPerSecond(), "chunks/s")
			b.ReportMetric(plain.chunksPerSecond(), "plain-chunks/s")
			b.ReportMetric(ours.documentsPerSecond()/plain.documentsPerSecond(), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func ingestIntoQdrant(b *testing.B, folder, server, address string, round int) throughput {
	b.Helper()
	s, err := qdrant.Open(b.Context(), qdrant.Config{Address: address, Prefix: fmt.Sprint("bench", round)})
	if err != nil {
		b.Fatal(err)
	}
	in, end := ingesterInto(b, s, server)
	if _, err := in.Run(b.Context(), ingest.Request{Collection: everyone.Collection, Paths: []string{b.TempDir()}}, nil); err != nil {
		b.Fatal(err)
	}
	started := time.Now()
	report, err := in.Run(b.Context(), ingest.Request{Collection: everyone.Collection, Paths: []string{folder}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	took := time.Since(started)
	end()
	return throughput{report.Documents.New, report.Chunks.Written, took}
}

// plainQdrant is plainProgram with Qdrant: a collection with a vector and no index of anything else, an upsert a document.
func plainQdrant(b *testing.B, folder, server, address string, round int) throughput {
	b.Helper()
	host, port, _ := strings.Cut(address, ":")
	number, err := strconv.Atoi(port)
	if err != nil {
		b.Fatal(err)
	}
	db, err := client.NewClient(&client.Config{Host: host, Port: number, SkipCompatibilityCheck: true})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	name := fmt.Sprint("plain", round)
	err = db.CreateCollection(b.Context(), &client.CreateCollection{
		CollectionName: name, VectorsConfig: client.NewVectorsConfig(&client.VectorParams{Size: dimensions, Distance: client.Distance_Cosine}),
	})
	if err != nil {
		b.Fatal(err)
	}
	return plainFolder(b, folder, server, func(path string, texts []string, vectors [][]float32) error {
		points := make([]*client.PointStruct, len(texts))
		for i := range points {
			payload, err := client.TryValueMap(map[string]any{"path": path, "text": texts[i]})
			if err != nil {
				return err
			}
			points[i] = &client.PointStruct{
				Id: client.NewIDUUID(uuid.NewSHA1(uuid.NameSpaceURL, []byte(path+"#"+strconv.Itoa(i))).String()), Vectors: client.NewVectorsDense(vectors[i]), Payload: payload,
			}
		}
		wait := true
		_, err := db.Upsert(b.Context(), &client.UpsertPoints{CollectionName: name, Points: points, Wait: &wait})
		return err
	})
}

// BenchmarkContosoQdrant ranks Contoso's pages by both stores, with the same chunks and vectors.
func BenchmarkContosoQdrant(b *testing.B) {
	folder := publicData(b, "contoso")
	embedder := localtest.Embedder(b)
	_, embedded := library(b, contosoFiles(b, folder), embedder)
	server, err := qdrant.Open(b.Context(), qdrant.Config{Address: qdranttest.Start(b).Address})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	if _, err := move.Copy(b.Context(), move.CopyConfig{From: embedded, To: server, Collection: everyone.Collection}); err != nil {
		b.Fatal(err)
	}
	questions := contosoQuestions(b, folder)
	for _, backend := range []struct {
		name  string
		store store.Store
	}{{"embedded", embedded}, {"qdrant", server}} {
		r, err := retrieve.New(retrieve.Config{Store: backend.store, Embedder: embedder})
		if err != nil {
			b.Fatal(err)
		}
		for _, mode := range []string{retrieve.ModeHybrid, retrieve.ModeDense, retrieve.ModeLexical} {
			b.Run(backend.name+"/"+mode, func(b *testing.B) { measure(b, r, mode, questions, contosoPages) })
		}
	}
}
