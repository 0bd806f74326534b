/** Draws one generation: the player, the bar, the story, the money, the buttons. Text is only ever set as text. */

import { isOver } from "./follow.js";
import { STATUS_WORDS, clock, dollars, outcomeWords, stageWords, timeLeft } from "./words.js";

const $ = (id) => document.getElementById(id);

export class View {
  #nameOf;
  #generation = null;
  #take = null; // the take on the screen; null follows the newest

  /** @param nameOf returns the name of a provider by its id */
  constructor(nameOf) {
    this.#nameOf = nameOf;
  }

  /** Make room for another generation. */
  clear() {
    this.#generation = null;
    this.#take = null;
    $("timeline").replaceChildren();
    this.#play(null);
    for (const id of ["connection", "action-error", "missing"]) $(id).textContent = "";
    $("live").hidden = true;
  }

  missing() {
    $("live").hidden = true;
    $("missing").textContent = "There is no generation of this id here.";
  }

  connected(isConnected) {
    $("connection").textContent = isConnected
      ? ""
      : "The connection is lost. The work goes on, and so will this page.";
  }

  /** Add a line to the story; progress is one line that moves, and nothing is said twice in a row. */
  event(event) {
    const last = $("timeline").lastElementChild;
    if (event.take > 1 && Number(last?.dataset.take) < event.take) $("timeline").append(divider(event.take));
    const line = document.createElement("li");
    const time = document.createElement("time");
    const words = document.createElement("span");
    time.dateTime = event.at;
    time.textContent = clock(event.at);
    words.textContent = event.message;
    line.append(time, words);
    line.dataset.type = event.type;
    line.dataset.take = event.take;
    const isProgress = event.type === "attempt.progress" && last?.dataset.type === event.type;
    if (isProgress || last?.lastElementChild?.textContent === event.message) last.replaceWith(line);
    else $("timeline").append(line);
  }

  /** Show the state as it stands. */
  state(generation) {
    if (this.#generation && this.#generation.takes.length < generation.takes.length) this.#take = null;
    this.#generation = generation;
    const { request, status, progress } = generation;
    const take = generation.takes.at(-1);
    $("live").hidden = false;
    $("live").dataset.status = status;
    $("live-prompt").textContent = request.prompt;
    $("live-facts").textContent = facts(take, this.#nameOf(generation.provider));
    setText($("stage"), stageWords(generation, this.#nameOf(generation.provider)));
    $("eta").textContent = isOver(generation) ? "" : timeLeft(generation.eta_seconds);
    this.#bar(generation);
    this.#failure(generation.error);
    $("outcome").textContent = outcomeWords(take);
    this.#cost(generation);
    this.#screen(generation);
    $("cancel").hidden = !generation.actions.includes("cancel");
    $("regenerate").hidden = !generation.actions.includes("regenerate");
    setLink($("temporal"), generation.links.temporal);
    document.title = isOver(generation)
      ? `${STATUS_WORDS[status]} · VideoPlanet`
      : `${progress.percent} % · VideoPlanet`;
  }

  #bar({ status, stage, progress }) {
    $("bar").hidden = status === "completed" || status === "cancelled";
    $("bar").setAttribute("aria-valuenow", progress.percent);
    $("bar").setAttribute("aria-valuetext", `${progress.percent} %`);
    $("bar").dataset.stage = stage;
    $("bar-fill").style.width = `${progress.percent}%`;
  }

  #failure(error) {
    $("failure").hidden = !error;
    if (!error) return;
    setText($("failure-message"), error.message);
    setText($("failure-advice"), error.advice);
    setText($("failure-code"), error.code);
  }

  #cost({ cost, mode }) {
    $("reserved").textContent = dollars(cost.reserved_usd);
    $("settled").textContent = dollars(cost.settled_usd);
    $("at-risk").textContent = dollars(cost.at_risk_usd);
    const isAtRisk = Number(cost.at_risk_usd) > 0;
    $("risk").classList.toggle("warn", isAtRisk);
    const risk = isAtRisk ? "At risk: the provider may still bill it. " : "";
    $("cost-note").textContent = risk + (mode === "sandbox" ? "Sandbox: no real money." : "");
  }

  #screen(generation) {
    const newest = generation.takes.at(-1);
    const take = generation.takes.find(({ number }) => number === this.#take) || newest;
    const size = take.request.params.resolution;
    if (size) $("frame").style.aspectRatio = size.replace("x", " / ");
    this.#play(take.video);
    const isRunning = take === newest && !isOver(generation);
    $("frame").classList.toggle("running", isRunning);
    $("frame").classList.toggle("empty", !isRunning && !take.video);
    setText($("frame-word"), take.video ? "" : frameWord(take, isRunning, generation.progress.percent));
    $("takes").hidden = generation.takes.length < 2;
    if (generation.takes.length > 1) this.#takes(generation.takes, take);
  }

  #takes(takes, shown) {
    const buttons = $("takes");
    while (buttons.children.length > takes.length) buttons.lastElementChild.remove();
    takes.forEach((take, index) => {
      const button = buttons.children[index] || buttons.appendChild(document.createElement("button"));
      button.type = "button";
      setText(button, `Take ${take.number}`);
      button.setAttribute("aria-pressed", String(take === shown));
      button.onclick = () => {
        this.#take = take.number;
        this.#screen(this.#generation);
      };
    });
  }

  /** Change the player only if it is another video: a refresh must not stop one that plays. */
  #play(video) {
    const player = $("video");
    const url = video?.url || "";
    $("download").hidden = !url;
    player.hidden = !url;
    if ((player.getAttribute("src") || "") === url) return;
    if (url) {
      player.poster = video.poster_url;
      player.src = url;
      $("download").href = url;
    } else {
      player.removeAttribute("src");
      player.removeAttribute("poster");
      player.load();
    }
  }
}

function frameWord(take, isRunning, percent) {
  return isRunning ? `${percent} %` : STATUS_WORDS[take.status];
}

function facts(take, provider) {
  const { model, params } = take.request;
  const seed = take.video?.seed ?? params.seed;
  return [
    `${provider} ${model}`,
    `${params.duration_seconds} s`,
    params.resolution?.replace("x", "×"),
    seed === undefined ? "" : `seed ${seed}`,
  ].filter(Boolean).join(" · ");
}

function divider(take) {
  const line = document.createElement("li");
  line.className = "divider";
  line.dataset.take = take;
  line.textContent = `Take ${take}`;
  return line;
}

/** Touch the page only for news: a screen reader reads what is touched. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setLink(link, url) {
  link.hidden = !/^https?:/.test(url);
  if (!link.hidden) link.href = url;
}
