/** A piece of HTML whose parts were escaped. */
export interface Html {
  readonly html: string;
}

/** `html\`<b>${text}</b>\``: every text is escaped, pieces of HTML and lists of them are put in as they are. */
export function html(strings: TemplateStringsArray, ...values: (string | number | Html | readonly Html[])[]): Html {
  const parts = strings.map((part, index) => part + (index < values.length ? put(values[index] ?? '') : ''));
  return { html: parts.join('') };
}

function put(value: string | number | Html | readonly Html[]): string {
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value));
  return 'html' in value ? value.html : value.map((each) => each.html).join('');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** What turns the direction of a text around, or ends it early: it would make one sentence look like another. */
const misleading = /[\u202a-\u202e\u2066-\u2069]|(?![\n\t])\p{Cc}/gu;

function escapeHtml(text: string): string {
  return text.replace(misleading, '').replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** The address when it is a plain web address, else null: `javascript:` must never become a link. */
export function safeLink(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { protocol } = new URL(url);
  return protocol === 'https:' || protocol === 'http:' ? url : null;
}
