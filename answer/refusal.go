package answer

import (
	"regexp"
	"strings"

	"grounded/analyze"
)

// refusal recognises a sentence by which a model says that it doesn't know or that the passages don't tell.
// The forms are the usual ones of each language, not all that there are.
var refusal = regexp.MustCompile(`(?i)` + strings.Join([]string{
	// English
	`\bi (?:don['’]?t|do not|didn['’]?t|did not|cannot|can['’]?t|could not|couldn['’]?t|am unable to|am not able to|'m unable to|’m unable to) (?:have (?:any |enough |sufficient |access to )|know\b|find\b|found\b|answer\b|provide an answer|determine\b|see any)`,
	`\b(?:passages?|documents?|texts?|context|sources?|excerpts?|information)(?: (?:provided|given|above))? (?:do|does|did)(?: not|n['’]t) (?:contain|mention|say|tell|provide|specify|include|state|answer|hold|give|address|have (?:any )?information)`,
	`\b(?:there is|there['’]s) (?:no|not enough|insufficient) (?:information|mention|answer)`,
	`\bno (?:information|answer|mention|details?) .{0,60}(?:is|are|was|were) (?:given|provided|available|found|stated|contained)`,
	`\b(?:is|are) not (?:mentioned|specified|stated|provided|given|contained|included|answered) (?:in|by) (?:the|these|this|any|your)\b`,
	`\bi found no answer`,
	// German
	`\bich (?:weiß (?:es |das )?nicht|kann .{0,60}nicht (?:beantworten|finden|sagen)|habe .{0,60}(?:keine|nichts).{0,40}gefunden)`,
	`\b(?:dokumente?n?|passagen?|textstellen?|abschnitte?n?|stellen|texte?n?|unterlagen)\b.{0,40}\b(?:enthalten|enthält|sagen|sagt|nennen|nennt|beantworten|beantwortet|geben|gibt)\b.{0,60}\b(?:nicht|keine?n?|nichts)\b`,
	`\b(?:dazu|darüber|hierzu|dar[ua]us)\b.{0,40}\b(?:keine (?:angaben?|informationen|antwort|auskunft)|nichts)`,
	// French
	`\bje ne (?:sais pas|peux pas (?:répondre|trouver)|trouve pas|dispose pas)`, `\bje n['’]ai (?:pas|rien) (?:trouvé|d['’])`,
	`\b(?:documents?|passages?|textes?|extraits?)\b.{0,30}\bne (?:contien|mentionn|précis|indiqu|di[st]|donn|fourni|répond)\S* (?:pas|rien|aucune?)`,
	// Spanish, Portuguese, Italian
	`\bno (?:lo )?sé(?:[\s.,;!]|$)`, `\bno (?:he encontrado|encuentro|puedo (?:responder|encontrar)|tengo (?:suficiente )?información)`,
	`\b(?:documentos?|pasajes?|textos?|fragmentos?)\b.{0,30}\bno (?:contien|mencion|indic|dic|especific|proporcion|respond)`,
	`\bnão (?:sei\b|encontrei|encontro|posso responder|tenho informa)`, `\b(?:documentos?|passagens|trechos?|textos?)\b.{0,30}\bnão (?:cont|mencion|indic|diz|especific|fornec|respond)`,
	`\bnon (?:lo so|so rispondere|ho trovato|trovo|posso rispondere)`, `\b(?:documenti?|passaggi|testi?|brani)\b.{0,30}\bnon (?:conten|menzion|indic|dic|specific|fornisc|rispond)`,
	// Dutch
	`\bik (?:weet (?:het )?niet|kan .{0,60}niet (?:vinden|beantwoorden)|heb .{0,60}geen .{0,30}gevonden)`,
	`\b(?:documenten|passages|teksten|fragmenten)\b.{0,30}\b(?:bevatten|vermelden|zeggen|geven|noemen)\b.{0,40}\b(?:niet|geen|niets)\b`,
	// Russian
	`(?:я не знаю|не (?:могу|удалось) (?:найти|ответить)|в (?:документах|отрывках|тексте|фрагментах).{0,30}(?:нет (?:ответа|информации|сведений)|не (?:указан|упомина|сказано|содерж)))`,
	// Chinese, Japanese, Korean
	`(?:我|本人)?(?:不知道|无法回答|不清楚|無法回答)`,
	`(?:文档|文件|段落|资料|文中|文本|材料|上下文|文檔|資料)(?:中|里|裡|内|內)?.{0,8}(?:没有|未|并未|沒有|不|无)(?:找到|提到|提及|说明|包含|提供|涉及|给出|记载|回答|答案|(?:任何|相关|关于|有关).{0,20}(?:信息|内容|说明|答案|记载))`,
	`(?:没有|未能?|沒有)(?:在.{0,12})?找到.{0,20}(?:答案|信息|内容|资料)`,
	`(?:わかりません|分かりません|見つかりません|(?:文書|資料|文章)に(?:は)?.{0,20}(?:ありません|記載されていません|含まれていません))`,
	`(?:모르겠습니다|알 수 없습니다|찾(?:지 못했|을 수 없)|(?:문서|자료|본문)에(?:는)?.{0,30}(?:없습니다|않습니다))`,
}, "|"))

// refuses reports whether a sentence declines to answer.
func refuses(sentence string) bool { return refusal.MatchString(sentence) }

// declined reports whether a whole answer is a refusal: it begins by declining and claims nothing afterwards.
// "The documents don't say X." followed by what they do say is an answer.
func declined(text string) bool {
	bare, _ := unmark(text, parseMarkers(text))
	spans := analyze.Sentences(bare)
	if len(spans) == 0 || !refuses(bare[spans[0].Start:spans[0].End]) {
		return false
	}
	return len(claims(text)) == 0
}
