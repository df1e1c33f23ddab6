package model

import "fmt"

// Samples are calls of a model through a server of grounded, by the name of their language: curl and python. A model
// that the server does not pass on has none.
func Samples(c Card, server string) map[string]string {
	switch {
	case c.Does(TaskChat):
		return map[string]string{
			"curl": fmt.Sprintf(`curl %s/v1/chat/completions -H "Authorization: Bearer $GROUNDED_KEY" \
  -H "Content-Type: application/json" \
  -d '{"model": "%s+rag", "messages": [{"role": "user", "content": "How many days of leave do I have?"}]}'
`, server, c.ID),
			"python": fmt.Sprintf(`import os

from openai import OpenAI

client = OpenAI(base_url="%s/v1", api_key=os.environ.get("GROUNDED_KEY", "none"))
question = [{"role": "user", "content": "How many days of leave do I have?"}]
for model in ("%s", "%s+rag"):  # alone, and from the documents
    print(client.chat.completions.create(model=model, messages=question).choices[0].message.content)
`, server, c.ID, c.ID),
		}
	case c.Does(TaskEmbedding):
		return map[string]string{
			"curl": fmt.Sprintf(`curl %s/v1/embeddings -H "Authorization: Bearer $GROUNDED_KEY" \
  -H "Content-Type: application/json" -d '{"model": "%s", "input": ["days of leave"]}'
`, server, c.ID),
			"python": fmt.Sprintf(`import os

from openai import OpenAI

client = OpenAI(base_url="%s/v1", api_key=os.environ.get("GROUNDED_KEY", "none"))
print(client.embeddings.create(model="%s", input=["days of leave"]).data[0].embedding[:3])
`, server, c.ID),
		}
	}
	return map[string]string{}
}
