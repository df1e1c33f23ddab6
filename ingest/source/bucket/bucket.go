// Package bucket reads objects of S3-compatible storage as a source of documents: all of a bucket, what is under a
// prefix, or one object. An object that has the ETag that it had is not fetched again.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/ingest/source"
)

// Config of a Client. Zero values are the defaults.
type Config struct {
	Endpoint  string // such as https://minio.example.com:9000; default Amazon's
	Region    string // default: the bucket's, if it can be asked
	AccessKey string // without one, only what everybody may read is read
	SecretKey string
	Token     string // of a session
	PathStyle bool   // the bucket is part of the path, not of the host's name
	MaxBytes  int64  // of one object; default 512 MiB
}

const amazon = "s3.amazonaws.com"

// Client opens buckets. It is safe for concurrent use.
type Client struct {
	config Config
	server *minio.Client
	host   string
}

// New returns a client. Nothing is asked yet.
func New(c Config) (*Client, error) {
	if c.MaxBytes == 0 {
		c.MaxBytes = 512 << 20
	}
	if (c.AccessKey == "") != (c.SecretKey == "") {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "set up S3: there is an access key or a secret key, but not both"),
			"set ingest.s3.access_key and secret_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	endpoint, secure := amazon, true
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "set up S3: %q is no endpoint", c.Endpoint), "an endpoint is like https://minio.example.com:9000")
		}
		endpoint, secure = u.Host, u.Scheme == "https"
	}
	options := &minio.Options{
		Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, c.Token), Secure: secure, Region: c.Region, MaxRetries: 4,
	}
	if c.PathStyle {
		options.BucketLookup = minio.BucketLookupPath
	}
	server, err := minio.New(endpoint, options)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "set up S3: %w", err)
	}
	return &Client{c, server, endpoint}, nil
}

// Open returns the source of s3://BUCKET, s3://BUCKET/PREFIX or s3://BUCKET/OBJECT.
func (c *Client) Open(address string) (source.Source, error) {
	rest, ok := strings.CutPrefix(address, "s3://")
	name, key, _ := strings.Cut(rest, "/")
	if !ok || name == "" || strings.ContainsAny(name, "@?#:") {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "ingest %s: it names no bucket", address), "an address is like s3://bucket or s3://bucket/folder")
	}
	return &objects{client: c, bucket: name, key: strings.Trim(key, "/")}, nil
}

// objects are those that one address stands for.
type objects struct {
	client *Client
	bucket string
	key    string // of an object, or a prefix without its slash; empty for all

	single bool
	found  int
}

var _ source.Source = (*objects)(nil)

// Name implements source.Source.
func (o *objects) Name() string { return o.bucket }

// Root implements source.Source.
func (o *objects) Root() string {
	if o.client.host == amazon {
		return "s3://" + o.bucket
	}
	return "s3://" + o.bucket + "?endpoint=" + url.QueryEscape(o.client.host)
}

// Path implements source.Source.
func (o *objects) Path() string { return o.key }

// Lost implements source.Source.
func (o *objects) Lost() string {
	if o.found == 0 {
		return "nothing is in the bucket."
	}
	return ""
}

// Gone implements source.Source: all that there is was listed.
func (o *objects) Gone(string, string) bool { return !o.single }

// fail explains an error of the server.
func (o *objects) fail(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	response := minio.ToErrorResponse(err)
	switch {
	case response.Code == minio.NoSuchBucket:
		return corpus.Errorf(corpus.ErrNotFound, "%s: there is no bucket %s at %s", doing, o.bucket, o.client.host)
	case isDenied(response):
		return corpus.Hint(corpus.Errorf(corpus.ErrForbidden, "%s: %s refuses: %w", doing, o.client.host, err),
			"set ingest.s3.access_key and secret_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, to keys that may list and read the bucket")
	}
	return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "%s: %w", doing, err), "is ingest.s3.endpoint right? it is "+o.client.host)
}

func isDenied(r minio.ErrorResponse) bool {
	switch r.Code {
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken":
		return true
	}
	return r.StatusCode == http.StatusForbidden || r.StatusCode == http.StatusUnauthorized
}

// fetchError is why an object can't be had.
func fetchError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var known *parse.Error
	if errors.As(err, &known) {
		return err
	}
	switch response := minio.ToErrorResponse(err); {
	case response.Code == minio.NoSuchKey || response.StatusCode == http.StatusNotFound:
		return source.Errorf(source.Gone, "It is not in the bucket any more.")
	case isDenied(response):
		return source.Errorf(source.Unreachable, "The keys may not read it: %s.", response.Code)
	}
	return source.Errorf(source.Unreachable, "The bucket does not give it: %s.", fmt.Sprint(err))
}
