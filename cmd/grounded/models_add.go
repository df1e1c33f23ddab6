package main

import (
	"time"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/model"
)

func (p *program) addModelCommand() *cobra.Command {
	var made model.Made
	var base string
	command := &cobra.Command{
		Use:   "add ID (--lora FILE | --gguf FILE)",
		Short: "Register a model that was made elsewhere: a LoRA adapter on a local model, or a whole model, as GGUF",
		Long: `The model is then used like any other: --model ID, eval run --models smollm2,ID, and by the service. It is served on this
machine as its base is. The files stay where they are.`,
		Example: examples("grounded models add leave-v1 --base smollm2 --lora leave-v1.gguf --dataset leave-2026",
			"grounded models add qwen-0.5b --gguf qwen2.5-0.5b-instruct-q4_k_m.gguf"),
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if (made.Model == "") == (made.Adapter == "") {
				return usageError{corpus.Errorf(corpus.ErrInvalid, "name either an adapter with --lora or a model with --gguf")}
			}
			made.ID = args[0]
			return p.addModel(made, base)
		},
	}
	flags := command.Flags()
	flags.StringVar(&base, "base", "smollm2", "`id` of the local model that it adapts, or as which it is served")
	flags.StringVar(&made.Adapter, "lora", "", "`file` of a LoRA adapter")
	flags.StringVar(&made.Model, "gguf", "", "`file` of a whole model")
	flags.StringVar(&made.Name, "name", "", "`text` that people know it by")
	flags.StringVar(&made.Dataset, "dataset", "", "`name` of what it was trained on")
	flags.StringVar(&made.License, "license", "", "`name` of its license (default what the file says, or the base's)")
	return command
}

func (p *program) addModel(made model.Made, base string) error {
	s, err := p.loadServices()
	if err != nil {
		return err
	}
	if card, err := s.catalog.Get(made.ID); err == nil {
		hint := "choose another id"
		if card.Lineage != nil { // what was measured of it would be said of the new one
			hint += ", or take the old one out of " + ownModels(s.config)
		}
		return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "the catalog has a model %q already", made.ID), hint)
	}
	card, err := s.catalog.Get(base)
	if err != nil {
		return err
	}
	if card, err = made.FromBase(card, time.Now()); err != nil {
		return err
	}
	if err := model.Register(ownModels(s.config), card); err != nil {
		return err
	}
	if p.json {
		return p.printJSON(card)
	}
	p.printf("%s is in the catalog; try it: grounded models test %s\n", made.ID, made.ID)
	return nil
}
