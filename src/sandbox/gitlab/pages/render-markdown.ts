import { Marked } from 'marked';

const plainTags = 'details|summary|br|hr|b|i|em|strong|sub|sup|kbd|code|pre|p|ul|ol|li|small|del|ins';
const allowedTag = new RegExp(`^</?(?:${plainTags})(?: open)?\\s*/?>$`, 'i');
const allowedLink = /^<a href="https?:\/\/[^"<>\s]+">$|^<\/a>$/i;
const tag = /<[^<>]*>/g;

/** Keeps tags that can do nothing; every other one is shown as the text that it is. Comments are dropped. */
function tameHtml(html: string): string {
  let result = '';
  let end = 0;
  const text = html.replace(/<!--[\s\S]*?-->/g, '');
  for (const match of text.matchAll(tag)) {
    result += escapeAngles(text.slice(end, match.index));
    const found = match[0];
    result += allowedTag.test(found) || allowedLink.test(found) ? found : escapeAngles(found);
    end = match.index + found.length;
  }
  return result + escapeAngles(text.slice(end));
}

function escapeAngles(text: string): string {
  return text.replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

function escapeText(text: string): string {
  return escapeAngles(text.replace(/&/g, '&amp;'));
}

function safeHref(href: string): string | null {
  return /^(https?:|mailto:|\/(?!\/)|#)/i.test(href.trim()) ? escapeText(href.trim()) : null;
}

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => tameHtml(text),
    link({ href, tokens }) {
      const safe = safeHref(href);
      const label = this.parser.parseInline(tokens);
      return safe === null ? label : `<a href="${safe}" rel="noreferrer">${label}</a>`;
    },
    image: ({ href, text }) => {
      const safe = safeHref(href);
      return safe === null ? escapeText(text) : `<img src="${safe}" alt="${escapeText(text)}">`;
    },
  },
});

/** GitLab's Markdown, near enough, as HTML that may stand in a page whoever wrote the text. */
export function renderMarkdown(text: string): string {
  return marked.parse(text, { async: false });
}
