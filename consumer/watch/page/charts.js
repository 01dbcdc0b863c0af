/* The three charts: one hour of points in plain arrays, drawn for the range that is shown. */
"use strict";

const charts = (() => {
  const KEEP_MS = 3600e3;
  const columns = ["lag", "rate_in", "rate_out", "p50", "p99"];
  const points = []; // {t, lag, rate_in, ...}
  let marks = [];
  let rangeMs = 5 * 60e3;
  let all = {};

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const clock = (ms, seconds = true) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, hour12: false });

  // Dashed lines where partitions or workers changed.
  const markLines = {
    id: "markLines",
    beforeDatasetsDraw(chart) {
      const { ctx, chartArea: area, scales: { x } } = chart;
      ctx.save();
      ctx.font = "11px system-ui, sans-serif";
      let free = -Infinity;
      for (const mark of marks) {
        if (mark.time_ms < x.min || mark.time_ms > x.max) continue;
        const at = x.getPixelForValue(mark.time_ms);
        ctx.strokeStyle = ctx.fillStyle = color("--soft");
        ctx.globalAlpha = 0.8;
        ctx.setLineDash([4, 4]);
        ctx.beginPath();
        ctx.moveTo(at, area.top);
        ctx.lineTo(at, area.bottom);
        ctx.stroke();
        const width = ctx.measureText(mark.kind).width;
        const left = at + 4 + width <= area.right ? at + 4 : at - 4 - width;
        if (chart.canvas.id === "chart-lag" && left > free) {
          ctx.fillText(mark.kind, left, area.top + 10);
          free = left + width + 6;
        }
      }
      ctx.restore();
    },
  };

  // Full minutes, few enough for the width.
  function roundTimes(axis) {
    const fits = Math.max(2, Math.floor(axis.width / 90));
    const step = [10, 30, 60, 120, 300, 600, 900, 1800].find((s) => (axis.max - axis.min) / (s * 1000) <= fits) * 1000 || 1800e3;
    axis.ticks = [];
    for (let t = Math.ceil(axis.min / step) * step; t <= axis.max; t += step) axis.ticks.push({ value: t });
  }

  function line(key, shade, dash) {
    return { key, shade, borderDash: dash ? [5, 4] : [], data: [], parsing: false, borderWidth: 2, pointRadius: 0, tension: 0.15, spanGaps: false, fill: shade ? "origin" : false };
  }

  function make(id, datasets, format, round) {
    return new Chart(document.getElementById(id), {
      type: "line",
      data: { datasets },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, normalized: true,
        interaction: { mode: "index", intersect: false, axis: "x" },
        scales: {
          x: { type: "linear", grid: { display: false }, afterBuildTicks: roundTimes, ticks: { autoSkip: false, maxRotation: 0, callback: (v, i, ticks) => clock(v, ticks.some((t) => t.value % 60e3)) } },
          y: { beginAtZero: true, suggestedMax: round ? 10 : undefined, border: { display: false }, ticks: { maxTicksLimit: 5, precision: round ? 0 : undefined, callback: (v) => format(v) } },
        },
        plugins: {
          legend: { display: false },
          decimation: { enabled: true, algorithm: "min-max" },
          tooltip: { callbacks: { title: (items) => clock(items[0].parsed.x), label: (item) => " " + item.dataset.label + ": " + format(item.parsed.y) } },
        },
      },
      plugins: [markLines],
    });
  }

  function paint() {
    const soft = color("--soft"), grid = color("--line");
    const tones = { lag: "--blue", rate_in: "--violet", rate_out: "--green", p50: "--blue", p99: "--amber" };
    const labels = { lag: "behind", rate_in: "arriving", rate_out: "applied", p50: "p50", p99: "p99" };
    for (const chart of Object.values(all)) {
      for (const axis of Object.values(chart.options.scales)) {
        axis.ticks.color = soft;
        axis.grid.color = grid;
        axis.grid.borderColor = grid;
      }
      for (const set of chart.data.datasets) {
        set.borderColor = color(tones[set.key]);
        set.backgroundColor = set.shade ? color(tones[set.key]) + "22" : set.borderColor;
        set.label = labels[set.key];
      }
    }
  }

  function draw() {
    const now = points.length ? points[points.length - 1].t : Date.now();
    // A young process shows what it has.
    const from = Math.max(now - rangeMs, Math.min(points.length ? points[0].t : now, now - 60e3));
    const shown = points.filter((p) => p.t >= from);
    for (const chart of Object.values(all)) {
      chart.options.scales.x.min = from;
      chart.options.scales.x.max = now;
      for (const set of chart.data.datasets) set.data = shown.map((p) => ({ x: p.t, y: p[set.key] }));
      chart.update("none");
    }
  }

  function start(format) {
    all = {
      lag: make("chart-lag", [line("lag", true)], format.count, true),
      rate: make("chart-rate", [line("rate_in", false, true), line("rate_out", true)], format.rate, true),
      latency: make("chart-latency", [line("p50"), line("p99")], format.seconds, false),
    };
    paint();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { paint(); draw(); });
  }

  /* A hole in time is drawn as one. */
  function add(point) {
    const last = points[points.length - 1];
    if (last && point.t <= last.t) return;
    if (last && point.t - last.t > 5000) points.push({ t: last.t + 1 });
    points.push(point);
    while (points.length && points[0].t < point.t - KEEP_MS) points.shift();
  }

  function addHistory(history) {
    const older = points.splice(0);
    const fresh = history.t.map((t, i) => Object.fromEntries([["t", t], ...columns.map((c) => [c, history[c][i]])]));
    for (const p of [...older, ...fresh].sort((a, b) => a.t - b.t)) add(p);
  }

  return {
    start, add, addHistory, draw,
    repaint() { paint(); draw(); },
    setMarks(list) { marks = list; },
    setRange(minutes) { rangeMs = minutes * 60e3; draw(); },
    last: () => (points.length ? points[points.length - 1].t : 0),
  };
})();
