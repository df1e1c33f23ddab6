package model

// Task is something that a model can do.
type Task string

// The tasks of models.
const (
	TaskChat          Task = "chat"
	TaskEmbedding     Task = "embedding"
	TaskRerank        Task = "rerank"
	TaskVision        Task = "vision"
	TaskTranscription Task = "transcription"
	TaskCode          Task = "code"
	TaskImage         Task = "image"
	TaskAudio         Task = "audio"
)

// Card is a model's entry in the catalog: how it is reached, what it can do, and what it costs. A zero number or
// an empty string means "not known" or "the provider's default"; prices are pointers, since zero is a price.
type Card struct {
	ID   string `yaml:"id" json:"id"`
	Name string `yaml:"name" json:"name,omitempty"` // for people; the id when empty

	// Provider is the protocol: openai (and all that speak it), azure, ollama, anthropic, google, mistral or local.
	Provider string `yaml:"provider" json:"provider"`
	// BaseURL of the server, with the path before the endpoints; ${NAME} stands for an environment variable.
	// Empty is the provider's own. For a local model it is the path of its API, such as /v1.
	BaseURL    string            `yaml:"base_url" json:"base_url,omitempty"`
	APIKeyEnv  string            `yaml:"api_key_env" json:"api_key_env,omitempty"` // environment variable; empty: no key is needed
	APIVersion string            `yaml:"api_version" json:"api_version,omitempty"` // Azure only
	Headers    map[string]string `yaml:"headers" json:"-"`                         // sent with each request; may have ${NAME}

	Model        string `yaml:"model" json:"model"`                           // name that the server knows; the id when empty
	QueryModel   string `yaml:"query_model" json:"query_model,omitempty"`     // instead of Model for queries
	PassageModel string `yaml:"passage_model" json:"passage_model,omitempty"` // instead of Model for passages
	// Prefixes are put before a text before it is embedded.
	QueryPrefix   string `yaml:"query_prefix" json:"query_prefix,omitempty"`
	PassagePrefix string `yaml:"passage_prefix" json:"passage_prefix,omitempty"`

	Tasks        []Task   `yaml:"tasks" json:"tasks"`
	Access       string   `yaml:"access" json:"access"` // open (weights can be had) or proprietary
	License      string   `yaml:"license" json:"license,omitempty"`
	Architecture string   `yaml:"architecture" json:"architecture,omitempty"` // decoder, encoder or encoder-decoder
	Parameters   int64    `yaml:"parameters" json:"parameters,omitempty"`     // number of weights
	Languages    []string `yaml:"languages" json:"languages,omitempty"`       // ISO 639-1, or "multilingual"
	Deployment   string   `yaml:"deployment" json:"deployment"`               // serverless, managed or local

	Context    int `yaml:"context" json:"context,omitempty"`       // tokens of prompt and answer; of one text for an embedder
	MaxOutput  int `yaml:"max_output" json:"max_output,omitempty"` // tokens of an answer
	Dimensions int `yaml:"dimensions" json:"dimensions,omitempty"` // of a vector
	// NoSampling models refuse a temperature and top_p; they are not sent.
	NoSampling bool `yaml:"no_sampling" json:"no_sampling,omitempty"`
	// RequestDimensions asks the server for vectors of Dimensions, where a model can shorten them.
	RequestDimensions bool   `yaml:"request_dimensions" json:"request_dimensions,omitempty"`
	Tokenizer         string `yaml:"tokenizer" json:"tokenizer,omitempty"` // cl100k_base, o200k_base, llama-server, xlm-r or estimate (the default)

	BatchTexts  int `yaml:"batch_texts" json:"batch_texts,omitempty"`   // most texts in an embedding or rerank request
	BatchTokens int `yaml:"batch_tokens" json:"batch_tokens,omitempty"` // most tokens in an embedding request
	Concurrency int `yaml:"concurrency" json:"concurrency,omitempty"`   // requests at once
	MaxFileMB   int `yaml:"max_file_mb" json:"max_file_mb,omitempty"`   // of a recording to transcribe, in megabytes; default 25

	// Fallback are chat models, by id, that answer in this one's place while its server is down, limits the rate, or does
	// not begin to answer in time: the first that can, and after it its own.
	Fallback []string `yaml:"fallback" json:"fallback,omitempty"`

	Price Price `yaml:"price" json:"price"`
	// Facts says where context, license and the like were read. What the entry of a model of one's own says needs none.
	Facts   Facts  `yaml:"facts" json:"facts"`
	Retires string `yaml:"retires" json:"retires,omitempty"` // day from which the provider no longer serves it, as 2026-01-31

	Card   string `yaml:"card" json:"card,omitempty"`     // what to know before choosing it, a few sentences
	Data   string `yaml:"data" json:"data,omitempty"`     // what it was trained on, as far as its maker says
	Limits string `yaml:"limits" json:"limits,omitempty"` // what it is bad at, or must not be used for
	Link   string `yaml:"link" json:"link,omitempty"`     // the model's own page

	Lineage *Lineage `yaml:"lineage,omitempty" json:"lineage,omitempty"` // of a model of one's own

	RerankForm string `yaml:"rerank_form" json:"rerank_form,omitempty"` // cohere (also Jina and llama-server; the default) or tei
	// Vocabulary is a file from which an xlm-r tokenizer counts exactly; may have {venv}. Without it, it estimates.
	Vocabulary string `yaml:"vocabulary" json:"-"`

	// Command starts a local model's server: program and arguments, where {port}, {venv} and {cpus} are replaced.
	Command []string          `yaml:"command" json:"command,omitempty"`
	Env     map[string]string `yaml:"env" json:"-"`                   // added to the command's environment; may have {venv}
	Health  string            `yaml:"health" json:"health,omitempty"` // path that answers 200 when the server is ready
}

