package model

import (
	"context"
	"net/http"
	"time"
)

// Config of a connection to a model. The zero value uses the environment's keys and sensible limits.
type Config struct {
	// LookupEnv finds keys and other variables of a card; default os.LookupEnv.
	LookupEnv func(name string) (string, bool)
	// Transport sends the requests; default a transport of its own, with the environment's proxy.
	Transport http.RoundTripper

	Attempts    int           // of a request, the first included; default 6
	MinDelay    time.Duration // before the second attempt, doubling from there; default 500 ms
	MaxDelay    time.Duration // between two attempts, unless the server asks for more; default 30 s
	MaxElapsed  time.Duration // over all attempts, after which no new one is made; default 5 min, 10 s where fallbacks stand by
	Timeout     time.Duration // of one attempt to its response's header; default by task: 5 min for chat, less for others
	FirstWait   time.Duration // likewise of a stream whose model has fallbacks; default 30 s
	IdleTimeout time.Duration // between two pieces of a response's body; default 1 min
	Concurrency int           // requests at once; default the card's, else 4
	Queue       int           // requests that wait for a place among those, beyond which one fails at once; 0 is any number
	QueueWait   time.Duration // of one of them; 0 is as long as it takes

	// Breakers let requests to servers that are down fail at once; nil for none.
	Breakers *Breakers

	// Start starts a local model when it is first needed and returns its base URL, such as
	// http://127.0.0.1:4567/v1. It is called before each request and must be cheap when the model runs;
	// local.Supervisor.Start fits.
	Start func(ctx context.Context, card Card) (baseURL string, err error)
}
