// Package finetune makes training files of a dataset's questions: what the program would ask a model, with the answer
// that it should have given, as chats in JSONL, split so that what is validated on was not trained on.
package finetune
