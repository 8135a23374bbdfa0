// Keeps an open page true: when the agent says that something on it changed, the page is fetched
// again and every [data-live] block is put in place. Without this script a reload does the same.
"use strict";

const PAUSE_MS = 150; // several changes in a row are one fetch
const REST_MS = 1000; // and fetches are not more frequent than this
const REFRESH_MS = 30000; // ages grow even when nothing happens
const status = document.getElementById("live-status");
let waiting = null;
let fetchedAt = -REST_MS;
let fetching = false;
let again = false;

function say(text, isLost) {
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle("lost", isLost);
}

function atEnd(box) {
  return box.scrollHeight - box.scrollTop - box.clientHeight < 40;
}

function put(old, fresh) {
  const followed = [...old.querySelectorAll("[data-follow]")].filter(atEnd).map((box) => box.id);
  if (window.Idiomorph) {
    window.Idiomorph.morph(old, fresh, {
      ignoreActiveValue: true,
      // What a reader unfolded stays unfolded.
      callbacks: { beforeAttributeUpdated: (name) => name !== "open" },
    });
  } else if (old.outerHTML !== fresh.outerHTML && !old.contains(document.activeElement)) {
    old.replaceWith(fresh);
  }
  for (const id of followed) {
    const box = document.getElementById(id);
    if (box) box.scrollTop = box.scrollHeight;
  }
}

async function refresh() {
  waiting = null;
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const old = document.getElementById(fresh.id);
      if (old) put(old, fresh);
    }
    listen(page.body.dataset.liveFrom); // a run that has just begun is listened to as well
    say("Live", false);
  } catch {
    say("Not live: the agent does not answer. Reload the page.", true);
  }
  fetching = false;
  fetchedAt = performance.now();
  if (again) {
    again = false;
    soon();
  }
}

function soon() {
  const rest = fetchedAt + REST_MS - performance.now();
  waiting ??= setTimeout(refresh, Math.max(PAUSE_MS, rest));
}

let stream = null;
let from = "";

function listen(address) {
  if (!address || address === from) return;
  stream?.close();
  from = address;
  const mine = (stream = new EventSource(address));
  mine.addEventListener("changed", soon);
  mine.addEventListener("resync", soon);
  mine.addEventListener("open", () => {
    say("Live", false);
    soon(); // what happened while the page was loading, or while the line was down
  });
  mine.addEventListener("error", () => {
    const isOver = mine.readyState === EventSource.CLOSED;
    say(isOver ? "Not live: reload the page." : "Connection lost; trying again.", true);
  });
}

listen(document.body.dataset.liveFrom);
setInterval(() => document.hidden || soon(), REFRESH_MS);
document.addEventListener("visibilitychange", () => document.hidden || soon());
history.replaceState(null, "", location.href.replace(/[?&]done=[a-z-]+/, "")); // said once
for (const box of document.querySelectorAll("[data-follow]")) box.scrollTop = box.scrollHeight;
