"""Serves a GGUF model with llama.cpp over HTTP, in OpenAI's form: llama-serve --model FILE --port N."""

import argparse
import signal

import xllamacpp


def main():
    parser = argparse.ArgumentParser(prog="llama-serve", description=__doc__)
    parser.add_argument("--model", required=True, help="GGUF file")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, default=4096, help="tokens of prompt and answer")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lora", action="append", default=[], metavar="FILE", help="LoRA adapter as GGUF; may be given again")
    args = parser.parse_args()

    params = xllamacpp.CommonParams()
    params.model.path = args.model
    params.hostnames = [args.host]
    params.port = args.port
    params.n_ctx = args.context
    params.n_parallel = 1
    adapters = []
    for path in args.lora:
        adapter = xllamacpp.CommonAdapterLoraInfo()
        adapter.path = path
        adapter.scale = 1.0
        adapters.append(adapter)
    params.lora_adapters = adapters
    params.cpuparams.n_threads = args.threads
    params.cpuparams_batch.n_threads = args.threads
    server = xllamacpp.Server(params)
    print("serving", args.model, "at", server.listening_address, flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
