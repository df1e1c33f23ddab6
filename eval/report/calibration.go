package report

import (
	"fmt"
	"slices"
	"strings"

	"grounded/eval"
)

// setting is a recommended threshold, in words and as it is written into a configuration.
type setting struct {
	Models string
	Advice string
	YAML   string // empty when none is recommended
}

// settings lists what calibration advises; models of the same advice together.
func settings(r eval.Report) (list []setting) {
	var models [][]string
	for _, k := range r.Calibration {
		s := setting{Advice: k.Advice}
		if k.Below != nil {
			s.YAML = fmt.Sprintf("answer:\n  abstain_below: %.3f", *k.Below)
		}
		at := slices.IndexFunc(list, func(o setting) bool { return o.Advice == s.Advice })
		if at < 0 {
			at = len(list)
			list, models = append(list, s), append(models, nil)
		}
		models[at] = append(models[at], k.Model)
	}
	for i := range list {
		list[i].Models = strings.Join(models[i], ", ")
	}
	return list
}
