"use strict";
// The report: filters, selects, moves. It makes no markup and puts no text anywhere but a count.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const one = (id) => document.getElementById(id);
  const canvas = one("canvas"), world = one("world"), search = one("search");
  const articles = [...document.querySelectorAll("article")];
  const groups = [...document.querySelectorAll(".group")].map((group) => [group, [...group.querySelectorAll("article")]]);
  const nodes = [...document.querySelectorAll(".node")];
  const edges = [...document.querySelectorAll(".edge")];
  const nodeOf = new Map(nodes.map((node) => [node.dataset.entry, node]));
  const before = new Map(), after = new Map(), touching = new Map();
  const push = (map, key, value) => map.has(key) ? map.get(key).push(value) : map.set(key, [value]);
  for (const edge of edges) {
    push(after, edge.dataset.before, edge.dataset.after);
    push(before, edge.dataset.after, edge.dataset.before);
    push(touching, edge.dataset.before, edge);
    push(touching, edge.dataset.after, edge);
  }

  // --- one entry ---------------------------------------------------------------------------------------------------
  const head = (article) => article.querySelector(".head");
  const show = (article, open) => {
    article.classList.toggle("open", open);
    head(article).setAttribute("aria-expanded", String(open));
  };
  // A few changes are read at once; of many each is opened by hand, or all by the button.
  const changed = articles.filter((article) => Number(article.dataset.number) || article.dataset.action === "blocked");
  const few = changed.length <= 20;
  articles.forEach((article) => show(article, few && changed.includes(article)));
  const all = one("all");
  const label = (open) => { all.setAttribute("aria-pressed", String(open)); all.textContent = open ? "fold all" : "expand all"; };
  label(few && changed.length > 0);
  all.addEventListener("click", () => {
    const open = all.getAttribute("aria-pressed") !== "true";
    articles.forEach((article) => show(article, open));
    label(open);
  });
  one("copy")?.addEventListener("click", async () => {
    const text = one("command").textContent;
    try { await navigator.clipboard.writeText(text); } catch {
      getSelection().selectAllChildren(one("command"));
      document.execCommand("copy");
    }
    one("copy").textContent = "copied";
  });

  let picked = "", lit = [];
  const pick = (key, { from = "list", open = true } = {}) => {
    lit.forEach((element) => element.classList.remove("picked", "near", "lit"));
    lit = [];
    picked = key;
    canvas.classList.toggle("focused", nodeOf.has(key));
    if (!key) return;
    const light = (element, name) => { if (element) { element.classList.add(name); lit.push(element); } };
    const article = one(key);
    light(article, "picked");
    const node = nodeOf.get(key);
    light(node, "picked");
    light(node, "near");
    for (const edge of touching.get(key) ?? []) {
      light(edge, "lit");
      light(nodeOf.get(edge.dataset.before), "near");
      light(nodeOf.get(edge.dataset.after), "near");
    }
    if (open) show(article, true);
    if (from !== "list") { article.hidden = false; article.closest(".group").hidden = false; reveal(article); }
    if (from !== "graph" && node) centre(node);
    nodes.forEach((each) => each.setAttribute("tabindex", each === node ? "0" : "-1"));
  };
  const reveal = (article) => {
    const box = article.getBoundingClientRect(), top = document.querySelector("nav").offsetHeight + 8;
    if (box.top < top || box.bottom > innerHeight) article.scrollIntoView({ block: box.height > innerHeight / 2 ? "start" : "nearest" });
  };

  // --- filters -----------------------------------------------------------------------------------------------------
  const texts = new Map();
  const textOf = (article) => {
    if (!texts.has(article)) texts.set(article, article.textContent.toLowerCase());
    return texts.get(article);
  };
  const chosen = { action: new Set(), scope: new Set() };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const article of articles) {
      const fits = (chosen.action.size === 0 || chosen.action.has(article.dataset.action))
        && (chosen.scope.size === 0 || chosen.scope.has(article.dataset.scope))
        && words.every((word) => textOf(article).includes(word));
      article.hidden = !fits;
      count += fits;
      nodeOf.get(article.id)?.classList.toggle("off", !fits);
    }
    for (const [group, members] of groups) group.hidden = members.every((article) => article.hidden);
    for (const edge of edges) {
      edge.classList.toggle("off", one(edge.dataset.before).hidden || one(edge.dataset.after).hidden);
    }
    one("nothing").hidden = count > 0;
    one("shown").textContent = count === articles.length ? `${count} resources` : `${count} of ${articles.length} resources`;
  };
  for (const chip of document.querySelectorAll(".chip")) {
    chip.addEventListener("click", () => {
      const set = chosen[chip.dataset.filter], value = chip.dataset.value;
      const on = !set.delete(value);
      if (on) set.add(value);
      chip.setAttribute("aria-pressed", String(on));
      filter();
    });
  }
  let timer = 0;
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(filter, 60); });

  // --- the drawing: pan and zoom -----------------------------------------------------------------------------------
  const view = { x: 0, y: 0, scale: 1 };
  const place = () => world.setAttribute("transform", `translate(${view.x},${view.y}) scale(${view.scale})`);
  const perPixel = () => 1 / (canvas.getScreenCTM()?.a || 1);
  const at = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(canvas.getScreenCTM().inverse());
  const zoom = (factor, x, y) => {
    const scale = Math.min(40, Math.max(0.2, view.scale * factor)), ratio = scale / view.scale;
    view.x = x - (x - view.x) * ratio;
    view.y = y - (y - view.y) * ratio;
    view.scale = scale;
    place();
  };
  const middle = () => { const box = canvas.viewBox.baseVal; return [box.x + box.width / 2, box.y + box.height / 2]; };
  const fit = () => { Object.assign(view, { x: 0, y: 0, scale: 1 }); place(); };
  const legible = () => Math.max(1, 0.8 * perPixel());
  const centre = (node) => {
    const [x, y] = middle();
    if (view.scale < legible()) view.scale = legible();
    view.x = x - (Number(node.dataset.x) + 95) * view.scale;
    view.y = y - (Number(node.dataset.y) + 19) * view.scale;
    place();
  };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const point = at(event);
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), point.x, point.y);
  }, { passive: false });
  let drag = null, moved = false;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    drag = { x: event.clientX, y: event.clientY };
    moved = false;
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (!moved && Math.hypot(dx, dy) < 4) return;
    moved = true;
    canvas.classList.add("dragging");
    view.x += dx * perPixel();
    view.y += dy * perPixel();
    drag = { x: event.clientX, y: event.clientY };
    place();
  });
  addEventListener("pointerup", () => { drag = null; canvas.classList.remove("dragging"); });
  canvas.addEventListener("click", (event) => {
    if (moved) { moved = false; return; }
    const node = event.target.closest(".node");
    if (node) { pick(node.dataset.entry, { from: "graph" }); node.focus({ preventScroll: true }); } else pick("");
  });
  one("in").addEventListener("click", () => zoom(1.35, ...middle()));
  one("out").addEventListener("click", () => zoom(1 / 1.35, ...middle()));
  one("fit").addEventListener("click", fit);

  // --- list, links, theme, keys ------------------------------------------------------------------------------------
  one("list").addEventListener("click", (event) => {
    const link = event.target.closest("[data-go]");
    if (link) {
      event.preventDefault();
      pick(link.dataset.go, { from: "link" });
      head(one(link.dataset.go)).focus({ preventScroll: true });
      return;
    }
    const button = event.target.closest(".head");
    if (!button) return;
    const article = button.closest("article"), open = !article.classList.contains("open");
    show(article, open);
    pick(article.id, { open });
  });
  one("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  const seen = () => articles.filter((article) => !article.hidden);
  const step = (by) => {
    const list = seen(), from = list.indexOf(document.activeElement?.closest?.("article"));
    const next = list[from < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, from + by))];
    if (next) { head(next).focus({ preventScroll: true }); reveal(next); pick(next.id, { open: false }); }
  };
  const walk = (node, key) => {
    const entry = node.dataset.entry;
    const visible = (name) => nodeOf.get(name) && !nodeOf.get(name).classList.contains("off");
    const near = (names) => (names ?? []).filter(visible).map((name) => nodeOf.get(name))
      .sort((a, b) => Math.abs(a.dataset.y - node.dataset.y) - Math.abs(b.dataset.y - node.dataset.y))[0];
    const column = nodes.filter((each) => each.dataset.x === node.dataset.x && !each.classList.contains("off"))
      .sort((a, b) => a.dataset.y - b.dataset.y);
    const row = column.indexOf(node);
    const next = { ArrowLeft: near(before.get(entry)), ArrowRight: near(after.get(entry)),
      ArrowUp: column[row - 1], ArrowDown: column[row + 1] }[key];
    if (next) { pick(next.dataset.entry, { from: "keys", open: false }); next.focus({ preventScroll: true }); }
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target === search, node = event.target.closest?.(".node"), key = event.key;
    const done = () => event.preventDefault();
    if (key === "Escape") {
      if (typing && search.value) { search.value = ""; filter(); }
      else if (typing) search.blur();
      else { pick(""); fit(); }
      done();
    } else if (typing) {
      if (key === "ArrowDown" || key === "Enter") { filter(); step(1); done(); }
    } else if (key === "/") { search.focus(); search.select(); done(); }
    else if (node && key.startsWith("Arrow")) { walk(node, key); done(); }
    else if (node && (key === "Enter" || key === " ")) { pick(node.dataset.entry, { from: "keys" }); done(); }
    else if (key === "ArrowDown" || key === "j") { step(1); done(); }
    else if (key === "ArrowUp" || key === "k") { step(-1); done(); }
    else if (key === "g" && nodes.length) {
      const to = nodeOf.get(picked) ?? nodes[0];
      pick(to.dataset.entry, { from: "keys", open: false });
      to.focus({ preventScroll: true });
    }
    else if (key === "+" || key === "=") zoom(1.35, ...middle());
    else if (key === "-") zoom(1 / 1.35, ...middle());
    else if (key === "0") fit();
  });
  const below = () => root.style.setProperty("--nav", `${document.querySelector("nav").offsetHeight}px`);
  addEventListener("resize", below);
  below();
  addEventListener("beforeprint", fit);
  // What is too small to read when all of it is shown begins at the first change, in a size that can be read.
  const begin = () => {
    const first = changed.map((article) => nodeOf.get(article.id)).find(Boolean) ?? nodes[0];
    if (!first || perPixel() <= 1.3) return;
    const box = canvas.viewBox.baseVal;
    const ctm = canvas.getScreenCTM(), size = canvas.getBoundingClientRect();
    const corner = new DOMPoint(size.left + 16, size.top + 24).matrixTransform(ctm.inverse());
    view.scale = 0.9 * perPixel();
    view.x = corner.x - Number(first.dataset.x) * view.scale;
    view.y = corner.y - Number(first.dataset.y) * view.scale;
    if (Number.isFinite(box.width)) place();
  };
  if (nodes.length) nodes[0].setAttribute("tabindex", "0");
  filter();
  begin();
})();
