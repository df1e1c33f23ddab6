package analyze

// Stop words: articles, pronouns, prepositions, conjunctions, auxiliary verbs and the words that questions
// begin with. Negations, numbers and words that name places or times are not among them.

// endings stand behind an apostrophe and belong to no word that is searched for.
var endings = set(`s t d m ll re ve`)

const (
	stopEnglish = `
		a an the this that these those and or but if then else so than as of at by for from in into on onto to up
		with within about over under between among through during per via upon
		i me my mine we us our ours you your yours he him his she her hers it its they them their theirs
		myself yourself himself herself itself ourselves themselves one anyone someone everyone anybody somebody
		everybody anything something everything please
		is am are was were be been being do does did doing done have has had having can could may might must shall
		should will would let
		what which who whom whose when where why how there here
		also any some such just very too both each every more most other own same only
		don't doesn't didn't isn't aren't wasn't weren't can't couldn't won't wouldn't shouldn't haven't hasn't hadn't`
	stopGerman = `
		der die das den dem des ein eine einen einem einer eines und oder aber wenn dann als ob dass daß weil denn so
		wie von vom zu zum zur in im ins an am ans auf aus bei beim mit nach vor für durch über unter um bis seit
		gegen ohne zwischen während
		ich mich mir mein meine meiner meinem meinen du dich dir dein deine er ihn ihm sein seine seiner seinem
		seinen sie ihr ihre ihrer ihrem ihren es wir uns unser unsere unserer euch man sich
		ist bin bist sind war waren wird werden wurde wurden worden sei haben habe hat hatte hatten kann können
		könnte darf dürfen muss müssen soll sollen sollte will wollen mag möchte
		was welche welcher welches welchen welchem wer wen wem wessen wann wo woher wohin warum wieso weshalb
		diese dieser dieses diesen diesem jene jener jeder jede jedes jeden auch noch nur schon sehr mehr da hier
		dort etwas alle allem allen aller alles andere anderen`
	stopFrench = `
		le la les l un une des du de d au aux ce cet cette ces c et ou où mais si donc or car ni que qu qui quoi dont
		quel quelle quels quelles lequel laquelle lesquels lesquelles quand comment pourquoi combien
		à dans en par pour sur sous avec sans vers chez entre pendant depuis
		je j me m moi mon ma mes tu te t toi ton ta tes il elle on se s soi son sa ses nous notre nos vous votre vos
		ils elles leur leurs lui eux y
		est suis es sommes êtes sont était étaient été être sera seront serait ai as a avons avez ont avait avaient
		avoir eu aura peut peuvent pouvoir doit doivent devoir fait faire
		aussi plus très tout toute tous toutes même autre autres comme`
	stopSpanish = `
		el la los las un una unos unas lo al del de y e o u pero si que qué como cómo cuando cuándo donde dónde quien
		quién quienes cual cuál cuales cuáles cuanto cuánto cuántos cuántas cuyo por para con sin sobre entre desde
		hasta en a ante bajo durante
		yo me mi mis mí tú te tu tus ti él ella ello se su sus nosotros nos nuestro nuestra nuestros nuestras
		vosotros os ellos ellas les le usted ustedes
		es soy eres somos son era eran fue fueron ser sido será sea está están estar estaba ha han haber había hay
		he tiene tienen tener puede pueden poder debe deben
		este esta estos estas ese esa esos esas eso esto aquel aquella también más muy ya porque otro otra otros otras`
	stopItalian = `
		il lo la i gli le l un uno una di del dello della dei degli delle dell a al allo alla ai agli alle all da dal
		dallo dalla dai dagli dalle dall in nel nello nella nei negli nelle nell con su sul sullo sulla sui sugli
		sulle sull per tra fra e ed o ma se che chi cui quale quali quando come dove perché quanto quanti quante
		io mi me mio mia miei mie tu ti te tuo tua suo sua suoi sue lui lei si noi ci nostro nostra voi vi vostro
		vostra loro li ne
		è sono sei siamo siete era erano essere stato stata stati sarà ho hai ha abbiamo avete hanno aveva avere può
		possono potere deve devono dovere c d s
		questo questa questi queste quello quella quelli quelle anche più molto già altro altra altri altre cosa`
	stopPortuguese = `
		o a os as um uma uns umas de do da dos das em no na nos nas num numa por pelo pela pelos pelas para com sem
		sobre entre até desde ao à aos às e ou mas se que quê qual quais quando como onde quem quanto quantos quantas
		eu me mim meu minha meus minhas tu te teu tua você vocês ele ela eles elas lhe lhes seu sua seus suas nós nosso
		nossa nossos nossas
		é sou és somos são era eram foi foram ser sido será seja está estão estar estava há tem têm ter tinha havia
		pode podem poder deve devem
		este esta estes estas isto esse essa esses essas isso aquele aquela também mais muito já porque outro outra
		outros outras`
	stopDutch = `
		de het een der des van aan in op te ten ter met voor door over onder uit bij naar om tot tussen tegen zonder
		en of maar als dan dat die dit deze omdat want dus zo toen
		ik mij me mijn jij je jou jouw u uw hij hem zijn zij ze haar het wij we ons onze jullie hun hen zich men
		is ben bent was waren wordt worden werd werden geworden heeft heb hebben had hadden kan kunnen kon mag mogen
		moet moeten zal zullen zou zouden wil willen
		wat welke welk wie wiens wanneer waar waarom hoe er hier daar ook nog al meer zeer veel andere`
	stopSwedish = `
		en ett den det de dem och eller men om att som än så då när var där här vad vem vilken vilket vilka hur varför
		av på i till från för med utan under över mellan hos vid mot genom efter före
		jag mig min mitt mina du dig din ditt dina han honom hans hon henne hennes vi oss vår vårt våra ni er ert era
		sig sin sitt sina man deras
		är var vara varit blir bli blev har ha hade kan kunde ska skall skulle vill ville måste får
		denna detta dessa också mer mycket redan andra`
	stopNorwegian = `
		en et ei den det de dem og eller men om at som enn så da når hvor der her hva hvem hvilken hvilket hvilke
		hvordan hvorfor av på i til fra for med uten under over mellom hos ved mot gjennom etter før
		jeg meg min mitt mine du deg din ditt dine han ham hans hun henne hennes vi oss vår vårt våre dere deres seg
		sin sitt sine man
		er var være vært blir bli ble har ha hadde kan kunne skal skulle vil ville må får
		denne dette disse også mer mye allerede andre`
	stopDanish = `
		en et den det de dem og eller men om at som end så da når hvor der her hvad hvem hvilken hvilket hvilke hvordan
		hvorfor af på i til fra for med uden under over mellem hos ved mod gennem efter før
		jeg mig min mit mine du dig din dit dine han ham hans hun hende hendes vi os vor vort vores i jer jeres sig sin
		sit sine man deres
		er var være været bliver blive blev har have havde kan kunne skal skulle vil ville må får
		denne dette disse også mere meget allerede andre`
	stopFinnish = `
		ja tai mutta jos että kun kuin niin myös se sen sitä siitä siinä ne niiden niitä tämä tämän tätä tässä nämä
		on oli ovat olivat olla ole ollut olen olet olemme
		minä minun minua sinä sinun hän hänen häntä me meidän te teidän he heidän joka jonka jota jossa jotka
		mikä mitä missä mistä milloin miten miksi kuka kenen kuinka ei`
	stopPolish = `
		i oraz lub albo ale a w we z ze na do od po za przed przez dla o u nad pod przy między bez
		ja mnie mi mój moja moje ty ciebie twój twoja on ona ono jego jej my nas nasz nasza wy was wasz oni one ich
		się siebie swój swoja to ten ta te tego tej tych tym ów
		jest są był była było były być będzie będą może mogą można ma mają
		co kto kiedy gdzie jak jaki jaka jakie który która które których dlaczego czy że żeby gdy jeśli już tylko też`
	stopRussian = `
		и или но а если то что чтобы как когда где куда откуда почему кто кого кому чем какой какая какое какие который
		которая которое которые сколько
		в во на с со из изо от до по за под над при о об обо у к ко для без через между про
		я меня мне мой моя мое мои ты тебя тебе твой он его ему она ее её ей оно мы нас нам наш наша вы вас вам ваш они
		их им себя свой свою своих
		быть был была было были есть будет будут может могут можно
		это этот эта эти этого тот та те того же ли бы также уже еще ещё`
)
