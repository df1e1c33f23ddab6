package api

import (
	"cmp"

	"grounded/answer"
	"grounded/model"
)

// responseStream sends the events of a response, each with its number.
type responseStream struct {
	events  *stream
	number  int
	message string // id of the one item of the output
	begun   bool
	out     responseObject
}

// send sends an event of a type, with what else it has.
func (w *responseStream) send(kind string, fields map[string]any) error {
	event := map[string]any{"type": kind, "sequence_number": w.number}
	for name, value := range fields {
		event[name] = value
	}
	w.number++
	return w.events.event(kind, event)
}

// part adds to an event which part of the output it is about.
func (w *responseStream) part(fields map[string]any) map[string]any {
	fields["item_id"], fields["output_index"], fields["content_index"] = w.message, 0, 0
	return fields
}

// begin sends what stands before the first text, once.
func (w *responseStream) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	for _, kind := range []string{"response.created", "response.in_progress"} {
		if err := w.send(kind, map[string]any{"response": w.out}); err != nil {
			return err
		}
	}
	item := responseMessage{ID: w.message, Type: "message", Status: "in_progress", Role: "assistant", Content: []responseText{}}
	if err := w.send("response.output_item.added", map[string]any{"output_index": 0, "item": item}); err != nil {
		return err
	}
	return w.send("response.content_part.added", w.part(map[string]any{"part": textPart("", nil)}))
}

func (w *responseStream) delta(text string) error {
	if err := w.begin(); err != nil {
		return err
	}
	return w.send("response.output_text.delta", w.part(map[string]any{"delta": text, "logprobs": []struct{}{}}))
}

// finish sends the citations and the ends of all that was begun.
func (w *responseStream) finish() error {
	if err := w.begin(); err != nil {
		return err
	}
	item := w.out.Output[0]
	text := item.Content[0]
	for i, c := range text.Annotations {
		if err := w.send("response.output_text.annotation.added", w.part(map[string]any{"annotation_index": i, "annotation": c})); err != nil {
			return err
		}
	}
	for _, e := range []struct {
		kind   string
		fields map[string]any
	}{
		{"response.output_text.done", w.part(map[string]any{"text": text.Text, "logprobs": []struct{}{}})},
		{"response.content_part.done", w.part(map[string]any{"part": text})},
		{"response.output_item.done", map[string]any{"output_index": 0, "item": item}},
		{"response." + w.out.Status, map[string]any{"response": w.out}},
	} {
		if err := w.send(e.kind, e.fields); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) streamResponse(k *call, c *chatRequest, ask answer.Request, out responseObject) error {
	w := &responseStream{events: s.stream(k), message: newID("msg_"), out: out}
	defer w.events.close()
	a, err := s.reply(k, c, ask, func(d model.Delta) error {
		w.out.Model = c.nameOf(cmp.Or(d.Model, c.Model))
		k.answeredBy(cmp.Or(d.Model, c.Model))
		return w.delta(d.Text)
	})
	if err == nil {
		w.out.Model = c.nameOf(a.Model)
		w.out.finish(w.message, a, s.fileCitations(k, ask, a))
		err = w.finish()
	}
	return w.events.end(k.ctx, err, func(f *fault) error {
		return w.send("error", map[string]any{"code": f.code, "message": f.message, "param": nil})
	})
}
