// Asks a running server with the Vercel AI SDK. Arguments: folder of the modules, address, key.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, address, apiKey] = process.argv.slice(2);
const { resolve } = createRequire(folder + "/package.json");
const load = (name) => import(pathToFileURL(resolve(name)));
const { embedMany, generateText, streamText } = await load("ai");
const { createOpenAI } = await load("@ai-sdk/openai");
const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
const baseURL = address + "/v1";
const openai = createOpenAI({ baseURL, apiKey });
const compatible = createOpenAICompatible({ name: "grounded", baseURL, apiKey, includeUsage: true });
const prompt = "How many days of leave a year?";
const maxRetries = 0;

function expect(holds, what) {
  if (!holds) throw new Error("failed: " + what);
}

async function refused(status, call, what) {
  try {
    await call();
  } catch (error) {
    expect(error.statusCode === status, `${what}: ${error.statusCode}, not ${status}`);
    return;
  }
  throw new Error("not refused: " + what);
}

async function streamed(model, options) {
  let text = "", failed;
  const answer = streamText({ model, prompt, maxRetries, ...options, onError: ({ error }) => { failed = error; } });
  for await (const piece of answer.textStream) text += piece;
  if (failed) throw failed;
  return { text, usage: await answer.usage, sources: await answer.sources };
}

const providers = { "@ai-sdk/openai": (name) => openai.chat(name), "@ai-sdk/openai-compatible": (name) => compatible(name) };
for (const [provider, model] of Object.entries(providers)) {
  for (const ask of [(name) => generateText({ model: model(name), prompt, maxRetries }), (name) => streamed(model(name))]) {
    const plain = await ask("parrot");
    expect(plain.text === "I have never heard of it.", "plain answer by " + provider);
    const grounded = await ask("parrot+rag");
    expect(grounded.text.includes("27 days"), "grounded answer by " + provider);
    for (const answer of [plain, grounded]) expect(answer.usage.totalTokens === 110, "usage by " + provider);
    if (provider === "@ai-sdk/openai") { // the other does not read citations
      expect(grounded.sources[0].title === "About leave.md" && grounded.sources[0].url.startsWith(address), "sources");
    }
  }
  await refused(404, () => generateText({ model: model("unheard"), prompt, maxRetries }), "a wrong model");
}
const chosen = { grounded: { collection: "beta" } };
const other = await generateText({ model: compatible("parrot+rag"), prompt: "What will Beta build?", maxRetries, providerOptions: chosen });
expect(other.text.includes("plant in Riga"), "another collection");

// Its default is OpenAI's Responses.
for (const response of [await generateText({ model: openai("parrot+rag"), prompt, maxRetries }), await streamed(openai("parrot+rag"))]) {
  expect(response.text.includes("27 days") && response.usage.totalTokens === 110, "responses");
  expect(response.sources[0].filename === "leave.md", "source of a response");
}
const { embeddings } = await embedMany({ model: openai.embedding("words"), values: ["days of leave", "form 17"], maxRetries });
expect(embeddings.length === 2 && embeddings[0].length === 64, "embeddings");
const stranger = createOpenAI({ baseURL, apiKey: "gk-wrong" });
await refused(401, () => generateText({ model: stranger.chat("parrot"), prompt, maxRetries }), "a wrong key");
console.log("ok");
