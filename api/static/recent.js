/** The latest generations, with posters; each is a link to its id in the address. */

import { get } from "./client.js";
import { STATUS_WORDS, ago } from "./words.js";

const LIMIT = 12;
const WHILE_RUNNING_MS = 5000;
const THUMB_SIGNS = { completed: "✓", failed: "✕", cancelled: "–" };

const $ = (id) => document.getElementById(id);

export class Recent {
  #timer = 0;
  #openId = "";
  #cards = new Map(); // by id, to be changed in place: a focused card stays focused

  /** Fetch the list; while something on it runs, again and again. */
  async refresh() {
    clearTimeout(this.#timer);
    let isRunning = true;
    try {
      const { data } = await get(`/v1/generations?limit=${LIMIT}`);
      this.#draw(data);
      isRunning = data.some(({ status }) => status === "pending" || status === "processing");
    } catch {
      // The list is left as it was and tried again.
    }
    clearTimeout(this.#timer);
    if (isRunning) this.#timer = setTimeout(() => this.refresh(), WHILE_RUNNING_MS);
  }

  /** Mark the generation that is open. */
  mark(id) {
    this.#openId = id;
    for (const [known, card] of this.#cards) {
      if (known === id) card.link.setAttribute("aria-current", "true");
      else card.link.removeAttribute("aria-current");
    }
  }

  #draw(generations) {
    $("recent-empty").hidden = generations.length > 0;
    const shown = new Map();
    for (const generation of generations) {
      const card = this.#cards.get(generation.id) || makeCard(generation.id);
      fill(card, generation);
      shown.set(generation.id, card);
    }
    for (const [id, card] of this.#cards) if (!shown.has(id)) card.item.remove();
    let before = null;
    for (const { item } of shown.values()) {
      const next = before ? before.nextElementSibling : $("recent").firstElementChild;
      if (item !== next) $("recent").insertBefore(item, next);
      before = item;
    }
    this.#cards = shown;
    this.mark(this.#openId);
  }
}

function makeCard(id) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const picture = document.createElement("span");
  const prompt = document.createElement("span");
  const status = document.createElement("span");
  link.href = `#${id}`;
  picture.className = "thumb";
  picture.ariaHidden = "true";
  prompt.className = "card-prompt";
  status.className = "quiet";
  link.append(picture, prompt, status);
  item.append(link);
  return { item, link, picture, prompt, status };
}

function fill(card, generation) {
  const take = generation.takes.findLast(({ video }) => video);
  card.item.dataset.status = generation.status;
  card.prompt.textContent = generation.request.prompt;
  card.status.textContent = `${STATUS_WORDS[generation.status]} · ${ago(generation.created_at)}`;
  const url = take?.video.poster_url || "";
  if (!url) card.picture.textContent = THUMB_SIGNS[generation.status] || `${generation.progress.percent} %`;
  if (!url || card.picture.dataset.url === url) return;
  card.picture.dataset.url = url;
  const image = new Image();
  image.alt = "";
  image.loading = "lazy";
  image.src = url;
  card.picture.replaceChildren(image);
}
