import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import { renderMarkdown } from './render-markdown.js';

export const templateFolder = new URL('../../../../templates/sandbox/', import.meta.url);

export type PageName = 'home' | 'project' | 'merge-request' | 'pipeline' | 'commit' | 'message' | 'authorize';

export type RenderPage = (name: PageName, view: Record<string, unknown>) => string;

/** Gives the function that renders a page of `templates/sandbox` within the layout. */
export function createPageRenderer(): RenderPage {
  const handlebars = Handlebars.create();
  const read = (name: string): string => readFileSync(new URL(`${name}.hbs`, templateFolder), 'utf8');
  handlebars.registerHelper(
    'markdown',
    (text: unknown) => new Handlebars.SafeString(renderMarkdown(String(text ?? ''))),
  );
  handlebars.registerHelper('short', (sha: unknown) => String(sha ?? '').slice(0, 8));
  handlebars.registerHelper('time', (at: unknown) => {
    if (typeof at !== 'number') return '';
    const iso = new Date(at).toISOString();
    const shown = handlebars.escapeExpression(iso.slice(0, 19).replace('T', ' '));
    return new Handlebars.SafeString(`<time datetime="${iso}">${shown} UTC</time>`);
  });
  const layout = handlebars.compile(read('layout'));
  const pages = new Map<PageName, Handlebars.TemplateDelegate>();
  return (name, view) => {
    const page = pages.get(name) ?? handlebars.compile(read(name), { strict: true });
    pages.set(name, page);
    const body = new Handlebars.SafeString(page(view));
    return layout({ ...view, body });
  };
}
