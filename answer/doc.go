// Package answer answers a question with a chat model, in one of several ways (arms): plain, after examples, or
// grounded in passages of the documents.
//
// A grounded answer abstains, without asking the model, when retrieval found nothing good enough. Otherwise the
// passages that fit into the model's context are put before it, numbered from 1, and what it writes is checked
// afterwards, sentence by sentence, against the text that is stored: see Citation in package corpus. The text
// stays as the model wrote it.
package answer
