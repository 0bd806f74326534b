/** The page: an order becomes an id in the address, and what the address names is followed. */

import { Away, LOGGED_OUT, Refused, get, outbox, pause, post, remove } from "./client.js";
import { Follower } from "./follow.js";
import { OrderForm } from "./form.js";
import { Recent } from "./recent.js";
import { View } from "./view.js";
import { sentence, setText } from "./words.js";

const GENERATIONS = "/v1/generations";
const RETRY_MS = 2000;
const NOT_LOGGED_IN = 401;
const NOT_FOUND = 404;
const DOUBLE_CLICK_MS = 800; // the second click of a double click is no second take

const $ = (id) => document.getElementById(id);

const names = new Map();
const view = new View((provider) => names.get(provider) || provider);
const recent = new Recent();
const form = new OrderForm((body) => order(() => outbox.send(GENERATIONS, body, () => form.waiting())));
let opened = { id: "", follower: null, status: "" };

/** Send an order, and open what it made; tell whether it was accepted. */
async function order(send) {
  try {
    const generation = await send();
    location.hash = generation.id;
    recent.refresh();
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    form.showProblem(error);
    return false;
  }
}

/** Follow what the address names. */
function openFromAddress() {
  const [, id = ""] = /^#(gen_[0-9a-z]{26})$/.exec(location.hash) || [];
  if (id === opened.id) return;
  opened.follower?.stop();
  opened = { id, follower: null, status: "" };
  view.clear();
  recent.mark(id);
  if (!id) return;
  opened.follower = new Follower(id, {
    onEvent: (event) => view.event(event),
    onConnected: (isConnected) => view.connected(isConnected),
    onMissing: () => view.missing(),
    onState: (generation) => {
      const isFirst = !opened.status;
      view.state(generation);
      if ($("cancel-preview").textContent) foretell(); // what was said may be true no more
      if (!isFirst && opened.status !== generation.status) recent.refresh();
      opened.status = generation.status;
      if (isFirst) $("live").scrollIntoView({ block: "nearest" });
    },
  });
}

/**
 * Ask something of the open generation; once at a time for each button.
 *
 * @param send does it, given the path of the generation and what to call while the service is away
 * @param errors where a refusal is shown
 * @returns whether it was done
 */
async function ask(button, send, errors = $("action-error")) {
  if (button.getAttribute("aria-disabled") === "true") return false;
  const { id, follower } = opened;
  button.setAttribute("aria-disabled", "true"); // it keeps the focus, as it would not if it were disabled
  errors.textContent = "";
  let isDone = false;
  try {
    await send(`${GENERATIONS}/${id}`, () => opened.id === id && view.connected(false));
    isDone = opened.id === id;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (opened.id === id && error.status !== NOT_FOUND) errors.textContent = sentence(error.message);
  } finally {
    button.removeAttribute("aria-disabled");
  }
  follower?.wake(); // tells as well if it is gone
  recent.refresh();
  return isDone;
}

/** Make the next take, with another prompt where one was typed. */
function nextTake(button, extra) {
  button.addEventListener("click", async () => {
    const prompt = $("next-prompt").value;
    const isChanged = $("change").open && prompt !== $("live-prompt").textContent;
    const body = { ...extra, ...(isChanged ? { prompt } : {}) };
    if (!(await ask(button, (path, onAway) => post(`${path}/regenerate`, body, { onAway })))) return;
    $("change").open = false;
    button.setAttribute("aria-disabled", "true");
    await pause(DOUBLE_CLICK_MS);
    button.removeAttribute("aria-disabled");
  });
}

async function saveRating(event) {
  event.preventDefault();
  const button = event.submitter || $("judge").querySelector("[type=submit]");
  const body = view.takes.judge.said(view.takes.shown);
  $("judge-note").textContent = "";
  if (!body) {
    $("judge-error").textContent = "Choose a rating from 1 to 5.";
    $("judge").querySelector("[name=rating]").focus();
    return;
  }
  const isDone = await ask(button, (path, onAway) => post(`${path}/feedback`, body, { onAway }), $("judge-error"));
  if (isDone) $("judge-note").textContent = "Saved.";
}

function keepOrLetGo() {
  const { number, kept } = view.takes.shown;
  const send = (path, onAway) =>
    kept ? remove(`${path}/takes/${number}/keep`, onAway) : post(`${path}/takes/${number}/keep`, {}, { onAway });
  ask($("keep"), send, $("judge-error"));
}

async function deleteIfConfirmed() {
  const { id } = opened;
  if ($("confirm").returnValue !== "delete" || !id) return;
  opened.follower?.stop(); // what is gone is no news any more
  const isDone = await ask($("delete"), (path, onAway) => remove(path, onAway));
  if (isDone) {
    location.hash = "";
    openFromAddress();
    view.missing("The video is deleted.");
    $("prompt").focus({ preventScroll: true });
  } else if (opened.id === id) {
    const words = $("action-error").textContent;
    opened.id = "";
    openFromAddress();
    $("action-error").textContent = words;
  }
}

async function offer() {
  for (;;) {
    try {
      const { data } = await get("/v1/providers");
      for (const provider of data) names.set(provider.id, provider.name);
      $("mode").hidden = !data.some(({ mode }) => mode === "sandbox");
      form.offer(data);
      return;
    } catch (error) {
      if (error.status === NOT_LOGGED_IN) return;
      if (!(error instanceof Away)) throw error;
      await pause(RETRY_MS);
    }
  }
}

/** Let whoever has logged in log out. */
async function greet() {
  try {
    $("logout").hidden = (await get("/v1/me")).via !== "session";
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof Away)) throw error;
  }
}

/** Go on with an order that a reload interrupted. */
async function resume() {
  if (!outbox.hasOrder()) return;
  form.lock(true);
  await order(() => outbox.resume(() => form.waiting()));
  form.lock(false);
}

/** Say what a cancel would do while somebody is about to ask for it. */
async function foretell() {
  const { id } = opened;
  try {
    const { message } = await get(`${GENERATIONS}/${id}/cancel-preview`);
    if (opened.id === id && !$("cancel").hidden) setText($("cancel-preview"), message);
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof Away)) throw error;
  }
}

for (const kind of ["pointerenter", "focus"]) $("cancel").addEventListener(kind, foretell);
for (const kind of ["pointerleave", "blur"]) $("cancel").addEventListener(kind, () => setText($("cancel-preview"), ""));
$("cancel").addEventListener("click", () => ask($("cancel"), (path, onAway) => post(`${path}/cancel`, {}, { onAway })));
nextTake($("regenerate"), {});
nextTake($("replace"), { if_running: "replace" });
$("judge").addEventListener("submit", saveRating);
$("keep").addEventListener("click", keepOrLetGo);
$("delete").addEventListener("click", () => {
  $("confirm").returnValue = ""; // what was answered the last time must not count
  $("confirm").showModal();
});
$("confirm").addEventListener("close", deleteIfConfirmed);
addEventListener(LOGGED_OUT, () => ($("logged-out").hidden = false));
addEventListener("hashchange", openFromAddress);
addEventListener("visibilitychange", () => document.hidden || recent.refresh());
offer();
greet();
openFromAddress();
recent.refresh();
resume();
