"use strict";
(() => {
  const byId = id => document.getElementById(id);
  const element = (name, className, ...children) => {
    const e = document.createElement(name);
    if (className) e.className = className;
    e.append(...children);
    return e;
  };
  const directed = e => { e.dir = "auto"; return e; };
  const button = (className, text, click) => {
    const b = element("button", className, text);
    b.type = "button";
    b.addEventListener("click", click);
    return b;
  };
  const questions = report.questions;
  const filters = ["column", "outcome", "tag", "text"];

  const meanings = {
    harmed: "harmed: right without documents", rescued: "rescued: wrong without documents",
    lost: "lost: right by " + report.compared, gained: "gained: wrong by " + report.compared,
  };
  const choose = (id, first, choices) => {
    byId(id).append(new Option(first, ""), ...choices.map(([value, text]) => new Option(text, value)));
    byId(id).parentElement.hidden = !choices.length;
  };
  const numbers = new Map();
  questions.forEach(q => new Set(q.items.flatMap(i => [i.outcome, ...(i.changes || [])])).forEach(o => numbers.set(o, (numbers.get(o) || 0) + 1)));
  choose("column", "all columns", report.columns.map(c => [c, c]));
  choose("outcome", "all outcomes", ["right", "wrong", "declined", "failed", "not judged", "harmed", "rescued", "lost", "gained"]
    .filter(o => numbers.has(o)).map(o => [o, (meanings[o] || o) + " (" + numbers.get(o) + ")"]));
  choose("tag", "all tags", [...new Set(questions.flatMap(q => q.tags || []))].sort().map(t => [t, t]));

  // Words are looked for in what is read, not in the names of fields.
  const words = new Map();
  const wordsOf = q => {
    if (!words.has(q)) {
      words.set(q, [q.id, q.question, ...(q.answers || []), ...(q.tags || []), ...(q.evidence || []).flatMap(e => [e.place, e.quote || ""]),
        ...q.items.flatMap(i => [i.text || "", i.error || ""])].join("\n").toLowerCase());
    }
    return words.get(q);
  };
  const speaksOf = (q, text) => text.startsWith("id:") ? q.id === text.slice(3) : wordsOf(q).includes(text.toLowerCase());

  // Texts are found in passages whatever blanks and line ends stand between their words.
  const find = (text, wanted) => {
    const pattern = wanted.trim().split(/\s+/).map(w => w.replace(/[.*+?^${}()|[\]\\\/]/g, "\\$&")).join("\\s+");
    const found = pattern && new RegExp(pattern).exec(text);
    return found ? [found.index, found.index + found[0].length] : null;
  };
  // spans are [from, to, kind]; kind makes the element. What overlaps an earlier one is left out.
  const spanned = (text, spans) => {
    const parts = [];
    let at = 0;
    spans.sort((a, b) => a[0] - b[0]).forEach(([from, to, kind]) => {
      if (from < at) return;
      parts.push(text.slice(at, from), kind(text.slice(from, to)));
      at = to;
    });
    parts.push(text.slice(at));
    return parts;
  };
  const passageText = (q, item, n) => {
    const text = report.passages[item.passages[n]].text;
    const spans = (item.cited || []).filter(c => c.marker === n + 1 && c.quote).map(c => find(text, c.quote)).filter(s => s).map(s => [...s, t => element("mark", "", t)]);
    const evidence = (item.evidence || []).includes(n + 1);
    if (evidence) {
      (q.evidence || []).filter(e => e.quote).map(e => find(text, e.quote)).filter(s => s)
        .filter(s => !spans.some(o => o[0] < s[1] && s[0] < o[1])).forEach(s => spans.push([...s, t => element("span", "gold", t)]));
    }
    return directed(element("blockquote", evidence ? "evidence" : "", ...spanned(text, spans)));
  };

  const longAnswer = 1200;
  const answer = (item, open) => {
    let text = item.text || "";
    const whole = text;
    const box = directed(element("div", "text"));
    const show = length => {
      text = whole.slice(0, length);
      const spans = (item.unsupported || []).filter(([from]) => from < length).map(span => [...span, t => element("span", "unsupported", ...marked(t))]);
      box.replaceChildren(...spanned(text, spans).flatMap(p => typeof p === "string" ? marked(p) : [p]));
      if (length < whole.length) box.append(" … ", button("link", "all " + whole.length + " characters", () => show(whole.length)));
      else if (item.cut) box.append(element("span", "faint", " (cut here; the answer has " + item.cut + " characters, all in the run's items.jsonl)"));
    };
    // A marker leads to its passage.
    const marked = t => t.split(/(\[\d+\])/).map(p => {
      const n = /^\[(\d+)\]$/.exec(p);
      return n && item.passages && n[1] >= 1 && n[1] <= item.passages.length ? button("link", p, () => open(Number(n[1]))) : p;
    });
    show(whole.length > longAnswer * 1.2 ? longAnswer : whole.length);
    return box;
  };
  const shownItem = (q, item) => {
    const box = element("div", "item " + item.outcome.replace(" ", "-"));
    box.append(element("h4", "", report.columns[item.column]), element("div", "outcome", [item.outcome, ...(item.changes || [])].join(", ")));
    const passages = item.passages || [];
    const details = element("details", "", element("summary", "faint", passages.length + (passages.length === 1 ? " passage" : " passages")));
    const fill = () => {
      if (details.childElementCount > 1) return;
      passages.forEach((p, n) => details.append(
        element("div", "faint", "[" + (n + 1) + "] " + report.passages[p].place + ((item.evidence || []).includes(n + 1) ? " (evidence)" : "")), passageText(q, item, n)));
    };
    const open = n => {
      fill();
      details.open = true;
      const place = details.children[2 * n - 1];
      place.tabIndex = -1;
      place.focus();
      place.scrollIntoView({block: "nearest"});
    };
    details.addEventListener("toggle", fill);
    box.append(item.error ? element("div", "", item.error) : answer(item, open));
    if (item.cited) {
      box.append(element("ul", "cited", ...item.cited.map(c => {
        const p = passages[c.marker - 1];
        const line = element("li", "", button("link", "[" + c.marker + "] " + (p === undefined ? "" : report.passages[p].place), () => p === undefined || open(c.marker)),
          c.verified ? " ✓ verified" : " ✗ not verified", c.attributed ? ", matched afterwards" : "");
        if (c.quote) line.append(": ", directed(element("q", "", c.quote)));
        return line;
      })));
    }
    box.append(element("div", "faint", item.scores));
    if (passages.length) box.append(details);
    return box;
  };
  const shownQuestion = (q, items) => {
    const wanted = !q.answerable ? "not answered by the documents" : (q.answers || []).length ? "accepted: " + q.answers.join(" | ") : "no accepted answer is known";
    const box = element("article", "question", directed(element("h3", "", q.question)),
      directed(element("div", "faint", [q.id, wanted, ...(q.tags || []).length ? [q.tags.join(", ")] : []].join(" · "))));
    (q.evidence || []).forEach(e => box.append(directed(element("div", "faint", "evidence: " + e.place + (e.quote ? ": “" + e.quote + "”" : "")))));
    box.append(element("div", "answers", ...items.map(i => shownItem(q, i))));
    return box;
  };

  const page = 50;
  let shown = 0, found = [];
  const more = () => {
    byId("list").append(...found.slice(shown, shown + page).map(([q, items]) => shownQuestion(q, items)));
    shown = Math.min(shown + page, found.length);
    byId("more").hidden = shown >= found.length;
    byId("more").textContent = "show more (" + shown + " of " + found.length + " are shown)";
  };
  const filter = () => {
    const [column, outcome, tag, text] = filters.map(id => byId(id).value);
    found = questions
      .filter(q => (!tag || (q.tags || []).includes(tag)) && (!text || speaksOf(q, text)))
      .map(q => [q, q.items.filter(i => (!column || report.columns[i.column] === column) && (!outcome || i.outcome === outcome || (i.changes || []).includes(outcome)))])
      .filter(([, items]) => items.length);
    byId("number").textContent = found.length + " of " + questions.length + " questions";
    byId("clear").hidden = !(column || outcome || tag || text);
    byId("list").replaceChildren();
    shown = 0;
    more();
  };

  // The filters stand in the address, so that what is seen can be sent to someone.
  const write = () => {
    const set = new URLSearchParams(filters.map(id => [id, byId(id).value]).filter(([, value]) => value));
    history.replaceState(null, "", "#" + set);
    filter();
  };
  const read = () => {
    if (!location.hash.includes("=")) return false;
    const set = new URLSearchParams(location.hash.slice(1));
    filters.forEach(id => { byId(id).value = set.get(id) || ""; });
    return true;
  };
  ["column", "outcome", "tag"].forEach(id => byId(id).addEventListener("change", write));
  byId("text").addEventListener("input", write);
  byId("clear").addEventListener("click", () => { filters.forEach(id => { byId(id).value = ""; }); write(); byId("text").focus(); });
  byId("more").addEventListener("click", more);
  const follow = () => {
    if (!read()) return false;
    filter();
    byId("questions").scrollIntoView();
    return true;
  };
  addEventListener("hashchange", follow);
  if (!follow()) filter();
})();
