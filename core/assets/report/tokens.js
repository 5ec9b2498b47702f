report.tip = report.element("div", { className: "tip", role: "status", hidden: true });

/** Shows the text beside a token. */
report.showTip = (node, text) => {
  const { tip } = report;
  tip.textContent = text;
  tip.hidden = false;
  const place = node.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(place.left, innerWidth - tip.offsetWidth - 4))}px`;
  const below = place.bottom + 6;
  tip.style.top = `${below + tip.offsetHeight > innerHeight ? place.top - tip.offsetHeight - 6 : below}px`;
};
report.hideTip = () => {
  report.tip.hidden = true;
};

report.advantageAt = (row, t) => (Array.isArray(row.advantage) ? (row.advantage[t] ?? null) : row.advantage);

/** Background of a token: blue pushes it up, orange down; by log-prob, the stronger the less likely it was. */
report.tokenColor = (row, t, colorBy, largest) => {
  if (colorBy === "advantage") {
    const advantage = report.advantageAt(row, t);
    if (advantage === null || advantage === 0 || largest === 0) return "";
    return `rgba(var(--${advantage > 0 ? "positive" : "negative"}), ${(0.08 + 0.52 * Math.min(1, Math.abs(advantage) / largest)).toFixed(3)})`;
  }
  if (colorBy === "gate") {
    const share = row.gate?.[t] ?? null;
    if (share === null) return "";
    const taken = 1 - Math.max(0, Math.min(1, share / (row.ratio?.[t] ?? 1)));
    return taken < 0.001 ? "" : `rgba(var(--negative), ${(0.08 + 0.52 * taken).toFixed(3)})`;
  }
  if (colorBy === "ratio") {
    const change = Math.log(row.ratio?.[t] ?? 1);
    const strength = 0.6 * Math.min(1, Math.abs(change) / Math.log(1.5));
    return change === 0 ? "" : `rgba(var(--${change > 0 ? "positive" : "negative"}), ${strength.toFixed(3)})`;
  }
  if (colorBy === "logp") return `rgba(var(--negative), ${(0.6 * (1 - Math.exp(row.logp[t] ?? 0))).toFixed(3)})`;
  return "";
};

/** The text of a response, token by token. Arrow keys, Home and End walk through the tokens. */
report.tokens = (row, { colorBy, largest }) => {
  const { element, number } = report;
  const { vocabulary } = report.data.samples;
  const known = row.tokens.every((id) => vocabulary[id] !== undefined);
  const box = element("div", {
    className: "tokens",
    tabIndex: 0,
    role: "group",
    "aria-label": "Response by tokens; arrow keys walk through it",
  });
  if (!known) box.append(element("div", {}, row.text));
  const visible = (text) => (text === "" ? "∅" : text.replaceAll("\n", "↵\n").replaceAll("\t", "⇥\t"));
  const spans = row.tokens.map((id, t) => {
    const span = element("span", { className: "token" }, known ? visible(vocabulary[id]) : `${id} `);
    span.style.backgroundColor = report.tokenColor(row, t, colorBy, largest);
    if (row.mask?.[t] === 0) span.classList.add("untrained");
    return span;
  });
  box.append(...spans);
  if (row.length > row.tokens.length)
    box.append(element("span", { className: "quiet" }, ` … ${row.length - row.tokens.length} more tokens`));

  const tell = (t) => {
    const id = row.tokens[t];
    const logp = row.logp[t];
    const lines = [
      `token ${t + 1} of ${row.length}: ${JSON.stringify(vocabulary[id] ?? "")} (id ${id})`,
      ...(logp === undefined ? [] : [`log-prob ${number(logp)} nats, probability ${number(Math.exp(logp))}`]),
      `advantage ${number(report.advantageAt(row, t))}`,
      ...(row.ratio === undefined ? [] : [`ratio ${number(row.ratio[t])}`]),
      ...(row.gate === undefined ? [] : [`gate lets pass ${number(row.gate[t])}${row.rules?.[t] ? `, limited by ${row.rules[t]}` : ""}`]),
      ...(row.mask?.[t] === 0 ? ["not trained on"] : []),
    ];
    report.showTip(spans[t], lines.join("\n"));
  };
  let current = -1;
  const leave = () => {
    spans[current]?.classList.remove("current");
    current = -1;
    report.hideTip();
  };
  const visit = (t) => {
    if (spans.length === 0) return;
    spans[current]?.classList.remove("current");
    current = Math.max(0, Math.min(spans.length - 1, t));
    spans[current].classList.add("current");
    spans[current].scrollIntoView({ block: "nearest" });
    tell(current);
  };
  box.onkeydown = (event) => {
    const target = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: spans.length - 1 }[event.key];
    if (event.key === "Escape") leave();
    if (target === undefined) return;
    event.preventDefault();
    visit(target);
  };
  box.onblur = leave;
  box.onmouseover = (event) => {
    const t = spans.indexOf(event.target);
    if (t >= 0) tell(t);
  };
  box.onmouseleave = leave;
  box.onclick = (event) => {
    const t = spans.indexOf(event.target);
    if (t >= 0) visit(t);
  };
  return box;
};
