package eval

import (
	"grounded/answer"
	"grounded/model"
)

// The four ways to better answers, beside a model that is asked alone.
const (
	WayAlone     = "the model alone"
	WayExamples  = "examples in the prompt"
	WayRetrieval = "retrieval"
	WayTuned     = "fine-tuned model"
	WayElsewhere = "model trained elsewhere"
)

// Origin is WayTuned of a model of one's own that a job or an adapter made of another, WayElsewhere of a whole one that was
// made elsewhere, and empty of what others offer.
func Origin(card model.Card) string {
	switch l := card.Lineage; {
	case l == nil:
		return ""
	case l.Job != "" || l.Adapter != "":
		return WayTuned
	}
	return WayElsewhere
}

// way says which of the ways a column is, of the model and of the arm.
func way(card model.Card, arm string) string {
	asked := map[string]string{
		answer.ArmFewShot: WayExamples, answer.ArmGrounded: WayRetrieval,
		ArmOracle: "the right passages given", ArmDistractor: "wrong passages given",
	}[arm]
	switch own := Origin(card); {
	case own == "" && asked == "":
		return WayAlone
	case own == "":
		return asked
	case asked == "":
		return own
	default:
		return own + ", " + asked
	}
}
