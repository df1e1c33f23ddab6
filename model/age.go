package model

import (
	"fmt"
	"time"
)

// Finding is what is to be looked up again about an entry of the catalog.
type Finding struct {
	Model string `json:"model"`
	Kind  string `json:"kind"` // old, undated, retired or retiring
	Text  string `json:"text"` // a sentence
}

// retiring is how long before a model's last day it is named, in days.
const retiring = 90

// Check lists the entries whose prices or facts were read more than a year before the day, those that ship with the
// program without a date of their facts, and those whose provider no longer serves them or soon won't, in the catalog's
// order.
func (c Catalog) Check(day time.Time) []Finding {
	var list []Finding
	for i, card := range c.cards {
		add := func(kind, format string, args ...any) {
			list = append(list, Finding{card.ID, kind, fmt.Sprintf(format, args...)})
		}
		for _, read := range [][2]string{{"price", card.Price.Date}, {"facts", card.Facts.Date}} {
			if date, ok := dayOf(read[1]); ok && date.AddDate(1, 0, 0).Before(day) {
				add("old", "Its %s of %s is older than a year.", read[0], read[1])
			}
		}
		if card.Facts.Date == "" && i < c.shipped {
			add("undated", "It does not say when its facts were read.")
		}
		switch date, ok := dayOf(card.Retires); {
		case !ok:
		case !date.After(day):
			add("retired", "Its provider serves it no longer since %s.", card.Retires)
		case date.Before(day.AddDate(0, 0, retiring)):
			add("retiring", "Its provider serves it until %s.", card.Retires)
		}
	}
	return list
}

// dayOf reads a date, which has been checked when the catalog was read; false for none.
func dayOf(date string) (time.Time, bool) {
	day, err := time.Parse(time.DateOnly, date)
	return day, err == nil
}
