package bucket

import (
	"context"
	"fmt"
	"mime"
	"path"
	"strings"

	"github.com/minio/minio-go/v7"
	"golang.org/x/text/unicode/norm"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/ingest/source"
)

// List implements source.Source. It goes through the bucket twice, 1000 objects a request: metadata may be listed
// behind the object that it is of, and only its names are kept.
func (o *objects) List(ctx context.Context, v source.Visitor) error {
	doing := "list s3://" + o.bucket
	if o.key != "" {
		doing += "/" + o.key
		info, err := o.client.server.StatObject(ctx, o.bucket, o.key, minio.StatObjectOptions{})
		if err == nil {
			o.single, o.found = true, 1
			beside, err := o.sidecars(ctx, o.key)
			if err != nil {
				return err
			}
			return v.Found(o.entry(info, beside, true))
		}
		if r := minio.ToErrorResponse(err); r.StatusCode != 404 && !isDenied(r) {
			return o.fail(ctx, doing, err)
		}
	}
	prefix := o.key
	if prefix != "" {
		prefix += "/"
	}
	beside, err := o.sidecars(ctx, prefix)
	if err != nil {
		return err
	}
	taken := map[string]bool{} // keys that have more than one form
	err = o.each(ctx, prefix, func(info minio.ObjectInfo) error {
		o.found++
		key := info.Key
		switch reason := unfit(key); {
		case reason == hidden || source.IsSidecar(key):
			return nil
		case reason != "":
			v.Skip(key, reason)
			return nil
		}
		if form := norm.NFC.String(key); form != key || taken[form] {
			if taken[form] {
				v.Skip(key, "another object has the same name in another form of Unicode")
				return nil
			}
			taken[form] = true
		}
		return v.Found(o.entry(info, beside, false))
	})
	if err != nil {
		return err
	}
	if o.found == 0 && o.key != "" {
		return corpus.Errorf(corpus.ErrNotFound, "%s: there is no such object or folder", doing)
	}
	return nil
}

// each calls visit for all objects in order of their keys.
func (o *objects) each(ctx context.Context, prefix string, visit func(minio.ObjectInfo) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing
	for info := range o.client.server.ListObjects(ctx, o.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if info.Err != nil {
			return o.fail(ctx, "list s3://"+o.bucket+"/"+prefix, info.Err)
		}
		if err := visit(info); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// sidecars returns the revisions of the metadata files under a prefix, by key.
func (o *objects) sidecars(ctx context.Context, prefix string) (map[string]string, error) {
	// Metadata may be called after the name without its extension.
	prefix = strings.TrimSuffix(prefix, path.Ext(path.Base(prefix)))
	found := map[string]string{}
	err := o.each(ctx, prefix, func(info minio.ObjectInfo) error {
		if source.IsSidecar(info.Key) {
			found[info.Key] = revisionOf(info)
		}
		return nil
	})
	return found, err
}

const hidden = "hidden"

// unfit says why a key is not a file's; "" if it is.
func unfit(key string) string {
	if strings.HasSuffix(key, "/") {
		return hidden // it only makes a folder seem to be there
	}
	for part := range strings.SplitSeq(key, "/") {
		switch {
		case part == "" || part == "." || part == "..":
			return "its name is no path"
		case strings.HasPrefix(part, ".") || strings.HasPrefix(part, "~$"):
			return hidden
		}
	}
	if kind := mime.TypeByExtension(path.Ext(key)); source.IsMedia(kind) && !parse.HasKnownExtension(key) {
		return "no parser for " + kind
	}
	return ""
}

// revisionOf tells versions of an object apart.
func revisionOf(info minio.ObjectInfo) string {
	if info.ETag != "" {
		return info.ETag
	}
	return fmt.Sprintf("%d bytes of %s", info.Size, info.LastModified.UTC())
}
