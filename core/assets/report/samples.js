/** Most groups on the page at once. */
report.groupLimit = 24;

report.samples = (root) => {
  const { element, choice, number } = report;
  const { steps } = report.data.samples;
  if (steps.length === 0) {
    root.append(element("p", { className: "quiet" }, "The run has no rollouts."));
    return;
  }
  const state = { index: steps.length - 1, query: "", everyStep: false, sort: "sampled", colorBy: "advantage" };
  const orders = {
    sampled: () => 0,
    "reward-down": (a, b) => (b.reward ?? -Infinity) - (a.reward ?? -Infinity),
    "reward-up": (a, b) => (a.reward ?? Infinity) - (b.reward ?? Infinity),
    "length-down": (a, b) => b.length - a.length,
    "length-up": (a, b) => a.length - b.length,
  };
  const mean = (values) => (values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length);
  const rewardOf = ({ rows }) => mean(rows.map(({ reward }) => reward).filter((reward) => reward !== null));
  const lengthOf = ({ rows }) => mean(rows.map(({ length }) => length)) ?? 0;
  const largestOf = (rows) => Math.max(0, ...rows.flatMap(({ advantage }) => advantage ?? []).map(Math.abs));

  const fact = (name, value) => element("div", {}, element("dt", {}, name), element("dd", {}, value));
  const advantageText = ({ advantage }) =>
    Array.isArray(advantage) ? `${number(Math.min(...advantage))} … ${number(Math.max(...advantage))}` : number(advantage);
  const rowView = (row, largest) =>
    element(
      "article",
      { className: "row" },
      element(
        "dl",
        {},
        fact("reward", number(row.reward)),
        ...(Object.keys(row.rewards).length > 1 ? Object.entries(row.rewards).map(([name, value]) => fact(name, number(value))) : []),
        fact("advantage", row.advantage === null ? "not trained on" : advantageText(row)),
        fact("tokens", String(row.length)),
        ...(row.finish === "stop" ? [] : [fact("end", row.finish)]),
      ),
      report.tokens(row, { colorBy: state.colorBy, largest }),
    );

  const groupView = ({ step, group, rows }, isOpen) => {
    const facts = [`step ${step}`, `group ${group.group}`, `mean reward ${number(rewardOf(group))}`, `${group.rows.length} responses`];
    if (group.golds.length > 0) facts.push(`expected ${group.golds.join(" | ")}`);
    const node = element(
      "details",
      { className: "group" },
      element(
        "summary",
        {},
        element("span", { className: "quiet" }, facts.join(" · ")),
        element("div", { className: "prompt" }, group.prompt),
      ),
    );
    // A closed group costs nothing: its tokens are drawn when it opens.
    const fill = () => {
      if (!node.open || node.querySelector(".rows") !== null) return;
      node.append(
        element("div", { className: "rows" }, ...[...rows].sort(orders[state.sort]).map((row) => rowView(row, largestOf(group.rows)))),
      );
    };
    node.addEventListener("toggle", fill);
    node.open = isOpen;
    fill();
    return node;
  };

  /** Groups with a match; where only responses match, these alone. */
  const found = () => {
    const query = state.query.toLowerCase();
    const has = (text) => text.toLowerCase().includes(query);
    const chosen = state.everyStep && query !== "" ? steps : [steps[state.index]];
    const entries = chosen.flatMap(({ step, groups }) =>
      groups.map((group) => ({ step, group, rows: has(group.prompt) ? group.rows : group.rows.filter(({ text }) => has(text)) })),
    );
    const order = orders[state.sort];
    const key = ({ group }) => ({ reward: rewardOf(group), length: lengthOf(group) });
    return entries.filter(({ rows }) => rows.length > 0).sort((a, b) => order(key(a), key(b)));
  };

  const list = element("div", {});
  const status = element("p", { className: "quiet", role: "status" });
  const show = () => {
    report.hideTip();
    const groups = found();
    const shown = groups.slice(0, report.groupLimit);
    status.textContent = groups.length === 0 ? "Nothing matches." : `${shown.length} of ${groups.length} groups`;
    list.replaceChildren(...shown.map((entry, i) => groupView(entry, i < 3)));
    scale.style.background =
      state.colorBy === "advantage" || state.colorBy === "ratio"
        ? "linear-gradient(90deg, rgba(var(--negative), 0.6), transparent, rgba(var(--positive), 0.6))"
        : state.colorBy === "logp" || state.colorBy === "gate"
          ? "linear-gradient(90deg, transparent, rgba(var(--negative), 0.6))"
          : "none";
    legend.textContent = {
      advantage: "pushed down … up",
      ratio: "less likely than when sampled … more",
      logp: "likely … unlikely",
      gate: "all of the gradient passes … none",
      none: "",
    }[state.colorBy];
    previous.disabled = state.index === 0;
    next.disabled = state.index === steps.length - 1;
  };
  const change = (part) => {
    Object.assign(state, part);
    show();
  };

  const stepChoice = choice(
    "Step",
    steps.map(({ step }, i) => [i, step]),
    (value) => change({ index: Number(value) }),
  );
  const go = (distance) => {
    change({ index: Math.max(0, Math.min(steps.length - 1, state.index + distance)) });
    stepChoice.select.value = state.index;
  };
  stepChoice.select.value = state.index;
  const previous = element("button", { type: "button", "aria-label": "Earlier step", onclick: () => go(-1) }, "‹");
  const next = element("button", { type: "button", "aria-label": "Later step", onclick: () => go(1) }, "›");
  const search = element("input", { type: "search", placeholder: "prompt or response", oninput: () => change({ query: search.value }) });
  const every = element("input", { type: "checkbox", onchange: () => change({ everyStep: every.checked }) });
  const sort = choice(
    "Sort",
    [
      ["sampled", "as sampled"],
      ["reward-down", "reward, highest first"],
      ["reward-up", "reward, lowest first"],
      ["length-down", "longest first"],
      ["length-up", "shortest first"],
    ],
    (value) => change({ sort: value }),
  );
  const color = choice(
    "Colour tokens by",
    [
      ["advantage", "advantage"],
      ["logp", "log-prob"],
      ["ratio", "ratio"],
      ["gate", "what the gate takes"],
      ["none", "nothing"],
    ],
    (value) => change({ colorBy: value }),
  );
  const scale = element("span", { className: "scale", "aria-hidden": "true" });
  const legend = element("span", { className: "quiet" });
  root.append(
    element(
      "div",
      { className: "controls" },
      stepChoice.label,
      element("span", {}, previous, " ", next),
      element("label", {}, "Search", search),
      element("label", {}, every, "in all steps"),
      sort.label,
      color.label,
      element("span", {}, scale, " ", legend),
    ),
    status,
    list,
  );
  show();
};
