// Command grounded answers questions from a company's own documents, and measures whether the documents
// helped. It has flags and wiring only; each job is in a package of its own.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"grounded/ingest/parse"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == parse.ChildArgument {
		os.Exit(parse.ServeChild(context.Background(), os.Stdin, os.Stdout))
	}
	os.Exit(runInterruptible())
}

// runInterruptible runs the program until it ends or is interrupted: the first Ctrl-C drains, the second ends
// it at once.
func runInterruptible() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv}
	return p.run(ctx, os.Args[1:])
}
