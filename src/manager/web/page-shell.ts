import { type Html, html } from './html.js';

/** A whole page of the dashboard around its content. `refreshSeconds`: how soon it loads itself anew; null: never. */
export function pageOf(input: { title: string; refreshSeconds: number | null; body: Html }): string {
  const { title, refreshSeconds, body } = input;
  const refresh = refreshSeconds === null ? html`` : html`<meta http-equiv="refresh" content="${refreshSeconds}">\n`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refresh}<title>${title} · Mayfly</title>
<link rel="stylesheet" href="/assets/mayfly.css">
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.html;
}

/** A moment, in UTC to the minute; the title has it to the millisecond. */
export function timeOf(at: number): Html {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

/** How far off a moment is, such as `in 3 h`. */
export function untilText(leftMs: number): string {
  if (leftMs <= 0) return 'now';
  const hours = leftMs / 3_600_000;
  if (hours < 1) return `in ${Math.max(1, Math.round(leftMs / 60_000))} min`;
  return hours < 48 ? `in ${Math.round(hours)} h` : `in ${Math.round(hours / 24)} days`;
}

/** Our own words, with what stands between backticks as code. */
export function wordsOf(text: string): Html[] {
  return text.split('`').map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`));
}
