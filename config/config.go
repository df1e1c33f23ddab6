// Package config reads the one YAML file that sets grounded up. It is decoded strictly: an unknown key or a
// value that does not parse is an error with its line, never a default. ${NAME} in a value is replaced by the
// environment variable NAME.
package config

import (
	"bytes"
	_ "embed"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"grounded/corpus"
)

// Example is the documented configuration that `grounded config example` prints; every key is in it with its
// default.
//
//go:embed example.yaml
var Example string

// Config is what can be set. Zero values mean the defaults, which example.yaml documents.
type Config struct {
	Data       string   `yaml:"data"`
	Collection string   `yaml:"collection"`
	Server     Server   `yaml:"server"`
	Store      string   `yaml:"store"`
	Qdrant     Qdrant   `yaml:"qdrant"`
	Models     Models   `yaml:"models"`
	Ingest     Ingest   `yaml:"ingest"`
	Retrieve   Retrieve `yaml:"retrieve"`
	Answer     Answer   `yaml:"answer"`
	Serve      Serve    `yaml:"serve"`
	Jobs       Jobs     `yaml:"jobs"`
	Metrics    Metrics  `yaml:"metrics"`
	Tracing    Tracing  `yaml:"tracing"`
}

// Server is one that commands ask instead of a store of their own.
type Server struct {
	URL string `yaml:"url"`
	Key Secret `yaml:"key"`
}

// Kinds of store.
const (
	StoreSQLite = "sqlite"
	StoreQdrant = "qdrant"
)

// Qdrant says where the server is and how collections are made there.
type Qdrant struct {
	Address          string   `yaml:"address"`
	APIKey           Secret   `yaml:"api_key"`
	TLS              bool     `yaml:"tls"`
	CAFile           string   `yaml:"ca_file"`
	Prefix           string   `yaml:"prefix"`
	Shards           int      `yaml:"shards"`
	Replicas         int      `yaml:"replicas"`
	WriteConsistency int      `yaml:"write_consistency"`
	ReadConsistency  string   `yaml:"read_consistency"`
	Quantisation     string   `yaml:"quantisation"`
	Oversampling     float64  `yaml:"oversampling"`
	OnDiskVectors    bool     `yaml:"on_disk_vectors"`
	InMemoryPayload  bool     `yaml:"in_memory_payload"`
	HNSWM            int      `yaml:"hnsw_m"`
	HNSWBuild        int      `yaml:"hnsw_build"`
	HNSWSearch       int      `yaml:"hnsw_search"`
	Timeout          Duration `yaml:"timeout"`
	RetryFor         Duration `yaml:"retry_for"`
	BatchPoints      int      `yaml:"batch_points"`
	Parallelism      int      `yaml:"parallelism"`
	Connections      int      `yaml:"connections"`
}

// Models says which models to use and how to reach them.
type Models struct {
	Catalog        string   `yaml:"catalog"`
	Chat           string   `yaml:"chat"`
	Embedding      string   `yaml:"embedding"`
	Rerank         string   `yaml:"rerank"`
	VirtualEnv     string   `yaml:"virtual_env"`
	Timeout        Duration `yaml:"timeout"`
	Attempts       int      `yaml:"attempts"`
	EmbeddingBatch int      `yaml:"embedding_batch"`
}

// Ingest says how documents are read and cut.
type Ingest struct {
	Workers       int      `yaml:"workers"`
	ParseTimeout  Duration `yaml:"parse_timeout"`
	ParseMemoryMB int      `yaml:"parse_memory_mb"`
	MaxFileMB     int      `yaml:"max_file_mb"`
	MaxParts      int      `yaml:"max_parts"`
	MaxUnpackedMB int      `yaml:"max_unpacked_mb"`
	MaxDepth      int      `yaml:"max_depth"`
	ChunkTokens   int      `yaml:"chunk_tokens"`
	OverlapTokens int      `yaml:"overlap_tokens"`
	Passwords     []Secret `yaml:"passwords"`
	OCR           string   `yaml:"ocr"`
	OCRLanguages  []string `yaml:"ocr_languages"`
	VisionModel   string   `yaml:"vision_model"`
	Transcription string   `yaml:"transcription_model"`
	Include       []string `yaml:"include"`
	Exclude       []string `yaml:"exclude"`
	Web           Web      `yaml:"web"`
	S3            S3       `yaml:"s3"`
}

