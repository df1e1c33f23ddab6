package bucket

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/minio/minio-go/v7"

	"grounded/ingest/parse"
	"grounded/ingest/source"
)

// entry is an object with the metadata beside it.
func (o *objects) entry(info minio.ObjectInfo, beside map[string]string, named bool) source.Entry {
	sidecar := ""
	for _, name := range source.SidecarNames(info.Key) {
		if _, ok := beside[name]; ok {
			sidecar = name
			break
		}
	}
	listed := revisionOf(info)
	if sidecar != "" {
		listed += " " + beside[sidecar]
	}
	return source.Entry{Path: info.Key, URI: "s3://" + o.bucket + "/" + info.Key, Named: named,
		Fetch: func(ctx context.Context, folder, revision string) (source.Fetched, error) {
			if revision == listed {
				return source.Fetched{Revision: revision}, nil
			}
			fetched, err := o.fetch(ctx, folder, info, sidecar)
			if err != nil {
				return source.Fetched{}, fetchError(ctx, err)
			}
			return fetched, nil
		}}
}

// fetch makes files of an object and of its metadata.
func (o *objects) fetch(ctx context.Context, folder string, info minio.ObjectInfo, sidecar string) (source.Fetched, error) {
	if info.Size > o.client.config.MaxBytes {
		return source.Fetched{}, source.TooLarge(o.client.config.MaxBytes)
	}
	file := filepath.Join(folder, source.FileName(info.Key))
	got, err := o.save(ctx, info.Key, file, o.client.config.MaxBytes)
	if err != nil {
		return source.Fetched{}, err
	}
	revision := revisionOf(got)
	if !got.LastModified.IsZero() {
		if err := os.Chtimes(file, time.Time{}, got.LastModified); err != nil {
			return source.Fetched{}, fmt.Errorf("keep what was fetched: %w", err)
		}
	}
	if sidecar != "" {
		beside, err := o.save(ctx, sidecar, file+source.SidecarSuffix, source.MaxSidecar)
		if parse.CodeOf(err) == parse.TooLarge {
			err = source.Errorf("metadata", "The metadata in %s has more than %d bytes, so that it is not known who may see the document.", sidecar, source.MaxSidecar)
		}
		if err != nil {
			return source.Fetched{}, err
		}
		revision += " " + revisionOf(beside)
	}
	return source.Fetched{File: file, Revision: revision}, nil
}

// save copies an object into a file, and returns what it was then.
func (o *objects) save(ctx context.Context, key, file string, limit int64) (minio.ObjectInfo, error) {
	object, err := o.client.server.GetObject(ctx, o.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return minio.ObjectInfo{}, err
	}
	defer object.Close()
	info, err := object.Stat()
	if err != nil {
		return minio.ObjectInfo{}, err
	}
	return info, source.Save(ctx, file, object, limit)
}
