// Asks a running server with the openai SDK. Arguments: module, address, key.
const [module, address, apiKey] = process.argv.slice(2);
const { default: OpenAI } = await import(module);
const client = new OpenAI({ baseURL: address + "/v1", apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "How many days of leave a year?" }];

function expect(holds, what) {
  if (!holds) throw new Error("failed: " + what);
}

async function refused(status, call, what) {
  try {
    await call();
  } catch (error) {
    expect(error.status === status, `${what}: ${error.status}, not ${status}`);
    return;
  }
  throw new Error("not refused: " + what);
}

const grounded = await client.chat.completions.create({ model: "parrot+rag", messages, collection: "alpha" });
expect(grounded.choices[0].message.content.includes("27 days"), "grounded answer");
expect(grounded.choices[0].message.annotations[0].url_citation.title === "About leave.md", "annotation");
for (const model of ["parrot", "parrot+rag"]) {
  let text = "";
  for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
    text += chunk.choices[0].delta.content ?? "";
  }
  expect(text.length > 10, "streamed answer of " + model);
}
const response = await client.responses.create({ model: "parrot+rag", input: messages[0].content });
expect(response.output_text.includes("27 days"), "responses");
const kinds = [];
for await (const event of await client.responses.create({ model: "parrot+rag", input: messages[0].content, stream: true })) kinds.push(event.type);
expect(kinds[0] === "response.created" && kinds.at(-1) === "response.completed", "streamed response");
const vector = (await client.embeddings.create({ model: "words", input: "days of leave" })).data[0].embedding;
const floats = (await client.embeddings.create({ model: "words", input: "days of leave", encoding_format: "float" })).data[0].embedding;
expect(vector.length === 64 && vector.every((x, i) => Math.abs(x - floats[i]) < 1e-6), "embeddings");
expect((await client.models.retrieve("org/m:8b@x+rag")).id === "org/m:8b@x+rag", "a model");
await refused(404, () => client.chat.completions.create({ model: "unheard", messages }), "a wrong model");
await refused(401, () => new OpenAI({ baseURL: address + "/v1", apiKey: "gk-wrong", maxRetries: 0 }).models.list(), "a wrong key");
console.log("ok");
