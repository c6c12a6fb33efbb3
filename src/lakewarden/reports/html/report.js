"use strict";
(() => {
  const one = (selector) => document.querySelector(selector);
  const form = one("#filters");
  const articles = [...document.querySelectorAll("article")];
  const groups = articles.map((article, number) => ({
    article,
    item: document.querySelectorAll("#groups > li")[number],
    rows: [...article.querySelectorAll(".rows > tbody > tr")].map((row) => ({ row, text: row.textContent.toLowerCase() })),
  }));
  const total = groups.reduce((sum, group) => sum + group.rows.length, 0);

  /** Show the page that the address names: the overview, or one group of findings. */
  function route() {
    const named = decodeURIComponent(location.hash.slice(1));
    const chosen = articles.find(({ id }) => id === named || (named && id.startsWith(`${named}.`)));
    for (const article of articles) article.hidden = article !== chosen;
    for (const part of ["#overview", "#coverage", "#groups", "#filters"]) {
      const found = one(part);
      if (found) found.hidden = Boolean(chosen);
    }
    if (chosen) {
      chosen.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }

  /** Show the findings that the filters let pass, and how many they are. */
  function filter() {
    const wanted = Object.fromEntries(new FormData(form));
    const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
    const fields = Object.keys(wanted).filter((name) => name !== "text" && wanted[name]);
    let shown = 0;
    for (const group of groups) {
      const heading = group.item.textContent.toLowerCase();
      let matching = 0;
      for (const { row, text } of group.rows) {
        const passes =
          words.every((word) => text.includes(word) || heading.includes(word)) &&
          fields.every((name) => row.dataset[name] === wanted[name]);
        row.hidden = !passes;
        matching += passes;
      }
      group.item.hidden = matching === 0;
      shown += matching;
    }
    const count = (number) => number.toLocaleString("en");
    one("#shown").textContent = `${count(shown)} of ${count(total)} findings shown`;
  }

  /** Draw the verdicts in the colours of the page. */
  function draw() {
    const canvas = one("canvas[data-bars]");
    if (!canvas || typeof Chart === "undefined") return;
    one("#bars").hidden = false;
    const bars = JSON.parse(canvas.dataset.bars);
    const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const kinds = [
      ["pass", bars.passed, "--good"],
      ["fail", bars.failed, "--bad"],
      ["unknown", bars.unknown, "--open"],
      ["waived", bars.waived, "--soft"],
    ];
    const axis = { ticks: { color: color("--ink") }, grid: { color: color("--line") }, stacked: true };
    Chart.getChart(canvas)?.destroy();
    new Chart(canvas, {
      type: "bar",
      data: {
        labels: bars.names,
        datasets: kinds.map(([label, data, name]) => ({ label, data, backgroundColor: color(name) })),
      },
      options: {
        indexAxis: "y",
        animation: false,
        maintainAspectRatio: false,
        scales: { x: { ...axis, ticks: { ...axis.ticks, precision: 0 } }, y: axis },
        plugins: { legend: { position: "bottom", labels: { color: color("--ink") } } },
      },
    });
  }

  /** Draw what each audit counted: a curve of its own for each, because there are many passes for one failure. */
  function curves() {
    const frame = one("#curves");
    if (!frame || typeof Chart === "undefined") return;
    frame.hidden = false;
    const points = JSON.parse(frame.dataset.curves);
    const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const colors = { failing: "--bad", unknown: "--open", passing: "--good" };
    for (const canvas of frame.querySelectorAll("canvas")) {
      const name = canvas.dataset.curve;
      const line = color(colors[name]);
      const axis = { ticks: { color: color("--ink") }, grid: { color: color("--line") } };
      Chart.getChart(canvas)?.destroy();
      new Chart(canvas, {
        type: "line",
        data: {
          labels: points.map((point) => point.day),
          datasets: [
            {
              label: name,
              data: points.map((point) => point[name]),
              borderColor: line,
              pointBackgroundColor: points.map((point) => (point.incomplete ? color("--page") : line)),
              pointBorderColor: line,
              pointRadius: points.length > 30 ? 2 : 4,
              borderWidth: 2,
            },
          ],
        },
        options: {
          animation: false,
          maintainAspectRatio: false,
          scales: {
            x: { ...axis, ticks: { ...axis.ticks, maxTicksLimit: 4, maxRotation: 0 } },
            y: { ...axis, beginAtZero: true, ticks: { ...axis.ticks, precision: 0 } },
          },
          plugins: { legend: { display: false }, title: { display: true, text: name, color: color("--ink") } },
        },
      });
    }
  }

  /** On paper nothing can be opened. */
  const folded = new Set();
  function unfold() {
    for (const part of document.querySelectorAll("details:not([open])")) {
      part.open = true;
      folded.add(part);
    }
  }
  function fold() {
    for (const part of folded) part.open = false;
    folded.clear();
  }

  if (form) {
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    filter();
  }
  addEventListener("hashchange", route);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    draw();
    curves();
  });
  addEventListener("beforeprint", unfold);
  addEventListener("afterprint", fold);
  route();
  draw();
  curves();
})();
