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
	unpacked := r.scratch.document()
	defer r.removeUnpacked(unpacked)
	for attempt := 1; ; attempt++ {
		read, err := readFile(f)
		if errors.Is(err, fs.ErrNotExist) && !f.named {
			return r.passOver(f, "it went away before it was read")
		}
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
		case isKnown && !rejected && known.ContentHash == read.contentHash && r.isCurrent(known):
			parts, whole, err := r.unchangedParts(ctx, f, known)
			if err != nil {
				return err
			}
			if whole {
				return r.unchanged(ctx, f, known, parts)
			}
		}
		outcome := OutcomeNew
		if isKnown {
			outcome = OutcomeChanged
		}
		if r.DryRun && !r.looksInside(f) {
			r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: outcome})
			return nil
		}
		r.begin(f)
		if read.sidecar.err != nil {
			return r.reject(ctx, f, read, "metadata", read.sidecar.err.Error())
		}
		parsed, err := r.parse(ctx, f, read.sum, unpacked)
		if err == nil && parsed.Recording {
			parsed, err = r.listen(ctx, f, read.sum, parsed)
		}
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
		if err := r.readScans(ctx, &parsed); err != nil {
			return fmt.Errorf("read %s: %w", f.path, err)
		}
		d, err := r.document(f, read, parsed)
		if err != nil {
			return r.reject(ctx, f, read, "metadata", err.Error())
		}
		d.outcome = outcome
		if parsed.Archive && !r.opens(f) {
			return r.reject(ctx, f, read, parse.TooLarge, fmt.Sprintf("It is an archive inside of %d others, and so is not opened; raise ingest.max_depth, or unpack it.", f.depth()))
		}
		d.pages, d.chunks = chunk.Split(chunk.Document{ID: f.id, Title: d.Title, Pages: parsed.Pages, Separate: parsed.Separate}, r.Chunk)
		if parsed.Archive {
			d.chunks = nil // its documents are found, not their names
		} else if len(d.chunks) == 0 {
			code := parse.NoText
			if parse.IsPicture(f.path) {
				code = parse.Empty // most pictures are no pages
			}
			return r.reject(ctx, f, read, code, "There is no text in it.")
		}
		d.PageCount, d.ChunkCount = len(d.pages), len(d.chunks)
		d.warnings = parsed.Warnings
		d.analyse()
		if parse.HasParts(d.MediaType) {
			return r.processParts(ctx, f, read, d, parsed, w)
		}
		if r.DryRun {
			r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: outcome})
			return nil
		}
		return w.write(ctx, d)
	}
}

// isCurrent reports whether a document was parsed, cut and embedded as it would be now.
func (r *run) isCurrent(d corpus.Document) bool {
	return d.PipelineFingerprint == r.PipelineFingerprint(d.MediaType) && d.EmbeddingFingerprint == r.embedding.Fingerprint()
}

// mayOpen reports whether passwords may open what could not be read. Which they were the last time is not kept.
func (r *run) mayOpen(q corpus.Quarantined) bool {
	return q.Code == string(parse.Encrypted) && len(r.Passwords) > 0
}

// parse has the parser read the file, if its bytes still have this hash.
func (r *run) parse(ctx context.Context, f file, sum, unpacked string) (parse.Document, error) {
	in := parse.Input{Path: f.disk, SHA256: sum, Passwords: r.Passwords, Limits: r.limits(f)}
	if r.opens(f) || r.Vision != nil && !parse.MayHaveParts(f.path) {
		in.Scratch = unpacked
	}
	if f.part != nil {
		in.Name = path.Base(f.path)
	}
	if !utf8.ValidString(f.disk) { // such a path can't be told to another process
		data, err := os.ReadFile(f.disk)
		if err != nil {
			return parse.Document{}, &parse.Error{Code: parse.Unreadable, Reason: ioReason(err)}
		}
		in.Path, in.Name, in.Data = "", path.Base(f.path), data
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
	known := parse.HasKnownExtension(f.path) || f.remote != nil && parse.HasKnownExtension(f.disk)
	switch {
	case notForUs(code, f.path, known, f.named):
		return r.passOver(f, reason)
	case !known && code == parse.UnsupportedFormat, code == parse.Generated:
		r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: OutcomeFailed, Code: string(code), Reason: reason})
		return nil
	}
	if err := r.deleteExposed(ctx, f, read.sidecar); err != nil {
		return err
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

// notForUs reports whether a file that can't be read, for the reason of the code, is passed over: found in a folder, it was
// not meant for us. known says that files with its extension are read.
func notForUs(code parse.ErrorCode, path string, known, named bool) bool {
	switch code {
	case parse.Link:
		return true
	case parse.Generated:
		return !named
	case parse.UnsupportedFormat, parse.Empty:
		return !named && (!known || parse.IsPicture(path))
	}
	return false
}

// removeUnpacked removes what was unpacked of a document.
func (r *run) removeUnpacked(dir string) {
	if err := os.RemoveAll(dir); err != nil {
		r.warn(fmt.Sprintf("Unpacked files could not be removed: %v.", err))
	}
}

// passOver ends the work on a file that is not meant for us.
func (r *run) passOver(f file, reason string) error {
	r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: OutcomeSkipped, Reason: reason})
	return nil
}

// readFile hashes a file and reads the metadata beside it.
func readFile(from file) (reading, error) {
	f, err := os.Open(from.disk)
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
	read := reading{size: info.Size(), modified: info.ModTime().UTC(), sum: hex.EncodeToString(h.Sum(nil))}
	if from.part == nil {
		read.sidecar = readSidecar(from.disk)
	} else {
		read.modified, read.sidecar = from.part.when(), from.part.sidecar()
	}
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
	return fmt.Sprintf("The file can't be read: %s.", diskReason(err))
}

// diskReason is an error's message without the path.
func diskReason(err error) string {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return err.Error()
}