// Web says how pages are read.
type Web struct {
	AllowPrivate bool     `yaml:"allow_private"`
	Timeout      Duration `yaml:"timeout"`
}

// S3 says where buckets are and who reads them.
type S3 struct {
	Endpoint     string `yaml:"endpoint"`
	Region       string `yaml:"region"`
	AccessKey    Secret `yaml:"access_key"`
	SecretKey    Secret `yaml:"secret_key"`
	SessionToken Secret `yaml:"session_token"`
	PathStyle    bool   `yaml:"path_style"`
}

// Retrieve says how passages are searched.
type Retrieve struct {
	TopK        int     `yaml:"top_k"`
	Mode        string  `yaml:"mode"`
	Fusion      string  `yaml:"fusion"`
	DenseWeight float64 `yaml:"dense_weight"`
}

// Answer says how answers are made.
type Answer struct {
	Prompts      string   `yaml:"prompts"`
	Examples     string   `yaml:"examples"`
	MaxTokens    int      `yaml:"max_tokens"`
	Temperature  *float64 `yaml:"temperature"`
	AbstainBelow *float64 `yaml:"abstain_below"`
}

// Serve says how the REST service is reached, and by whom.
type Serve struct {
	Address            string   `yaml:"address"`
	PublicURL          string   `yaml:"public_url"`
	Keys               []Key    `yaml:"keys"`
	CORSOrigins        []string `yaml:"cors_origins"`
	MaxBodyMB          int      `yaml:"max_body_mb"`
	Timeout            Duration `yaml:"timeout"`
	Heartbeat          Duration `yaml:"heartbeat"`
	Drain              Duration `yaml:"drain"`
	Grace              Duration `yaml:"grace"`
	Concurrent         int      `yaml:"concurrent"`
	Queue              int      `yaml:"queue"`
	RequestsPerMinute  int      `yaml:"requests_per_minute"`
	TokensPerMinute    int      `yaml:"tokens_per_minute"`
	ConcurrentRequests int      `yaml:"concurrent_per_key"`
}

// Key is who may call the service. `grounded keys new` prints one.
type Key struct {
	Name        string   `yaml:"name"`
	Hash        string   `yaml:"hash"`
	Scope       string   `yaml:"scope"`
	Collections []string `yaml:"collections"`
	Groups      []string `yaml:"groups"`
	Expires     string   `yaml:"expires"` // a day, its end in UTC
}

// Kinds of queue of jobs.
const (
	JobsSQLite = "sqlite"
	JobsNATS   = "nats"
)

// Jobs says where jobs are kept, how they are done, and what one may bring.
type Jobs struct {
	Kind        string   `yaml:"kind"`
	URL         string   `yaml:"url"`
	Credentials string   `yaml:"credentials"`
	User        string   `yaml:"user"`
	Password    Secret   `yaml:"password"`
	Token       Secret   `yaml:"token"`
	CAFile      string   `yaml:"ca_file"`
	Prefix      string   `yaml:"prefix"`
	Replicas    int      `yaml:"replicas"`
	MaxStoredMB int      `yaml:"max_stored_mb"`
	Lease       Duration `yaml:"lease"`
	Retention   Duration `yaml:"retention"`
	Attempts    int      `yaml:"attempts"`
	Parallel    int      `yaml:"parallel"`
	MaxFiles    int      `yaml:"max_files"`
	MaxFileMB   int      `yaml:"max_file_mb"`
	MaxJobMB    int      `yaml:"max_job_mb"`
	Names       []string `yaml:"names"`
	Evaluations string   `yaml:"evaluations"`
}

// Metrics says where metrics are had besides GET /metrics of the service.
type Metrics struct {
	Address string `yaml:"address"`
}

// Tracing says where traces are sent, and what is in them.
type Tracing struct {
	Endpoint    string   `yaml:"endpoint"`
	SampleRatio *float64 `yaml:"sample_ratio"`
	Content     bool     `yaml:"content"`
}

// Duration is a time.Duration written as "90s" or "2m".
type Duration time.Duration

