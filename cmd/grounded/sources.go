package main

import (
	"context"
	"strings"
	"time"

	"grounded/config"
	"grounded/corpus"
	"grounded/ingest/source"
	"grounded/ingest/source/bucket"
	"grounded/ingest/source/web"
)

// opener opens what an ingest is told to read besides files and folders.
type opener struct {
	*program
	config       config.Ingest
	name         string // of the document on standard input
	allowPrivate bool
	web          *web.Client
}

// open implements ingest.Config.Open.
func (o *opener) open(_ context.Context, address string) (source.Source, error) {
	limit := int64(o.config.MaxFileMB) << 20
	if limit == 0 {
		limit = 512 << 20
	}
	scheme, _, _ := strings.Cut(address, "://")
	switch scheme {
	case "-":
		return source.NewStream(o.stdin, o.name, limit)
	case "http", "https":
		if o.web == nil {
			client, err := web.New(web.Config{
				UserAgent: "grounded/" + version, AllowPrivate: o.allowPrivate || o.config.Web.AllowPrivate,
				Timeout: time.Duration(o.config.Web.Timeout), MaxBytes: limit,
			})
			if err != nil {
				return nil, err
			}
			o.web = client
		}
		return o.web.Open(address)
	case "s3":
		client, err := bucket.New(o.bucket(limit))
		if err != nil {
			return nil, err
		}
		return client.Open(address)
	}
	return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "ingest %s: nothing here reads %s", address, scheme),
		"name files, folders, - for standard input, or addresses with http, https or s3")
}

// bucket is how S3-compatible storage is reached: by the configuration, else by the variables that Amazon's
// programs have.
func (o *opener) bucket(limit int64) bucket.Config {
	s3 := o.config.S3
	or := func(value string, names ...string) string {
		for _, name := range names {
			if value == "" {
				value, _ = o.env(name)
			}
		}
		return value
	}
	c := bucket.Config{
		Endpoint: or(s3.Endpoint, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"), Region: or(s3.Region, "AWS_REGION", "AWS_DEFAULT_REGION"),
		AccessKey: string(s3.AccessKey), SecretKey: string(s3.SecretKey), Token: string(s3.SessionToken),
		PathStyle: s3.PathStyle, MaxBytes: limit,
	}
	if c.AccessKey == "" && c.SecretKey == "" {
		c.AccessKey, c.SecretKey, c.Token = or("", "AWS_ACCESS_KEY_ID"), or("", "AWS_SECRET_ACCESS_KEY"), or("", "AWS_SESSION_TOKEN")
	}
	return c
}
