"""Asks a running server with LiteLLM. Arguments: address, key."""
import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # its own table of prices, not one from elsewhere

import litellm

address, key = sys.argv[1], sys.argv[2]
server = {"api_base": address + "/v1", "api_key": key, "max_retries": 0}
question = [{"role": "user", "content": "How many days of leave a year?"}]


def expect(holds, what):
    if not holds:
        raise SystemExit("failed: " + what)


def refused(kind, call, what):
    try:
        call()
    except kind:
        return
    raise SystemExit("not refused: " + what)


plain = litellm.completion(model="openai/parrot", messages=question, **server)
expect(plain.choices[0].message.content == "I have never heard of it.", "plain answer")
expect(plain.usage.total_tokens == 110, "usage of a plain answer")
grounded = litellm.completion(model="openai/parrot+rag", messages=question, extra_body={"collection": "alpha"}, **server)
message = grounded.choices[0].message
expect("27 days" in message.content and grounded.usage.total_tokens == 110, "grounded answer")
citation = message.annotations[0]
expect(citation["type"] == "url_citation" and citation["url_citation"]["title"] == "About leave.md", "annotation")
for name, text in ("parrot", "never heard"), ("parrot+rag", "27 days"):
    pieces = list(litellm.completion(model="openai/" + name, messages=question, stream=True, stream_options={"include_usage": True}, **server))
    expect(text in "".join(p.choices[0].delta.content or "" for p in pieces if p.choices), "streamed answer of " + name)
    expect(pieces[-1].usage.total_tokens == 110, "usage of a streamed answer of " + name)
    expect(text in litellm.stream_chunk_builder(pieces, messages=question).choices[0].message.content, "answer of " + name + " put together")
expect("27 days" in litellm.text_completion(model="text-completion-openai/parrot+rag", prompt=question[0]["content"], **server).choices[0].text, "completions")
vectors = litellm.embedding(model="openai/words", input=["days of leave", "form 17"], **server).data
expect(len(vectors) == 2 and len(vectors[0]["embedding"]) == 64 and abs(sum(x * x for x in vectors[0]["embedding"]) - 1) < 1e-3, "embeddings")

# It knows errors by their words.
wrong = {**server, "api_key": "gk-wrong"}
refused(litellm.AuthenticationError, lambda: litellm.completion(model="openai/parrot", messages=question, **wrong), "a wrong key")
refused(litellm.NotFoundError, lambda: litellm.completion(model="openai/unheard", messages=question, **server), "a wrong model")
refused(litellm.ContextWindowExceededError, lambda: litellm.completion(model="openai/long", messages=question, **server), "a prompt that is too long")
refused(litellm.BadRequestError, lambda: litellm.completion(model="openai/parrot+rag", messages=question, n=2, **server), "two answers")
print("ok")
