"use strict";

const POLL = 2000;
const find = (id) => document.getElementById(id);
let token = "";
let timer;

const states = { ready: "good", starting: "busy", restarting: "busy", stopping: "busy", backoff: "busy", failed: "bad" };
const words = { failed: "crash loop", backoff: "waits to restart" };

function duration(seconds) {
  if (seconds == null) return "–";
  const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return "0s";
  let left = seconds;
  return units.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(left / size);
    left %= size;
    return count ? count + unit : "";
  }).filter(Boolean).join(" ");
}

function note(unit) {
  const failure = unit.last_failure || "";
  switch (unit.state) {
    case "backoff": return `${failure}; again in ${duration(unit.retry_seconds)}`;
    case "failed": return unit.retry_seconds == null
      ? `${failure}; another try cannot help`
      : `${failure}, ${unit.failures} times in a row; again in ${duration(unit.retry_seconds)}`;
    case "stopped": return unit.wanted && unit.waits_for.length ? `waits for ${unit.waits_for.join(", ")}` : "";
    case "starting": return unit.readiness;
    case "ready":
      if (unit.readiness) return unit.readiness;
      return failure && unit.restarts ? `${failure} ${duration(unit.last_failure_seconds)} ago` : "";
    default: return "";
  }
}

function tell(text) {
  find("notice").textContent = text || "";
  find("notice").hidden = !text;
}

async function request(method, path, body, authorization) {
  const headers = { Authorization: authorization || "Bearer " + token };
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw Object.assign(new Error(answer.error || response.statusText), { status: response.status });
  }
  return answer;
}

function show(unit) {
  let card = document.querySelector(`[data-unit="${CSS.escape(unit.name)}"]`);
  if (!card) {
    card = find("unit").content.firstElementChild.cloneNode(true);
    card.dataset.unit = unit.name;
    for (const button of card.querySelectorAll("button")) {
      button.addEventListener("click", () => change(button.dataset.do, unit.name));
    }
    find("units").append(card);
  }
  const part = (selector) => card.querySelector(selector);
  const figure = (name, text) => { part(`[data-is=${name}]`).textContent = text; };
  part("h2").textContent = unit.name;
  part(".what").textContent = unit.description + (unit.version ? " · " + unit.version : "");
  part(".what").title = unit.binary;
  const state = part(".state");
  const isHopeless = unit.state === "failed" && unit.retry_seconds == null;
  state.textContent = isHopeless ? "failed" : words[unit.state] || unit.state;
  state.className = "pill state " + (unit.state === "ready" && unit.readiness ? "busy" : states[unit.state] || "");
  const text = note(unit);
  part(".note").textContent = text;
  part(".note").hidden = !text;
  part(".note").classList.toggle("bad", unit.state === "failed");
  figure("uptime", duration(unit.uptime_seconds));
  figure("memory", unit.memory_bytes == null ? "–" : (unit.memory_bytes / 1048576).toFixed(1) + " MB");
  figure("cpu", unit.cpu_percent == null ? "–" : unit.cpu_percent.toFixed(1) + " %");
  figure("restarts", unit.restarts);
  figure("pid", unit.pid || "–");
  figure("address", unit.address);
  const output = part("pre");
  const lines = unit.last_output.join("\n") || "nothing yet";
  if (output.textContent !== lines) {
    output.textContent = lines;
    output.scrollTop = output.scrollHeight;
  }
  // Once, when it begins to fail; after that it is the reader's.
  if (unit.state === "failed" && card.dataset.state !== "failed") part("details").open = true;
  card.dataset.state = unit.state;
  part("[data-do=start]").hidden = unit.wanted && unit.state !== "failed";
  part("[data-do=restart]").hidden = !unit.wanted || unit.state === "failed";
  part("[data-do=stop]").hidden = !unit.wanted;
}