// Price of a model in US dollars; nil is "not known".
type Price struct {
	In       *float64 `yaml:"in,omitempty" json:"in"`   // per million tokens
	Out      *float64 `yaml:"out,omitempty" json:"out"` // per million tokens
	Minute   *float64 `yaml:"minute,omitempty" json:"minute,omitempty"`
	Search   *float64 `yaml:"search,omitempty" json:"search,omitempty"`     // per request of a reranker
	Image    *float64 `yaml:"image,omitempty" json:"image,omitempty"`       // per picture that it makes
	Training *float64 `yaml:"training,omitempty" json:"training,omitempty"` // per million tokens of fine-tuning, each epoch counted
	Date     string   `yaml:"date,omitempty" json:"date,omitempty"`         // when it was looked up, as 2026-01-31
	Source   string   `yaml:"source,omitempty" json:"source,omitempty"`     // where; or why it is 0
}

// known are the prices that the entry gives, by the name of their field.
func (p Price) known() map[string]float64 {
	known := map[string]float64{}
	for name, price := range map[string]*float64{
		"in": p.In, "out": p.Out, "minute": p.Minute, "search": p.Search, "image": p.Image, "training": p.Training,
	} {
		if price != nil {
			known[name] = *price
		}
	}
	return known
}

// Facts is where and when what an entry says was read.
type Facts struct {
	Date   string `yaml:"date,omitempty" json:"date,omitempty"` // as 2026-01-31
	Source string `yaml:"source,omitempty" json:"source,omitempty"`
}

// Lineage is where a model of one's own comes from.
type Lineage struct {
	Base            string             `yaml:"base" json:"base"`                                           // id of the model that it was made of
	Job             string             `yaml:"job,omitempty" json:"job,omitempty"`                         // of the provider
	Dataset         string             `yaml:"dataset,omitempty" json:"dataset,omitempty"`                 // name of the training file
	DatasetHash     string             `yaml:"dataset_hash,omitempty" json:"dataset_hash,omitempty"`       // SHA-256 of its bytes, in hex
	Hyperparameters map[string]string  `yaml:"hyperparameters,omitempty" json:"hyperparameters,omitempty"` // as the provider tells them
	Metrics         map[string]float64 `yaml:"metrics,omitempty" json:"metrics,omitempty"`                 // of its last checkpoint
	TrainedTokens   *int               `yaml:"trained_tokens,omitempty" json:"trained_tokens,omitempty"`   // that were paid for
	Adapter         string             `yaml:"adapter,omitempty" json:"adapter,omitempty"`                 // file of a LoRA adapter
	Created         string             `yaml:"created,omitempty" json:"created,omitempty"`                 // day, as 2026-01-31
}

// Does reports whether the model can do the task.
func (c Card) Does(task Task) bool {
	for _, t := range c.Tasks {
		if t == task {
			return true
		}
	}
	return false
}

// Cost in US dollars of a call with so many tokens of prompt and completion; nil when a price that is needed
// is not known.
func (c Card) Cost(prompt, completion int) *float64 {
	total := 0.0
	for _, part := range []struct {
		tokens int
		price  *float64
	}{{prompt, c.Price.In}, {completion, c.Price.Out}} {
		if part.tokens == 0 {
			continue
		}
		if part.price == nil {
			return nil
		}
		total += float64(part.tokens) * *part.price / 1e6
	}
	return &total
}
