package jobs

import (
	"context"
	"slices"
	"strings"

	"grounded/corpus"
	"grounded/store"
)

// uploadRoot stands before the roots of sources that are uploaded.
const uploadRoot = "upload://"

// root is where the documents of an upload come from, as it is kept with their source.
func (s IngestSpec) root() string {
	if s.Root == "" {
		return uploadRoot + s.Source
	}
	return uploadRoot + s.Root
}

// Place finds the root that an upload's source is kept with from now on. An upload that says none adds to the source as it
// is. The error is corpus.ErrConflict when the source of that name is another folder's, unless the upload says that it has
// moved; what the server has read from a folder of its own is not replaced by uploads at all.
func (s IngestSpec) Place(ctx context.Context, st store.Store, collection string) (root string, err error) {
	s = s.withDefaults()
	known, err := st.Sources(ctx, collection)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(known, func(k corpus.Source) bool { return k.Name == s.Source })
	if i < 0 {
		return s.root(), nil
	}
	there := known[i].Root
	uploaded, unplaced := strings.HasPrefix(there, uploadRoot), there == uploadRoot+s.Source
	switch {
	case !uploaded:
		return "", corpus.Hint(corpus.Errorf(corpus.ErrConflict, "source %q of the collection is read by the server itself", s.Source), "give yours another name: source, or --source NAME of grounded ingest")
	case s.Root == "":
		return there, nil
	case there == s.root(), unplaced, s.Moved:
		return s.root(), nil
	}
	return "", corpus.Hint(corpus.Errorf(corpus.ErrConflict, "source %q of the collection is another folder, or was uploaded from another machine", s.Source),
		"give yours a name of its own (source, or --source NAME of grounded ingest), or say that it is the same folder in a new place (moved, or --moved)")
}
