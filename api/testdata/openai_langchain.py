"""Asks a running server with the openai SDK and LangChain. Arguments: address, key."""
import sys

from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import APIError, AuthenticationError, BadRequestError, NotFoundError, OpenAI

address, key = sys.argv[1], sys.argv[2]
base = address + "/v1"
client = OpenAI(base_url=base, api_key=key, max_retries=0)
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


# Chat completions, whole and streamed, without and with the documents.
plain = client.chat.completions.create(model="parrot", messages=question)
expect(plain.choices[0].message.content == "I have never heard of it.", "plain answer")
grounded = client.chat.completions.create(model="parrot+rag", messages=question, extra_body={"collection": "alpha", "top_k": 3})
message = grounded.choices[0].message
expect("27 days" in message.content, "grounded answer")
expect(message.annotations[0].url_citation.title == "About leave.md", "annotation")
expect(message.context["citations"][0]["filepath"] == "leave.md", "context")
expect(grounded.usage.total_tokens == 110, "usage")
for name in ("parrot", "parrot+rag"):
    text, usage = "", None
    stream = client.chat.completions.create(model=name, messages=question, stream=True, stream_options={"include_usage": True})
    for chunk in stream:
        usage = chunk.usage or usage
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
    expect(text and usage.total_tokens == 110, "streamed answer of " + name)
with client.chat.completions.stream(model="parrot+rag", messages=question) as helper:
    expect("27 days" in helper.get_final_completion().choices[0].message.content, "stream helper")

# The other routes.
expect("27 days" in client.completions.create(model="parrot+rag", prompt=question[0]["content"]).choices[0].text, "completions")
response = client.responses.create(model="parrot+rag", input=question[0]["content"])
expect("27 days" in response.output_text, "responses")
expect(response.output[0].content[0].annotations[0].type == "file_citation", "file_citation")
kinds = [event.type for event in client.responses.create(model="parrot+rag", input=question, stream=True)]
expect(kinds[0] == "response.created" and kinds[-1] == "response.completed", "streamed response")
refused(BadRequestError, lambda: client.responses.create(model="parrot", input="x", previous_response_id="resp_1"), "state")
expect("parrot+rag" in [m.id for m in client.models.list()], "list of models")
expect(client.models.retrieve("org/m:8b@x+rag").id == "org/m:8b@x+rag", "a model")
numbers = client.embeddings.create(model="words", input="days of leave").data[0].embedding
floats = client.embeddings.create(model="words", input="days of leave", encoding_format="float").data[0].embedding
expect(len(numbers) == 64 and max(abs(a - b) for a, b in zip(numbers, floats)) < 1e-6, "embeddings")

# Errors are those that the SDK knows.
refused(AuthenticationError, lambda: OpenAI(base_url=base, api_key="gk-wrong", max_retries=0).models.list(), "a wrong key")
refused(NotFoundError, lambda: client.chat.completions.create(model="unheard", messages=question), "a wrong model")
refused(BadRequestError, lambda: client.chat.completions.create(model="parrot+rag", messages=question, n=2), "two answers")
refused(APIError, lambda: list(client.chat.completions.create(model="cut", messages=question, stream=True)), "a stream that broke off")

# LangChain.
chat = ChatOpenAI(model="parrot+rag", base_url=base, api_key=key, temperature=0, max_tokens=50)
expect("27 days" in chat.invoke("How many days of leave a year?").content, "LangChain")
expect("27 days" in "".join(piece.content for piece in chat.stream("How many days of leave a year?")), "LangChain streamed")
# By default it sends tokens, for which it fetches a vocabulary from the internet; that form has a test in Go.
embeddings = OpenAIEmbeddings(model="words", base_url=base, api_key=key, check_embedding_ctx_length=False)
expect(max(abs(a - b) for a, b in zip(embeddings.embed_documents(["days of leave", "form 17"])[0], floats)) < 1e-5, "LangChain embeddings")
print("ok")
