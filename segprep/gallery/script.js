"use strict";
const get = (id) => document.getElementById(id);
const root = document.documentElement;
const list = get("cards");
const items = [...list.children].map((li, at) => ({ li, at, card: li.firstElementChild }));
const text = (item) => item.card.textContent.toLowerCase();
for (const item of items) item.text = text(item);
let visible = items;
let open = -1;

function apply() {
  const search = get("search").value.trim().toLowerCase();
  const split = get("split").value;
  const kind = get("class").value;
  const code = get("code").value;
  const order = get("order").value;
  const rank = (item) =>
    order === "score" ? -Number(item.card.dataset.score)
    : order === "findings" ? -Number(item.card.dataset.count)
    : item.at;
  visible = items.filter(({ card, text }) =>
    (!search || text.includes(search)) &&
    (!split || card.dataset.split === split) &&
    (!kind || card.dataset.classes.includes(` ${kind} `)) &&
    (!code || (code === "*" ? card.dataset.count !== "0" : card.dataset.codes.includes(` ${code} `))));
  visible.sort((a, b) => rank(a) - rank(b) || a.at - b.at);
  const shown = new Set(visible);
  for (const item of items) item.li.hidden = !shown.has(item);
  list.append(...visible.map((item) => item.li));
  get("count").textContent = `${visible.length} of ${items.length} samples`;
  get("none").hidden = visible.length > 0;
}

function opacity(value) {
  const percent = Math.max(0, Math.min(100, value));
  get("opacity").value = percent;
  get("percent").textContent = `${percent} %`;
  root.style.setProperty("--opacity", percent / 100);
}

function enlarge(at) {
  if (at < 0 || at >= visible.length) return;
  open = at;
  const { card } = visible[at];
  get("large-name").textContent = card.dataset.stem;
  get("large-facts").textContent = `${card.querySelector(".facts").textContent} · ${at + 1} of ${visible.length}`;
  const copies = [...card.querySelectorAll(".frame > *")].map((node) => node.cloneNode(true));
  for (const copy of copies) copy.removeAttribute("loading");
  get("large-frame").replaceChildren(...copies);
  const lines = [...card.querySelectorAll(".finding")].map((finding) => {
    const line = document.createElement("li");
    line.className = finding.className.replace("finding ", "");
    line.textContent = finding.textContent;
    return line;
  });
  get("large-findings").replaceChildren(...lines);
  if (!get("large").open) get("large").showModal();
}

function theme() {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

function step(by) {
  if (get("large").open) return enlarge(open + by);
  const at = visible.findIndex((item) => item.card === document.activeElement);
  const next = visible[Math.max(0, Math.min(visible.length - 1, at < 0 ? 0 : at + by))];
  if (next) next.card.focus();
}

let last = 55;
const keys = {
  "/": () => get("search").focus(),
  t: theme,
  m: () => {
    const now = Number(get("opacity").value);
    if (now) last = now;
    opacity(now ? 0 : last);
  },
  "[": () => opacity(Number(get("opacity").value) - 10),
  "]": () => opacity(Number(get("opacity").value) + 10),
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select");
  if (event.key === "Escape" && typing) return event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
list.addEventListener("click", (event) => {
  const card = event.target.closest(".card");
  if (card) enlarge(visible.findIndex((item) => item.card === card));
});
get("controls").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["search", "split", "class", "code", "order"]) get(id).addEventListener("input", apply);
get("opacity").addEventListener("input", () => opacity(Number(get("opacity").value)));
get("clear").addEventListener("click", () => {
  get("controls").reset();
  opacity(55);
  apply();
});
get("theme").addEventListener("click", theme);
get("close").addEventListener("click", () => get("large").close());
get("previous").addEventListener("click", () => step(-1));
get("next").addEventListener("click", () => step(1));
get("large").addEventListener("close", () => visible[open]?.card.focus());
opacity(55);
