package analyze

import "strings"

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	// titles stand before a name or a word; the full stop behind them never ends a sentence. In lower case.
	titles = set(`
		dr mr mrs ms mx prof rev hon st gen col maj capt lt sgt gov sen rep pres supt messrs mmes
		hr fr frl dipl ing mag bzw bspw evtl ggf inkl exkl vgl sog ca zzgl abzgl gem lt z.b u.a d.h i.d.r
		sr sra srta dra ud uds mme mlle mgr m.m sig sigg dott avv egr spett
		vs cf viz e.g i.e approx resp incl excl esp г ул им т.е см стр
		dhr mevr drs ir`)
	// beforeNumber abbreviate only before a number: "No. 5" but "He said no. Then". In lower case.
	beforeNumber = set(`
		no nos nr nrs núm num fig figs figure abb tab tbl sec sect art arts abs ch chap kap pp pg ss vol vols bd
		ed eq eqs ex cl para ref refs ver rev op n° св гл рис табл jan feb mar apr jun jul aug sep sept oct nov dec`)
	// months follow the ordinal of a day. In lower case.
	months = set(`
		januar jänner februar märz april mai juni juli august september oktober november dezember
		januari februari maart mei augustus december marts maj
		tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta
		jan feb mär apr jun jul aug sep sept okt nov dez
		stock jahrhundert jahrhunderts quartal klasse semester`)
	// sentenceStarters rarely follow an abbreviation inside a sentence.
	sentenceStarters = set(`
		The This That These Those It He She They We You In On At If When While As For But And However There A An
		Our Your Their His Her Its To By From With After Before No Yes
		Der Die Das Ein Eine Es Er Sie Wir Ich Im In Wenn Aber Und Für Bei Mit Nach
		Le La Les Un Une Il Elle Ils Elles Nous Vous Ce Cette Ces Dans Pour Mais
		El Los Las Una Ella Nosotros Este Esta En Para Pero Si
		I Gli Lo Uno Questo Questa Nel Per Ma Se O Os As Um Uma Ele Ela Em Mas
		Het Een De Dit Deze Wij`)
)
