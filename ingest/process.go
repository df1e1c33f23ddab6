package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"grounded/corpus"
	"grounded/ingest/chunk"
	"grounded/ingest/parse"
)

// attempts to read a file that changes while it is read.
const attempts = 3

// reading is what a file was found to be. What is stored of a document comes from one reading: the parser
// refuses bytes of another hash, and the metadata file is read once.
type reading struct {
	size        int64
	modified    time.Time
	sum         string // hex SHA-256 of the file
	contentHash string // of the file and the metadata beside it
	sidecar     sidecar
}

// process brings one file as far as the writer, if it is new or has changed. An error ends the run.
func (r *run) process(ctx context.Context, f file, w *writer) error {
	for attempt := 1; ; attempt++ {
		read, err := readFile(f.disk)
		if err != nil {
			return r.reject(ctx, f, reading{}, parse.Unreadable, ioReason(err))
		}
		known, isKnown, err := r.stored(ctx, f)
		if err != nil {
			return err
		}
		before, rejected := r.quarantine[f.id]
		switch {
		case rejected && before.ContentHash == read.contentHash && before.PipelineFingerprint == r.PipelineFingerprint("") && !r.mayOpen(before):
			r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: OutcomeQuarantined, Code: before.Code, Reason: before.Reason, Stale: isKnown})
			return nil
		case isKnown && !rejected && known.ContentHash == read.contentHash &&
			known.PipelineFingerprint == r.PipelineFingerprint(known.MediaType) && known.EmbeddingFingerprint == r.embedding.Fingerprint():
			r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: OutcomeUnchanged})
			return nil
		}
		outcome := OutcomeNew
		if isKnown {
			outcome = OutcomeChanged
		}
		if r.DryRun {
			r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: outcome})
			return nil
		}
		if read.sidecar.err != nil {
			return r.reject(ctx, f, read, "metadata", read.sidecar.err.Error())
		}
		parsed, err := r.parse(ctx, f, read.sum)
		code := parse.CodeOf(err)
		switch {
		case code == parse.Changed && attempt < attempts:
			continue
		case code == parse.Changed:
			read.contentHash = "" // no reading of it was whole: it is tried again in any case
			return r.reject(ctx, f, read, code, err.Error())
		case code != "":
			return r.reject(ctx, f, read, code, err.Error())
		case err != nil:
			return fmt.Errorf("parse %s: %w", f.path, err)
		}
		d, err := r.document(f, read, parsed)
		if err != nil {
			return r.reject(ctx, f, read, "metadata", err.Error())
		}
		d.outcome = outcome
		d.pages, d.chunks = chunk.Split(chunk.Document{ID: f.id, Title: d.Title, Pages: parsed.Pages, Separate: parsed.Separate}, r.Chunk)
		if len(d.chunks) == 0 {
			return r.reject(ctx, f, read, parse.NoText, "There is no text in it.")
		}
		d.PageCount, d.ChunkCount = len(d.pages), len(d.chunks)
		d.warnings = parsed.Warnings
		d.analyse()
		return w.write(ctx, d)
	}
}

// mayOpen reports whether passwords may open what could not be read. Which they were the last time is not kept.
func (r *run) mayOpen(q corpus.Quarantined) bool {
	return q.Code == string(parse.Encrypted) && len(r.Passwords) > 0
}

// parse has the parser read the file, if its bytes still have this hash.
func (r *run) parse(ctx context.Context, f file, sum string) (parse.Document, error) {
	in := parse.Input{Path: f.disk, SHA256: sum, Passwords: r.Passwords}
	if !utf8.ValidString(f.disk) { // such a path can't be told to another process
		data, err := os.ReadFile(f.disk)
		if err != nil {
			return parse.Document{}, &parse.Error{Code: parse.Unreadable, Reason: ioReason(err)}
		}
		in = parse.Input{Name: path.Base(f.path), Data: data, SHA256: sum, Passwords: r.Passwords}
	}
	return r.Parser.Parse(ctx, in)
}

// stored returns what the manifest has of the file. In a dry run documents of sources that would be absorbed
// count as the wider source's.
func (r *run) stored(ctx context.Context, f file) (corpus.Document, bool, error) {
	ids := []corpus.DocumentID{f.id}
	if r.DryRun {
		for _, a := range r.plan.absorbed {
			if rest, ok := strings.CutPrefix(f.path, a.prefix+"/"); ok && a.into.Name == f.source {
				ids = append(ids, corpus.NewDocumentID(r.Collection, a.from.Name, rest))
			}
		}
	}
	for _, id := range ids {
		d, err := r.Store.Document(ctx, r.scope(), id)
		switch {
		case err == nil:
			return d, true, nil
		case !errors.Is(err, corpus.ErrNotFound):
			return corpus.Document{}, false, fmt.Errorf("look up %s: %w", f.path, err)
		}
	}
	return corpus.Document{}, false, nil
}

// scope is the collection, with everything in it.
func (r *run) scope() corpus.Scope {
	return corpus.Scope{Collection: r.Collection, Access: corpus.Access{Unrestricted: true}}
}

// reject ends the work on a file that can't be read: it is quarantined, or skipped if it is not meant for us.
func (r *run) reject(ctx context.Context, f file, read reading, code parse.ErrorCode, reason string) error {
	known := parse.HasKnownExtension(f.path)
	switch {
	case !known && !f.named && (code == parse.UnsupportedFormat || code == parse.Empty), !f.named && code == parse.Generated:
		r.skip(f.path, reason)
		return nil
	case !known && code == parse.UnsupportedFormat, code == parse.Generated:
		r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: OutcomeFailed, Code: string(code), Reason: reason})
		return nil
	}
	_, stale, err := r.stored(ctx, f)
	if err != nil {
		return err
	}
	if !r.DryRun {
		err := r.Store.Quarantine(ctx, corpus.Quarantined{
			Collection: r.Collection, DocumentID: f.id, Source: f.source, Path: f.path, Reason: reason, Code: string(code),
			ContentHash: read.contentHash, PipelineFingerprint: r.PipelineFingerprint(""), At: time.Now().UTC(),
		})
		if err != nil {
			return fmt.Errorf("quarantine %s: %w", f.path, err)
		}
	}
	r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: OutcomeQuarantined, Code: string(code), Reason: reason, Stale: stale})
	return nil
}

// readFile hashes a file and reads the metadata beside it.
func readFile(disk string) (reading, error) {
	f, err := os.Open(disk)
	if err != nil {
		return reading{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return reading{}, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return reading{}, err
	}
	read := reading{size: info.Size(), modified: info.ModTime().UTC(), sum: hex.EncodeToString(h.Sum(nil)), sidecar: readSidecar(disk)}
	read.contentHash = read.sum
	if read.sidecar.found {
		metadata := sha256.Sum256(read.sidecar.bytes)
		both := sha256.Sum256(append(h.Sum(nil), metadata[:]...))
		read.contentHash = hex.EncodeToString(both[:])
	}
	return read, nil
}

func ioReason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "The file is not there any more."
	case errors.Is(err, fs.ErrPermission):
		return "The file may not be read: permission denied. Give the user who ingests the right to read it."
	}
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return fmt.Sprintf("The file can't be read: %v.", err)
}