function render(view) {
  const enabled = view.processes.filter((unit) => unit.enabled);
  const overall = find("overall");
  const isBad = enabled.some((unit) => unit.state === "failed");
  const stopped = enabled.filter((unit) => !unit.wanted).map((unit) => unit.name);
  overall.textContent = isBad ? "needs attention" : !view.services_running ? "stopped"
    : !view.ready ? "not all ready" : stopped.length ? `ready, without ${stopped.join(", ")}` : "all ready";
  overall.className = "pill " + (isBad ? "bad" : !view.services_running ? "" : view.ready ? "good" : "busy");
  overall.hidden = false;
  const total = enabled.reduce((sum, unit) => sum + (unit.memory_bytes || 0), 0);
  find("about").textContent = `version ${view.version} · up ${duration(view.uptime_seconds)} · `
    + `${(total / 1048576).toFixed(0)} MB in ${enabled.length} units`;
  document.title = `ORLY – ${overall.textContent}`;
  enabled.forEach(show);
  const off = view.processes.filter((unit) => !unit.enabled).map((unit) => unit.name);
  find("disabled").textContent = "Switched off: " + off.join(", ");
  find("disabled").hidden = !off.length;
  find("start-all").disabled = enabled.every((unit) => unit.wanted);
  find("stop-all").disabled = find("restart-all").disabled = !view.services_running;
}

async function refresh() {
  clearTimeout(timer);
  try {
    const view = await request("GET", "/api/status");
    render(view);
    enter(true);
    tell(view.disk && view.disk.warning || "");
  } catch (error) {
    if (error.status === 401 || error.status === 403) {
      leave(token ? error.message : "");
      return;
    }
    tell("The launcher does not answer: " + error.message);
  }
  timer = setTimeout(() => document.hidden ? wait() : refresh(), POLL);
}

function wait() {
  document.addEventListener("visibilitychange", refresh, { once: true });
}

function enter(isIn) {
  find("door").hidden = isIn;
  find("all").hidden = !isIn;
  find("units").hidden = !isIn;
}

function leave(reason) {
  clearTimeout(timer);
  token = "";
  sessionStorage.removeItem("token");
  find("units").replaceChildren();
  find("overall").hidden = find("disabled").hidden = true;
  find("about").textContent = "";
  find("no-extension").hidden = Boolean(window.nostr);
  enter(false);
  tell(reason);
}

function open(name) {
  token = name;
  sessionStorage.setItem("token", name);
  refresh();
}

// One signature opens a session (NIP-98 by NIP-07).
async function sign() {
  find("no-extension").hidden = Boolean(window.nostr);
  if (!window.nostr) return;
  try {
    const url = location.origin + "/api/session";
    const event = await window.nostr.signEvent({
      kind: 27235, created_at: Math.floor(Date.now() / 1000), content: "", tags: [["u", url], ["method", "POST"]],
    });
    const bytes = new TextEncoder().encode(JSON.stringify(event));
    const header = "Nostr " + btoa(String.fromCharCode(...bytes));
    open((await request("POST", "/api/session", undefined, header)).token);
  } catch (error) {
    tell("Not signed in: " + error.message);
  }
}

async function isSure(question, word) {
  find("question").textContent = question;
  find("yes").textContent = word;
  const dialog = find("ask");
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
  return dialog.returnValue === "yes";
}

async function change(what, unit) {
  const name = unit || "all units";
  const questions = { stop: `Stop ${name}?`, restart: `Restart ${name}? Clients may notice.` };
  const label = what[0].toUpperCase() + what.slice(1);
  if (questions[what] && !await isSure(questions[what], label)) return;
  const path = unit ? `/api/${what}-service` : what === "restart" ? "/api/restart" : `/api/${what}-services`;
  try {
    await request("POST", path, unit && JSON.stringify({ service: unit }));
    await refresh();
  } catch (error) {
    tell(error.message);
  }
}

find("sign").addEventListener("click", sign);
find("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  // The whole address that was printed will do as well.
  open(find("token").value.trim().split("token=").pop());
  find("token").value = "";
});
for (const what of ["start", "restart", "stop"]) find(what + "-all").addEventListener("click", () => change(what));
find("leave").addEventListener("click", async () => {
  await request("DELETE", "/api/session").catch(() => {});
  leave("");
});

const given = new URLSearchParams(location.hash.slice(1)).get("token");
// It is a secret: not to stay in the address bar.
if (given) history.replaceState(null, "", location.pathname);
token = given || sessionStorage.getItem("token") || "";
if (token) open(token); else leave("");