// UnmarshalYAML reads what time.ParseDuration reads.
func (d *Duration) UnmarshalYAML(text []byte) error {
	v, err := time.ParseDuration(strings.Trim(strings.TrimSpace(string(text)), `"'`))
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "%q is not a length of time such as 90s or 2m", strings.TrimSpace(string(text)))
	}
	*d = Duration(v)
	return nil
}

// Secret is a text that stays as it is written: 007 is no number.
type Secret string

// UnmarshalYAML reads a scalar.
func (s *Secret) UnmarshalYAML(text []byte) error {
	plain := strings.TrimSpace(string(text))
	if !strings.HasPrefix(plain, `"`) && !strings.HasPrefix(plain, "'") {
		*s = Secret(plain)
		return nil
	}
	return yaml.Unmarshal(text, (*string)(s))
}

// Load reads the file at path. Paths in it are relative to its folder. The errors are corpus.ErrNotFound and
// corpus.ErrInvalid.
func Load(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "read configuration: %w", err),
			"write one with: grounded config example > "+path)
	}
	if err != nil {
		return Config{}, corpus.Errorf(corpus.ErrInvalid, "read configuration: %w", err)
	}
	c, err := Parse(text, os.LookupEnv)
	if err != nil {
		return Config{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read configuration %s: %w", path, err),
			"`grounded config example` prints every key with what it means")
	}
	folder := filepath.Dir(path)
	for _, p := range []*string{&c.Data, &c.Models.Catalog, &c.Models.VirtualEnv, &c.Qdrant.CAFile, &c.Jobs.Credentials, &c.Jobs.CAFile, &c.Jobs.Evaluations, &c.Answer.Prompts, &c.Answer.Examples} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
	return c, nil
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// Parse reads a configuration; env looks up a variable.
func Parse(text []byte, env func(string) (string, bool)) (Config, error) {
	var missing []string
	lines := strings.SplitAfter(string(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		lines[i] = variable.ReplaceAllStringFunc(line, func(ref string) string {
			name := variable.FindStringSubmatch(ref)[1]
			value, ok := env(name)
			if !ok {
				missing = append(missing, name)
			}
			return value
		})
	}
	if len(missing) > 0 {
		return Config{}, corpus.Errorf(corpus.ErrInvalid, "environment variable %s is not set", strings.Join(missing, ", "))
	}
	var c Config
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(strings.Join(lines, ""))), yaml.Strict())
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, corpus.Errorf(corpus.ErrInvalid, "%s", strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return c, c.check()
}

