package eval

import (
	"grounded/answer"
	"grounded/model"
)

// way says which of the ways to better answers a column is: prompting, with examples or without, retrieval, a fine-tuned
// model, one that was trained elsewhere; or of the model and the prompt both.
func way(card model.Card, arm string) string {
	made := ""
	switch l := card.Lineage; {
	case l == nil:
	case l.Job != "" || l.Adapter != "":
		made = "fine-tuned"
	default:
		made = "trained elsewhere"
	}
	asked := map[string]string{
		answer.ArmFewShot: "prompting with examples", answer.ArmGrounded: "retrieval",
		ArmOracle: "the right passages given", ArmDistractor: "wrong passages given",
	}[arm]
	switch {
	case made == "" && asked == "":
		return "the model alone"
	case made == "":
		return asked
	case asked == "":
		return made
	}
	return made + ", " + asked
}
