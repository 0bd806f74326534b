/** The takes of a generation: the list, the one on the screen, another one beside it, and what is thought of it. */

import { Judge } from "./judge.js";
import { isOver } from "./follow.js";
import { CANCEL_ON_ITS_WAY, STATUS_WORDS, outcomeWords, setText } from "./words.js";

const $ = (id) => document.getElementById(id);

export class Takes {
  #onShown;
  #generation = null;
  #number = 0; // the take on the screen; 0 follows the newest
  #other = 0; // the take beside it
  judge = new Judge();

  /** @param onShown called with the take on the screen, whenever there is news of it */
  constructor(onShown) {
    this.#onShown = onShown;
    $("compare").addEventListener("change", () => {
      this.#other = Number($("compare").value);
      this.#draw();
    });
    $("play-both").addEventListener("click", () => playTogether());
  }

  clear() {
    this.#generation = null;
    this.#number = this.#other = 0;
    this.judge.clear();
    play($("video"), null);
    this.#beside(null);
    $("download").hidden = true;
    $("takes").replaceChildren();
  }

  /** Show the state as it stands; a new take comes to the screen. */
  state(generation) {
    const isNew = this.#generation && this.#generation.takes.length < generation.takes.length;
    if (isNew) this.#number = this.#other = 0;
    this.#generation = generation;
    this.#draw();
  }

  /** The take on the screen. */
  get shown() {
    const { takes } = this.#generation;
    return takes.find(({ number }) => number === this.#number) || takes.at(-1);
  }

  #draw() {
    const { takes, progress, actions } = this.#generation;
    const take = this.shown;
    const isRunning = take === takes.at(-1) && !isOver(this.#generation);
    screen($("frame"), take, isRunning);
    play($("video"), take.video);
    setText($("frame-word"), take.video ? "" : isRunning ? `${progress.percent} %` : STATUS_WORDS[take.status]);
    $("download").hidden = !take.video;
    if (take.video) $("download").href = take.video.url;
    this.#offerOthers(take);
    this.#list(take);
    this.judge.show(this.#generation.id, take, actions);
    this.#onShown(take);
  }

  #list(shown) {
    const { takes } = this.#generation;
    const list = $("takes");
    list.hidden = takes.length < 2;
    while (list.children.length > takes.length) list.lastElementChild.remove();
    takes.forEach((take, index) => {
      const item = list.children[index] || list.appendChild(listItem());
      const [button, words] = item.children;
      setText(button, `Take ${take.number}`);
      setText(words, wordsOf(take));
      button.setAttribute("aria-pressed", String(take === shown));
      button.onclick = () => {
        this.#number = take.number;
        this.#draw();
      };
    });
  }

  /** Offer the other takes that have a video for a look side by side. */
  #offerOthers(shown) {
    const others = this.#generation.takes.filter((take) => take.video && take !== shown);
    $("comparing").hidden = !others.length || !shown.video;
    const values = ["", ...others.map(({ number }) => String(number))];
    if ([...$("compare").options].map(({ value }) => value).join() !== values.join()) {
      const choices = others.map(({ number }) => new Option(`Take ${number}`, String(number)));
      $("compare").replaceChildren(new Option("no other take", ""), ...choices);
    }
    const other = shown.video ? others.find(({ number }) => number === this.#other) : undefined;
    $("compare").value = other ? String(other.number) : "";
    this.#beside(other || null);
    setText($("frame-caption"), other ? `Take ${shown.number}` : "");
  }

  /** Show another take beside the one on the screen; null ends it. */
  #beside(take) {
    const frames = $("frames");
    frames.classList.toggle("both", take !== null);
    $("play-both").hidden = !take;
    if (!take) {
      if (frames.children.length > 1) frames.lastElementChild.remove();
      return;
    }
    const figure = frames.children[1] || frames.appendChild(otherFigure());
    const [frame, caption] = figure.children;
    screen(frame, take, false);
    play(frame.firstElementChild, take.video);
    setText(caption, `Take ${take.number}`);
  }
}

function wordsOf(take) {
  const parts = [take.superseded_by ? `Replaced by take ${take.superseded_by}.` : `${STATUS_WORDS[take.status]}.`];
  if (take.cancel) parts.push(outcomeWords(take));
  else if (take.superseded_by && !take.ended_at) parts.push(CANCEL_ON_ITS_WAY);
  if (take.kept) parts.push("Kept.");
  if (take.feedback) parts.push(`Rated ${take.feedback.rating} of 5.`);
  return parts.join(" ");
}

function screen(frame, take, isRunning) {
  const size = take.request.params.resolution;
  if (size) frame.style.aspectRatio = size.replace("x", " / ");
  frame.classList.toggle("running", isRunning);
  frame.classList.toggle("empty", !isRunning && !take.video);
}

/** Change the player only if it is another video: a refresh must not stop one that plays. */
function play(player, video) {
  const url = video?.url || "";
  player.hidden = !url;
  if ((player.getAttribute("src") || "") === url) return;
  if (url) {
    player.poster = video.poster_url;
    player.src = url;
  } else {
    player.removeAttribute("src");
    player.removeAttribute("poster");
    player.load();
  }
}

function playTogether() {
  for (const player of document.querySelectorAll("#frames video")) {
    player.muted = true;
    player.currentTime = 0;
    player.play().catch(() => {}); // a video that is changed meanwhile
  }
}

function listItem() {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  item.append(button, document.createElement("span"));
  return item;
}

function otherFigure() {
  const figure = document.createElement("figure");
  const frame = document.createElement("div");
  const player = document.createElement("video");
  const caption = document.createElement("figcaption");
  figure.className = "shown";
  frame.className = "frame";
  player.controls = player.playsInline = player.loop = true;
  caption.className = "quiet";
  frame.append(player);
  figure.append(frame, caption);
  return figure;
}
