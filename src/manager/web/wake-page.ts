import { type Html, html } from './html.js';

const nothing = html``;

/** The page that asks, the same for every name: whoever looks learns nothing of what there is. */
export function askToWakePage(slug: string): string {
  return page(
    `Wake ${slug}`,
    html`<h1>Wake ${slug}</h1>
<p>Previews that nobody uses are scaled to zero. Waking one takes as long as its programs need to start.</p>
<form method="post" action="/wake/${slug}"><button type="submit">Wake it</button></form>`,
  );
}

/** The page that waits, and goes on to the preview when that is ready. Without scripts a reload does the same. */
export function wakingPage(slug: string): string {
  return page(
    `Waking ${slug}`,
    html`<h1>Waking ${slug}</h1>
<p role="status" id="waking" data-status="/wake/${slug}/status">It is being woken.</p>
<p id="late" hidden>It takes longer than usual. The note in its merge request says how it is.</p>
<noscript><p><a href="/wake/${slug}/open">Go on</a> once it has had time to start.</p></noscript>`,
    html`<script src="/wake.js" defer></script>`,
  );
}

/** A page that says why nothing was done. */
export function refusedWakePage(slug: string, sentence: string): string {
  return page(
    `Wake ${slug}`,
    html`<h1>${slug} was not woken</h1>
<p role="alert">${sentence}</p>
<p><a href="/wake/${slug}">Try again</a></p>`,
  );
}

function page(title: string, body: Html, head: Html = nothing): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · Mayfly</title>
<link rel="stylesheet" href="/wake.css">
${head}
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.html;
}

export const wakeStyle = `
:root { color-scheme: light dark; --accent: #0b5fff; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --accent: #7aa7ff; --on-accent: #10131a; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 16px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 36rem; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 0.75rem; overflow-wrap: anywhere; }
a { color: var(--accent); }
button { font: inherit; padding: 0.75rem 1.5rem; border: 0; border-radius: 0.5rem; background: var(--accent); color: var(--on-accent); cursor: pointer; }
button:focus-visible, a:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
`;

/** Looks twice a second at first; a failure is looked over, for the next answer may be the one. */
export const wakeScript = `'use strict';
const waking = document.getElementById('waking');
const startedAt = Date.now();
waking.textContent = 'It is being woken. This page goes on to it when it is ready.';
async function look() {
  let pauseMs = Date.now() - startedAt < 120000 ? 500 : 5000;
  try {
    const response = await fetch(waking.dataset.status, { cache: 'no-store' });
    const answer = response.ok ? await response.json() : {};
    if (answer.state === 'ready') {
      if (typeof answer.url === 'string') location.replace(answer.url);
      else waking.textContent = 'It is awake.';
      return;
    }
    if (response.status === 429) pauseMs = 5000;
  } catch (error) {
    pauseMs = 2000;
  }
  if (Date.now() - startedAt > 180000) document.getElementById('late').hidden = false;
  setTimeout(look, pauseMs);
}
look();
`;
