// Sends the files of the form in parts, so that a broken connection costs one part and a reload
// costs nothing. The form is complete without this script. Nothing is kept in the browser.
"use strict";

(() => {
  const form = document.getElementById("kirim-berkas");
  const chosen = document.getElementById("files");
  const place = document.getElementById("kemajuan");
  if (!form || !chosen || !place || !window.fetch || !window.AbortController) {
    return;
  }
  const said = form.dataset;
  const base = said.upload;
  const PAUSE = 2000;
  const LONGEST_PAUSE = 30000;
  const TRIES = 40;
  let stopper = null;

  class Refused extends Error {}

  const words = (text, values) =>
    text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

  const line = document.createElement("p");
  const bar = document.createElement("progress");
  bar.max = 100;
  const stop = document.createElement("button");
  stop.type = "button";
  stop.className = "button quiet";
  stop.textContent = said.saidStop;
  stop.addEventListener("click", () => stopper && stopper.abort());
  bar.setAttribute("aria-label", chosen.labels[0].textContent);
  place.append(line, bar, stop);

  // The live region says a step only when it changes: a screen reader must not hear every percent.
  let lastTold = "";
  const tell = (text, percent) => {
    if (text !== lastTold) {
      line.textContent = text;
      lastTold = text;
    }
    bar.hidden = percent === null;
    if (percent !== null) {
      bar.value = percent;
    }
  };

  const fields = (extra) => {
    const body = new URLSearchParams();
    body.set("csrf", form.elements.csrf.value);
    if (form.elements.room) {
      body.set("room", form.elements.room.value);
    }
    for (const [name, value] of Object.entries(extra)) {
      body.set(name, value);
    }
    return body;
  };

  const ask = async (path, body, headers) => {
    const answer = await fetch(base + path, {
      method: "POST",
      body,
      headers,
      credentials: "same-origin",
      redirect: "manual",
      signal: stopper.signal,
    });
    if (answer.type === "opaqueredirect") {
      throw new Refused(said.saidSession);
    }
    const kind = answer.headers.get("content-type") || "";
    const content = kind.startsWith("application/json") ? await answer.json() : null;
    if (answer.ok && content) {
      return content;
    }
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408) {
      throw new Error("busy");
    }
    throw new Refused(content && content.message ? content.message : "");
  };

  const pause = (milliseconds) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, milliseconds);
      stopper.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(new DOMException("", "AbortError"));
      });
    });

  // A dropped connection is tried again, ever more slowly; what the office refuses is not.
  const insist = async (action) => {
    for (let count = 0; ; count += 1) {
      try {
        return await action();
      } catch (error) {
        if (error instanceof Refused || error.name === "AbortError" || count >= TRIES) {
          throw error;
        }
        tell(said.saidRetry, bar.value);
        await pause(Math.min(PAUSE * 2 ** count, LONGEST_PAUSE));
      }
    }
  };

  const send = async (file) => {
    const begun = await insist(() =>
      ask("/mulai", fields({
        name: file.name,
        type: file.type,
        size: file.size,
        modified: file.lastModified,
      })),
    );
    const have = new Set(begun.have);
    for (let number = 1; number <= begun.count; number += 1) {
      const percent = Math.floor((100 * (number - 1)) / begun.count);
      tell(words(said.saidProgress, { name: file.name, percent: percent - (percent % 10) }), percent);
      if (!have.has(number)) {
        const part = file.slice((number - 1) * begun.part, number * begun.part);
        await insist(() =>
          ask(`/unggahan/${begun.id}/bagian/${number}`, part, {
            "content-type": "application/octet-stream",
            "suaka-csrf": form.elements.csrf.value,
          }),
        );
      }
    }
    tell(said.saidWait, 100);
    await insist(() => ask(`/unggahan/${begun.id}/selesai`, fields({})));
  };

  form.addEventListener("submit", async (event) => {
    const files = [...chosen.files].filter((file) => file.size > 0);
    if (!files.length || stopper) {
      if (stopper) {
        event.preventDefault();
      }
      return;
    }
    event.preventDefault();
    stopper = new AbortController();
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    place.hidden = false;
    stop.hidden = false;
    let current = files[0];
    try {
      for (const file of files) {
        current = file;
        await send(file);
      }
      tell(said.saidDone, 100);
      window.location.replace(`${base}?berhasil=berkas`);
    } catch (error) {
      const reason = error instanceof Refused ? error.message : "";
      const text = error.name === "AbortError" ? said.saidStopped
        : `${words(said.saidFailed, { name: current.name })} ${reason}`.trim();
      tell(text, null);
      stop.hidden = true;
      button.disabled = false;
      stopper = null;
    }
  });
})();
