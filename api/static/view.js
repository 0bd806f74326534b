/** Draws one generation: the bar, the story, the money, the buttons. Text is only ever set as text. */

import { isOver } from "./follow.js";
import { Takes } from "./takes.js";
import { STATUS_WORDS, clock, dollars, outcomeWords, setText, stageWords, timeLeft, waitWords } from "./words.js";

const ACTIONS = ["cancel", "regenerate", "replace", "delete"];

const $ = (id) => document.getElementById(id);

export class View {
  #nameOf;
  #newest = 0; // the newest take of which something was told
  takes = new Takes((take) => this.#describe(take));

  /** @param nameOf returns the name of a provider by its id */
  constructor(nameOf) {
    this.#nameOf = nameOf;
  }

  /** Make room for another generation. */
  clear() {
    this.#newest = 0;
    this.takes.clear();
    $("timeline").replaceChildren();
    $("change").open = false;
    $("next-prompt").value = "";
    for (const id of ["connection", "action-error", "missing", "wait", "cancel-preview"]) $(id).textContent = "";
    $("live").hidden = true;
  }

  missing(words = "There is no generation of this id here: it was deleted, or never made.") {
    this.clear();
    $("missing").textContent = words;
  }

  connected(isConnected) {
    $("connection").textContent = isConnected
      ? ""
      : "The connection is lost. The work goes on, and so will this page.";
  }

  /** Add a line to the story; progress is one line that moves, and nothing is said twice in a row. */
  event(event) {
    const timeline = $("timeline");
    if (event.take > this.#newest) {
      if (this.#newest) timeline.append(divider(event.take));
      this.#newest = event.take;
    }
    const last = timeline.lastElementChild;
    const isOfAnother = event.take < this.#newest && !event.message.startsWith("Take ");
    const message = isOfAnother ? `Take ${event.take}: ${event.message}` : event.message;
    const line = document.createElement("li");
    const time = document.createElement("time");
    const words = document.createElement("span");
    time.dateTime = event.at;
    time.textContent = clock(event.at);
    words.textContent = message;
    line.append(time, words);
    line.dataset.type = event.type;
    const isProgress = event.type === "attempt.progress" && last?.dataset.type === event.type;
    if (isProgress || last?.lastElementChild?.textContent === message) last.replaceWith(line);
    else timeline.append(line);
  }

  /** Show the state as it stands. */
  state(generation) {
    const { request, status, progress, actions } = generation;
    $("live").hidden = false;
    $("live").dataset.status = status;
    if (!$("change").open) $("next-prompt").value = request.prompt;
    $("live-prompt").textContent = request.prompt;
    setText($("stage"), stageWords(generation, this.#nameOf(generation.provider)));
    setText($("wait"), isOver(generation) ? "" : waitWords(generation));
    $("eta").textContent = isOver(generation) ? "" : timeLeft(generation.eta_seconds);
    this.#bar(generation);
    this.#failure(generation.error);
    $("outcome").textContent = outcomeWords(generation.takes.at(-1));
    this.#cost(generation);
    this.takes.state(generation);
    for (const action of ACTIONS) $(action).hidden = !actions.includes(action);
    if ($("cancel").hidden) setText($("cancel-preview"), "");
    $("change").hidden = !actions.includes("regenerate") && !actions.includes("replace");
    setLink($("temporal"), generation.links.temporal);
    document.title = isOver(generation)
      ? `${STATUS_WORDS[status]} · VideoPlanet`
      : `${progress.percent} % · VideoPlanet`;
  }

  /** Show the facts of the take on the screen. */
  #describe(take) {
    $("live-facts").textContent = facts(take, this.#nameOf(take.request.provider));
    $("adjusted").hidden = !take.adjustments.length;
    const lines = take.adjustments.map(({ message }) => {
      const line = document.createElement("li");
      line.textContent = message;
      return line;
    });
    if (lines.map((line) => line.textContent).join() !== [...$("adjustments").children].map((line) => line.textContent).join())
      $("adjustments").replaceChildren(...lines);
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
  line.textContent = `Take ${take}`;
  return line;
}

function setLink(link, url) {
  link.hidden = !/^https?:/.test(url);
  if (!link.hidden) link.href = url;
}
