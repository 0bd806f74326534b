/** What a person thinks of the take on the screen: one to keep or not, a rating with a comment. */

import { setText } from "./words.js";

const $ = (id) => document.getElementById(id);

export class Judge {
  #subject = ""; // the take whose words the form holds, with the moment they were written
  #take = 0;

  clear() {
    this.#subject = "";
    $("judge").hidden = true;
    $("judge-note").textContent = $("judge-error").textContent = "";
  }

  /** Show the form for a take; what is typed stays, unless it is about another take or was saved anew. */
  show(id, take, actions) {
    const canBeJudged = Boolean(take.video) && actions.includes("feedback");
    $("judge").hidden = !canBeJudged;
    if (!canBeJudged) return;
    setText($("judge-title"), `What do you think of take ${take.number}?`);
    setText($("keep"), take.kept ? "Kept" : "Keep");
    $("keep").setAttribute("aria-pressed", String(take.kept));
    const subject = `${id} ${take.number} ${take.feedback?.at || ""}`;
    if (subject === this.#subject) return;
    if (take.number !== this.#take) $("judge-note").textContent = $("judge-error").textContent = "";
    this.#subject = subject;
    this.#take = take.number;
    for (const radio of ratings()) radio.checked = Number(radio.value) === take.feedback?.rating;
    $("comment").value = take.feedback?.comment || "";
  }

  /** What the form says, as the body of a request; null without a rating. */
  said(take) {
    const chosen = ratings().find((radio) => radio.checked);
    if (!chosen) return null;
    const comment = $("comment").value.trim();
    return { take: take.number, rating: Number(chosen.value), ...(comment ? { comment } : {}) };
  }
}

function ratings() {
  return [...document.querySelectorAll("#judge [name=rating]")];
}
