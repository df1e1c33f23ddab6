package chunk

import (
	"hash/fnv"

	"grounded/analyze"
)

// span is a chunk in the making.
type span struct {
	start, end int // bytes of the document's text
	path       []string
	context    string
	tokens     int // of context and text
}

// packer fills chunks with a document's units.
type packer struct {
	Config
	text  string
	title string
	spans []span
}

// pack makes chunks of a section: one if it fits, else its own text and its subsections, joining those that
// fit together. lead has units that stand before it and were too few for a chunk of their own.
func (p *packer) pack(s *section, lead []unit) {
	if len(s.children) == 0 || tokens(lead)+s.tokens <= p.TargetTokens {
		p.fill(append(lead[:len(lead):len(lead)], s.all()...))
		return
	}
	group := append(lead[:len(lead):len(lead)], s.units...)
	own := true // the group has no subsection yet
	for _, child := range s.children {
		switch {
		case tokens(group) <= p.TargetTokens/2 && tokens(group)+child.tokens <= p.TargetTokens:
			group, own = append(group, child.all()...), false
		case own && tokens(group) <= p.TargetTokens/4:
			p.pack(child, group)
			group, own = nil, false
		case child.tokens <= p.TargetTokens:
			p.fill(group)
			group, own = child.all(), false
		default:
			p.fill(group)
			p.pack(child, nil)
			group, own = nil, false
		}
	}
	p.fill(group)
}

// fill makes chunks of consecutive units. Where they are cut does not depend on what is repeated, so that the cuts
// behind an edit stay where they were: each chunk leaves room for the sentences of the one before.
func (p *packer) fill(units []unit) {
	rest, room := tokens(units), p.TargetTokens
	if rest > room {
		room -= max(p.OverlapTokens, 0)
	}
	former := 0 // where the chunk before begins
	for i := 0; i < len(units); {
		n := len(units) - i
		if rest > room {
			n = p.cut(units[i:], rest, room)
		}
		p.emit(units[p.repeated(units, former, i) : i+n])
		rest -= tokens(units[i : i+n])
		former = i
		i += n
	}
}

// repeated returns where the sentences begin that the chunk from i on repeats of the one before, which begins at
// former. Rows of a table are not repeated; their header is.
func (p *packer) repeated(units []unit, former, i int) int {
	from, sum := i, 0
	if i == 0 || units[i].header != (analyze.Span{}) {
		return i
	}
	for from-1 > former && units[from].before != inside && !units[from-1].heading && sum+units[from-1].tokens <= p.OverlapTokens {
		from--
		sum += units[from].tokens
	}
	return from
}

// cut decides how many of the units, which have rest tokens and don't fit into room, the next chunk takes; at
// least one. What fits into two chunks is cut near its middle. Longer text is cut at the best boundary in the
// last part of the room, and among equals at the one whose text has the least hash: so that after an edit the
// cuts fall back to where they were, and the chunks behind keep their ids and vectors.
func (p *packer) cut(units []unit, rest, room int) int {
	best, bestCost := 1, 0.0
	sum := 0
	for n := 1; n < len(units); n++ {
		sum += units[n-1].tokens
		if sum > room {
			break
		}
		fill := float64(sum) / float64(room)
		var cost float64
		switch {
		case units[n-1].heading:
			cost = 10 // a heading stays with what stands under it
		case rest <= 2*room:
			half := float64(rest) / 2 / float64(room)
			cost = max(half-fill, fill-half) + []float64{.6, .15, 0}[units[n].before]
			if rest-sum > room {
				cost++
			}
		case fill >= .5:
			cost = []float64{3, 2, 1}[units[n].before] + p.hash(units[n])
		default:
			cost = 5 - fill
		}
		if n == 1 || cost < bestCost {
			best, bestCost = n, cost
		}
	}
	return best
}

// hash maps a unit's text to a number from 0 to 1.
func (p *packer) hash(u unit) float64 {
	h := fnv.New32a()
	h.Write([]byte(p.text[u.start:u.end]))
	return float64(h.Sum32()) / (1 << 32)
}

// emit makes a chunk of consecutive units, or several when they don't fit into MaxTokens even without
// context.
func (p *packer) emit(units []unit) {
	path := commonPath(units)
	start, end := units[0].start, units[len(units)-1].end
	text := p.text[start:end]
	names := make([]string, len(path))
	for i, h := range path {
		names[i] = h.text
	}
	for _, context := range p.contexts(units[0], path, end) {
		input := text
		if context != "" {
			input = context + "\n" + text
		}
		if n := p.Count(input); n <= p.MaxTokens {
			p.spans = append(p.spans, span{start, end, names, context, n})
			return
		}
	}
	for _, piece := range pieces(text, p.MaxTokens, p.Count) {
		p.spans = append(p.spans, span{start + piece.start, start + piece.end, names, "", piece.tokens})
	}
}

// commonPath returns the headings that all of the units stand under, apart from headings, which stand under
// themselves.
func commonPath(units []unit) []heading {
	path := units[len(units)-1].path
	for _, u := range units {
		if u.heading {
			continue
		}
		n := 0
		for n < min(len(path), len(u.path)) && path[n] == u.path[n] {
			n++
		}
		path = path[:n]
	}
	return path
}
