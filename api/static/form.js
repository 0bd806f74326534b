/** The order form: choices from what the service offers, problems beside the field they name. */

import { pause } from "./client.js";
import { price, sentence, sizeWords } from "./words.js";

const PROMPT_MAX = 1000;
const DOUBLE_CLICK_MS = 800; // the second click of a double click is no second order
const TEXT = "text_to_video";

const $ = (id) => document.getElementById(id);

export class OrderForm {
  #isSandbox = false;
  #offers = []; // {provider, model, name, ability}: what makes a video from text alone
  #isSending = false;

  /** @param onOrder called with the body of an order, tells whether it was accepted; the form is locked meanwhile */
  constructor(onOrder) {
    $("order").addEventListener("submit", async (event) => {
      event.preventDefault();
      if (this.#isSending) return;
      this.lock(true);
      this.showProblem(null);
      try {
        if (await onOrder(this.#body())) await pause(DOUBLE_CLICK_MS);
      } finally {
        this.lock(false);
      }
    });
    $("prompt").addEventListener("input", () => this.#count());
    $("prompt").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("order").requestSubmit();
    });
    $("model").addEventListener("change", () => this.#offerChoices());
    $("duration").addEventListener("change", () => this.#showPrice());
    this.#count();
  }

  /** Fill the choices from `GET /v1/providers`. */
  offer(providers) {
    this.#offers = providers.flatMap((provider) =>
      provider.models.flatMap((model) =>
        model.modes
          .filter((ability) => ability.mode === TEXT)
          .map((ability) => ({ provider: provider.id, model: model.id, name: provider.name, ability })),
      ),
    );
    this.#isSandbox = providers.some(({ mode }) => mode === "sandbox");
    const groups = groupByName(this.#offers);
    const parts = [new Option("Automatic", "")];
    for (const [name, offers] of groups) {
      const group = document.createElement("optgroup");
      group.label = name;
      group.append(...offers.map((offer) => new Option(offer.model, `${offer.provider}/${offer.model}`)));
      parts.push(group);
    }
    $("model").replaceChildren(...parts);
    this.#offerChoices();
  }

  /** Mark the form as busy: a second click changes nothing. */
  lock(isSending) {
    this.#isSending = isSending;
    $("make").setAttribute("aria-disabled", String(isSending));
    $("make").textContent = isSending ? "Sending…" : "Make the video";
    if (!isSending) $("order-note").textContent = "";
  }

  /** Say that the order waits for the service. */
  waiting() {
    $("order-note").textContent =
      "The service does not answer. Your order is kept and sent again until it does; it is never ordered twice.";
  }

  /** Show a refusal beside the fields it names, the rest below the button; null clears. */
  showProblem(refused) {
    const rest = refused && !refused.errors.length ? [sentence(refused.message)] : [];
    const byField = new Map();
    for (const error of refused?.errors || []) {
      const field = fieldOf(error.pointer);
      const words = sentence(error.message);
      if (field) byField.set(field, [...(byField.get(field) || []), words]);
      else rest.push(`${error.pointer}: ${words}`);
    }
    for (const field of document.querySelectorAll("#order .field")) {
      const control = field.querySelector("textarea, select");
      const words = byField.get(field);
      field.querySelector(".field-error").textContent = words ? words.join(" ") : "";
      if (words) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
    $("order-error").textContent = rest.join(" ");
    document.querySelector("#order [aria-invalid]")?.focus();
  }

  #body() {
    const [provider, model] = $("model").value.split("/");
    const params = {};
    if ($("duration").value) params.duration_seconds = Number($("duration").value);
    if ($("size").value) params.resolution = $("size").value;
    return { prompt: $("prompt").value, params, ...(model ? { provider, model } : {}) };
  }

  #count() {
    const count = [...$("prompt").value].length; // code points, as the service counts
    $("prompt-count").textContent = `${count} / ${PROMPT_MAX}`;
    $("prompt-count").classList.toggle("over", count > PROMPT_MAX);
  }

  #chosen() {
    const chosen = $("model").value;
    return this.#offers.filter((offer) => !chosen || `${offer.provider}/${offer.model}` === chosen);
  }

  #offerChoices() {
    const abilities = this.#chosen().map((offer) => offer.ability);
    if (!abilities.length) return;
    const durations = [...new Set(abilities.flatMap((ability) => ability.duration_seconds))].sort((a, b) => a - b);
    const sizes = [...new Set(abilities.flatMap((ability) => ability.resolutions))];
    const seconds = durations.map((duration) => new Option(`${duration} seconds`, String(duration)));
    refill($("duration"), seconds, String(abilities[0].default_duration_seconds));
    refill($("size"), sizes.map((size) => new Option(sizeWords(size), size)), abilities[0].resolutions[0]);
    this.#showPrice();
  }

  #showPrice() {
    const seconds = Number($("duration").value);
    const offer = this.#chosen().find(({ ability }) => ability.duration_seconds.includes(seconds));
    const about = offer ? `About ${price(offer.ability.price_usd_per_second, seconds)}` : "";
    $("price").textContent = about && this.#isSandbox ? `${about}, in sandbox money` : about;
  }
}

function groupByName(offers) {
  const groups = new Map();
  for (const offer of offers) groups.set(offer.name, [...(groups.get(offer.name) || []), offer]);
  return groups;
}

/** Replace the options; keep what was chosen where it still exists. */
function refill(select, options, preferred) {
  const before = select.value;
  select.replaceChildren(...options);
  const values = options.map((option) => option.value);
  select.value = values.includes(before) ? before : preferred;
}

function fieldOf(pointer) {
  return [...document.querySelectorAll("#order .field")].find((field) =>
    field.dataset.pointers.split(" ").includes(pointer),
  );
}
