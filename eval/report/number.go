package report

import (
	"fmt"
	"strconv"
	"strings"

	"grounded/eval"
	"grounded/eval/stat"
)

const unknown = "–"

// number shows a score with three digits, which is what some hundred questions can tell.
func number(v *float64) string {
	if v == nil {
		return unknown
	}
	return fmt.Sprintf("%.3f", *v)
}

func signed(v *float64) string {
	if v == nil {
		return unknown
	}
	return fmt.Sprintf("%+.3f", *v)
}

// Chance shows a p, which is never 0, or a dash where there is none.
func Chance(p *float64) string {
	if p != nil && *p < .001 {
		return "<0.001"
	}
	return number(p)
}

func percent(v *float64) string {
	if v == nil {
		return unknown
	}
	return fmt.Sprintf("%.0f%%", *v*100)
}

func interval(i *stat.Interval) string {
	if i == nil {
		return unknown
	}
	return fmt.Sprintf("%+.3f to %+.3f", i.Low, i.High)
}

func count(v *float64) string {
	if v == nil {
		return unknown
	}
	return fmt.Sprintf("%.0f", *v)
}

// seconds shows milliseconds with three digits.
func seconds(ms *float64) string {
	if ms == nil {
		return unknown
	}
	return significant(*ms/1000, 2) + " s"
}

// Dollars shows US dollars with three digits, with cents from a dollar on, or says that they are unknown.
func Dollars(v *float64) string {
	switch {
	case v == nil:
		return "unknown"
	case *v == 0:
		return "$0"
	case *v < 0:
		positive := -*v
		return "−" + Dollars(&positive)
	case *v >= 1:
		return fmt.Sprintf("$%.2f", *v)
	}
	return "$" + significant(*v, 12)
}

// significant shows three digits, but no more than so many behind the point.
func significant(v float64, most int) string {
	if v == 0 {
		return "0"
	}
	_, power, _ := strings.Cut(fmt.Sprintf("%.2e", v), "e") // of the rounded value: .09999 is 0.100
	exponent, err := strconv.Atoi(power)
	if err != nil {
		return fmt.Sprint(v) // an infinity
	}
	digits := 2 - exponent
	return fmt.Sprintf("%.*f", max(0, min(digits, most)), v)
}

// plural says "1 question" or "3 questions".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// scoreName is a score's name for people.
func scoreName(name string) string {
	switch name {
	case eval.F1:
		return "F1"
	case eval.Abstained:
		return "declined"
	}
	return strings.ReplaceAll(name, "_", " ")
}

// columnName names a model by an arm.
func columnName(model, arm string) string { return model + " · " + arm }