// check refuses values that mean nothing.
func (c Config) check() error {
	for _, bound := range []struct {
		key       string
		value     float64
		low, high float64
	}{
		{"models.attempts", float64(c.Models.Attempts), 0, 100},
		{"models.embedding_batch", float64(c.Models.EmbeddingBatch), 0, 100_000},
		{"qdrant.shards", float64(c.Qdrant.Shards), 0, 10_000},
		{"qdrant.replicas", float64(c.Qdrant.Replicas), 0, 100},
		{"qdrant.write_consistency", float64(c.Qdrant.WriteConsistency), 0, 100},
		{"qdrant.oversampling", c.Qdrant.Oversampling, 0, 100},
		{"qdrant.hnsw_m", float64(c.Qdrant.HNSWM), 0, 1000},
		{"qdrant.hnsw_build", float64(c.Qdrant.HNSWBuild), 0, 100_000},
		{"qdrant.hnsw_search", float64(c.Qdrant.HNSWSearch), 0, 100_000},
		{"qdrant.timeout", time.Duration(c.Qdrant.Timeout).Seconds(), 0, 3600},
		{"qdrant.retry_for", time.Duration(c.Qdrant.RetryFor).Seconds(), 0, 86400},
		{"qdrant.batch_points", float64(c.Qdrant.BatchPoints), 0, 100_000},
		{"qdrant.parallelism", float64(c.Qdrant.Parallelism), 0, 1000},
		{"qdrant.connections", float64(c.Qdrant.Connections), 0, 1000},
		{"ingest.workers", float64(c.Ingest.Workers), 0, 1024},
		{"ingest.parse_memory_mb", float64(c.Ingest.ParseMemoryMB), 0, 1 << 20},
		{"ingest.max_file_mb", float64(c.Ingest.MaxFileMB), 0, 1 << 20},
		{"ingest.max_parts", float64(c.Ingest.MaxParts), 0, 10_000_000},
		{"ingest.max_unpacked_mb", float64(c.Ingest.MaxUnpackedMB), 0, 1 << 20},
		{"ingest.max_depth", float64(c.Ingest.MaxDepth), -1, 100},
		{"ingest.chunk_tokens", float64(c.Ingest.ChunkTokens), 0, 100_000},
		{"ingest.overlap_tokens", float64(c.Ingest.OverlapTokens), -1, 100_000},
		{"retrieve.top_k", float64(c.Retrieve.TopK), 0, 1000},
		{"retrieve.dense_weight", c.Retrieve.DenseWeight, 0, 1},
		{"jobs.replicas", float64(c.Jobs.Replicas), 0, 5},
		{"jobs.max_stored_mb", float64(c.Jobs.MaxStoredMB), 0, 1 << 30},
		{"jobs.lease", time.Duration(c.Jobs.Lease).Seconds(), 0, 3600},
		{"jobs.retention", time.Duration(c.Jobs.Retention).Hours(), 0, 100 * 366 * 24},
		{"jobs.attempts", float64(c.Jobs.Attempts), 0, 1000},
		{"jobs.parallel", float64(c.Jobs.Parallel), 0, 1000},
		{"jobs.max_files", float64(c.Jobs.MaxFiles), 0, 10_000},
		{"jobs.max_file_mb", float64(c.Jobs.MaxFileMB), 0, 1 << 20},
		{"jobs.max_job_mb", float64(c.Jobs.MaxJobMB), 0, 1 << 20},
		{"answer.max_tokens", float64(c.Answer.MaxTokens), 0, 1 << 20},
		{"serve.max_body_mb", float64(c.Serve.MaxBodyMB), 0, 1024},
		{"serve.timeout", time.Duration(c.Serve.Timeout).Seconds(), 0, 86400},
		{"serve.heartbeat", time.Duration(c.Serve.Heartbeat).Seconds(), 0, 3600},
		{"serve.drain", time.Duration(c.Serve.Drain).Seconds(), 0, 3600},
		{"serve.grace", time.Duration(c.Serve.Grace).Seconds(), 0, 3600},
		{"serve.concurrent", float64(c.Serve.Concurrent), 0, 1_000_000},
		{"serve.queue", float64(c.Serve.Queue), 0, 1_000_000},
		{"serve.requests_per_minute", float64(c.Serve.RequestsPerMinute), 0, 1_000_000},
		{"serve.tokens_per_minute", float64(c.Serve.TokensPerMinute), 0, 1_000_000_000},
		{"serve.concurrent_per_key", float64(c.Serve.ConcurrentRequests), 0, 1_000_000},
	} {
		if bound.value < bound.low || bound.value > bound.high {
			return corpus.Errorf(corpus.ErrInvalid, "%s is %v; it must be from %v to %v", bound.key, bound.value, bound.low, bound.high)
		}
	}
	if r := c.Tracing.SampleRatio; r != nil && (*r < 0 || *r > 1) {
		return corpus.Errorf(corpus.ErrInvalid, "tracing.sample_ratio is %v; it must be from 0 to 1", *r)
	}
	for _, choice := range []struct {
		key, value string
		of         []string
	}{
		{"ingest.ocr", c.Ingest.OCR, []string{"", "auto", "off"}},
		{"retrieve.mode", c.Retrieve.Mode, []string{"", "hybrid", "dense", "lexical"}},
		{"store", c.Store, []string{"", StoreSQLite, StoreQdrant}},
		{"jobs.kind", c.Jobs.Kind, []string{"", JobsSQLite, JobsNATS}},
		{"qdrant.quantisation", c.Qdrant.Quantisation, []string{"", "scalar", "binary"}},
		{"retrieve.fusion", c.Retrieve.Fusion, []string{"", "rrf", "blend"}},
	} {
		ok := false
		for _, v := range choice.of {
			ok = ok || v == choice.value
		}
		if !ok {
			return corpus.Errorf(corpus.ErrInvalid, "%s is %q; it must be one of %s", choice.key, choice.value, strings.Join(choice.of[1:], ", "))
		}
	}
	if c.Collection != "" {
		return corpus.CheckCollectionName(c.Collection)
	}
	return nil
}
