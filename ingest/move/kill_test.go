package move_test

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

	"grounded/ingest/move"
	"grounded/store"
	"grounded/store/qdrant"
	"grounded/store/sqlite"
)

// moveArgument makes the test binary reindex a store's collection ("reindex FILE") or copy it ("copy FILE FILE").
const moveArgument = "__move"

func moveAlone(args []string) int {
	ctx := context.Background()
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s, err := openAlone(ctx, args[1])
	if err != nil {
		return fail(err)
	}
	defer s.Close()
	if args[0] == "reindex" {
		_, err = move.Reindex(ctx, move.ReindexConfig{Store: s, Collection: "c", Embedder: second, BatchTexts: 8, Drop: true})
	} else {
		to, openErr := sqlite.Open(ctx, sqlite.Config{Path: args[2]})
		if openErr != nil {
			return fail(openErr)
		}
		defer to.Close()
		_, err = move.Copy(ctx, move.CopyConfig{From: s, To: to, Collection: "c"})
	}
	if err != nil {
		return fail(err)
	}
	return 0
}

// openAlone opens a file, or "qdrant:ADDRESS".
func openAlone(ctx context.Context, name string) (store.Store, error) {
	if address, is := strings.CutPrefix(name, "qdrant:"); is {
		return qdrant.Open(ctx, qdrant.Config{Address: address})
	}
	return sqlite.Open(ctx, sqlite.Config{Path: name})
}

func TestKilledMovesAreFinishedByTheNext(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for a few seconds")
	}
	const documents, kills = 60, 10
	r := rand.New(rand.NewPCG(1, 2))
	for _, what := range []string{"reindex", "copy"} {
		t.Run(what, func(t *testing.T) {
			from, to := filepath.Join(t.TempDir(), "from.db"), filepath.Join(t.TempDir(), "to.db")
			s := filled(t, from, first, documents)
			before := dump(t, s, "c")
			command := func(from, to string) *exec.Cmd {
				cmd := exec.Command(os.Args[0], moveArgument, what, from, to)
				cmd.Stderr = os.Stderr
				return cmd
			}
			whole := func() time.Duration { // an undisturbed run on a copy
				path := filepath.Join(t.TempDir(), "undisturbed.db")
				filled(t, path, first, documents).Close()
				started := time.Now()
				if err := command(path, path+".to").Run(); err != nil {
					t.Fatal(err)
				}
				return time.Since(started)
			}()
			for range kills {
				cmd := command(from, to)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				wait := time.NewTimer(time.Duration(r.Float64() * float64(whole)))
				<-wait.C
				_ = cmd.Process.Kill() // it may have ended already
				_ = cmd.Wait()
				if c, err := s.Collection(t.Context(), "c"); err != nil || c.Documents != documents {
					t.Fatalf("in between the collection is %+v, %v", c, err)
				}
			}
			if err := command(from, to).Run(); err != nil {
				t.Fatal(err)
			}
			result, e := s, second
			if what == "copy" {
				result, e = open(t, to), first
			}
			wantForm(t, result, "c", e, documents)
			if got := dump(t, result, "c"); got != before {
				t.Error("what killed runs left is not what there was")
			}
			if err := result.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if all, err := result.Collections(t.Context()); err != nil || len(all) != 1 {
				t.Errorf("collections %+v, error %v, want %s alone", all, err, "c")
			}
		})
	}
}
