package analyze

import "testing"

func TestLanguageIsTold(t *testing.T) {
	for want, text := range map[string]string{
		"en": "How many days of annual leave do I have in a year?",
		"de": "Wie viele Urlaubstage habe ich im Jahr?",
		"fr": "Combien de jours de congé par an ?",
		"it": "Quanti giorni di ferie ho all'anno?",
		"pt": "Quantos dias de férias eu tenho por ano?",
		"es": "Los empleados tienen derecho a los días de vacaciones que están en el contrato.",
		"sv": "Hur många semesterdagar har jag per år?",
		"ru": "Сколько дней отпуска у меня в году?",
		"uk": "Скільки днів відпустки я маю на рік і як їх використати?",
		"cs": "Zaměstnanec má nárok na dovolenou, pokud je v pracovním poměru alespoň šedesát dní v kalendářním roce a práci skutečně vykonával.",
		"zh": "员工每年有多少天年假？HR-17",
		"ja": "年次休暇は何日ありますか。",
		"ko": "연차 휴가는 며칠입니까?",
		"el": "Πόσες ημέρες άδειας έχω;",
		"th": "ฉันมีวันลาพักร้อนกี่วัน",
		"":   "HR-2024/17 42",
	} {
		if got := Language(text); got != want {
			t.Errorf("Language(%q) is %q, want %q", text, got, want)
		}
	}
}

func FuzzLanguageNeverFails(f *testing.F) {
	f.Add("\xff\xfe")
	f.Add("ΐ ﬃ")
	f.Fuzz(func(t *testing.T, text string) {
		if code := Language(text); len(code) > 2 {
			t.Errorf("%q is no ISO 639-1 code", code)
		}
	})
}
