/** What the page says: stages, outcomes, money and times in plain words. */

const STAGES = {
  accepted: () => "Accepted",
  queued: () => "Waiting for its turn",
  submitting: (by) => `Sending the order to ${by}`,
  looking_up: (by) => `Asking ${by} whether the order arrived`,
  provider_queued: (by) => `Waiting in the queue of ${by}`,
  generating: (by) => `${by} is making the video`,
  waiting_retry: () => "Waiting before the next try",
  storing: () => "Fetching and checking the video",
  cancelling: () => "Cancelling",
};
const ENDS = { completed: "Your video is ready", failed: "It did not work", cancelled: "Cancelled" };
export const CANCEL_ON_ITS_WAY = "The cancel is on its way.";

const OUTCOMES = {
  requested: CANCEL_ON_ITS_WAY,
  stopped_before_submit: "Nothing was sent to the provider, so nothing is owed.",
  stopped: "The provider stopped the job.",
  goes_on: "The provider cannot stop the job; it runs on there, and may be billed.",
  too_late: "The cancel came too late: the job was over.",
};

export const STATUS_WORDS = {
  pending: "Waiting",
  processing: "In the making",
  completed: "Ready",
  failed: "Failed",
  cancelled: "Cancelled",
  superseded: "Replaced",
};

export function stageWords(generation, provider) {
  const stage = STAGES[generation.stage];
  return ENDS[generation.status] || (stage ? stage(provider) : generation.stage.replaceAll("_", " "));
}

/** Why it waits, and for how long: its place in the queue, or the moment of the next attempt. */
export function waitWords({ queue, retry_at: retryAt }) {
  if (queue) {
    const eta = queue.eta_seconds === null ? "" : ` Its turn comes ${soon(queue.eta_seconds)}.`;
    return `Number ${queue.position} of ${queue.of}. ${queue.message}${eta}`;
  }
  return retryAt ? `The next attempt begins ${soon((new Date(retryAt) - Date.now()) / 1000)}.` : "";
}

function soon(seconds) {
  if (seconds < 1) return "now";
  return seconds < 90 ? `in about ${Math.ceil(seconds)} s` : `in about ${Math.round(seconds / 60)} min`;
}

export function outcomeWords(take) {
  if (!take.cancel) return "";
  const bill = { true: " It is billed.", false: " It is not billed." }[take.cancel.billed] || "";
  const isSilent = take.cancel.outcome === "stopped_before_submit";
  return (OUTCOMES[take.cancel.outcome] || "") + (isSilent ? "" : bill);
}

export function dollars(usd) {
  return `$${usd}`;
}

/**
 * About what a video costs, in words. What is billed by the token grows with length and picture, so the example tells.
 *
 * @param able a mode of a model, as the service describes it
 * @param size one of its sizes
 */
export function priceWords({ price, sizes }, seconds, size) {
  const name = (one) => one.resolution || one.pixels;
  const rate = price.by_resolution.find((one) => one.resolution === name(size));
  const known = { second: Number(rate.usd) * seconds, video: Number(rate.usd) }[price.unit];
  const shown = sizes.find((one) => name(one) === name(size));
  const scale = (seconds / price.example_seconds) * (pixels(size) / pixels(shown));
  const usd = known ?? Number(rate.example_usd) * scale;
  return `About $${usd.toFixed(2)}${price.is_certain ? "" : " (not certain)"}`;
}

function pixels(size) {
  const [width, height] = size.pixels.split("x").map(Number);
  return width * height;
}

export function timeLeft(seconds) {
  if (seconds === null) return "";
  return seconds < 90 ? `about ${seconds} s left` : `about ${Math.round(seconds / 60)} min left`;
}

export function clock(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

const SPANS = [["day", 86400], ["hour", 3600], ["minute", 60]];

export function ago(at) {
  const seconds = Math.max(0, (Date.now() - new Date(at)) / 1000);
  const [unit, size] = SPANS.find(([, span]) => seconds >= span) || [null, 1];
  if (!unit) return "just now";
  return new Intl.RelativeTimeFormat("en").format(-Math.floor(seconds / size), unit);
}

/** A shape such as 16:9 in words that people use. */
export function shapeWords(ratio) {
  const [width, height] = ratio.split(":").map(Number);
  const name = width === height ? "Square" : width > height ? "Landscape" : "Portrait";
  return `${name} ${ratio}`;
}

/** A message of a problem document as a sentence. */
export function sentence(message) {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Touch the page only for news: a screen reader reads what is touched. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
