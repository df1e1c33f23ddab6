"use strict";
(() => {
  const byId = id => document.getElementById(id);
  const element = (name, className, text) => {
    const e = document.createElement(name);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const fill = (select, first, values) => {
    select.append(new Option(first, ""));
    values.forEach(([value, text]) => select.append(new Option(text, value)));
  };
  const questions = report.questions || [];
  fill(byId("column"), "all columns", report.columns.map((c, i) => [String(i), c]));
  fill(byId("outcome"), "all outcomes", ["right", "wrong", "declined", "failed", "harmed", "rescued"].map(o => [o, o]));
  const tags = [...new Set(questions.flatMap(q => q.tags || []))].sort();
  fill(byId("tag"), "all tags", tags.map(t => [t, t]));
  if (!tags.length) byId("tag").hidden = true;

  // harmed: right without documents and wrong with them; rescued the other way round. Of one model each.
  const change = (q, item) => {
    const name = report.columns[item.column];
    if (!name.endsWith(" · grounded")) return "";
    const without = report.columns.indexOf(name.replace(/ · grounded$/, " · plain"));
    const other = q.items.find(o => o.column === without);
    if (!other || item.outcome === "failed" || other.outcome === "failed") return "";
    if (other.outcome === "right" && item.outcome !== "right") return "harmed";
    if (other.outcome !== "right" && item.outcome === "right") return "rescued";
    return "";
  };
  const matches = (q, item) => {
    const column = byId("column").value, outcome = byId("outcome").value;
    return (column === "" || item.column === Number(column)) &&
      (outcome === "" || item.outcome === outcome || change(q, item) === outcome);
  };
  const highlighted = (text, quotes) => {
    const quote = element("blockquote");
    const spans = quotes.filter(q => q).map(q => [text.indexOf(q), q.length]).filter(s => s[0] >= 0).sort((a, b) => a[0] - b[0]);
    let at = 0;
    spans.forEach(([start, length]) => {
      if (start < at) return;
      quote.append(text.slice(at, start), element("mark", "", text.slice(start, start + length)));
      at = start + length;
    });
    quote.append(text.slice(at));
    return quote;
  };
  const shownItem = (q, item) => {
    const box = element("div", "item");
    const head = element("div", "", report.columns[item.column] + " ");
    head.append(element("strong", item.outcome, item.outcome + (change(q, item) ? ", " + change(q, item) : "")));
    head.append(element("span", "faint", "  " + Object.entries(item.scores).map(([k, v]) => k.replaceAll("_", " ") + " " + v).join(" · ")));
    box.append(head, element("div", "", item.error || item.text));
    if (item.passages && item.passages.length) {
      const details = element("details");
      details.append(element("summary", "faint", item.passages.length + " passages, " + (item.cited || []).length + " citations"));
      details.addEventListener("toggle", () => {
        if (details.childElementCount > 1) return;
        item.passages.forEach((p, i) => {
          details.append(element("div", "faint", "[" + (i + 1) + "] " + p.place + (p.evidence ? " (evidence)" : "")));
          const quote = highlighted(report.passages[p.chunk], (item.cited || []).filter(c => c.marker === i + 1).map(c => c.quote));
          if (p.evidence) quote.classList.add("evidence");
          details.append(quote);
        });
      });
      box.append(details);
    }
    return box;
  };
  const shownQuestion = (q, items) => {
    const box = element("div", "question");
    box.append(element("h3", "", q.question));
    const wanted = q.answerable ? "accepted: " + (q.answers || []).join(" | ") : "not answered by the documents";
    box.append(element("div", "faint", q.id + " · " + wanted + (q.evidence ? " · " + q.evidence.join("; ") : "")));
    items.forEach(i => box.append(shownItem(q, i)));
    return box;
  };
  let shown = 0, found = [];
  const more = () => {
    found.slice(shown, shown + 50).forEach(([q, items]) => byId("list").append(shownQuestion(q, items)));
    shown = Math.min(shown + 50, found.length);
    byId("more").hidden = shown >= found.length;
  };
  const filter = () => {
    const tag = byId("tag").value, words = byId("text").value.toLowerCase();
    found = questions
      .filter(q => (tag === "" || (q.tags || []).includes(tag)) && (words === "" || JSON.stringify(q).toLowerCase().includes(words)))
      .map(q => [q, (q.items || []).filter(i => matches(q, i))]).filter(([, items]) => items.length);
    byId("number").textContent = found.length + " of " + questions.length + " questions";
    byId("list").replaceChildren();
    shown = 0;
    more();
  };
  ["column", "outcome", "tag"].forEach(id => byId(id).addEventListener("change", filter));
  byId("text").addEventListener("input", filter);
  byId("more").addEventListener("click", more);
  filter();
})();
