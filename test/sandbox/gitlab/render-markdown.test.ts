import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../../src/sandbox/gitlab/pages/render-markdown.js';

describe('notes as HTML', () => {
  it('have tables, links, code and foldable parts', () => {
    const html = renderMarkdown(
      '<!-- marker -->\n### Ready: [x](https://a.example/)\n\n| A |\n|---|\n| `b` |\n\n<details><summary>Logs</summary>\n\n```\nline\n```\n\n</details>',
    );
    expect(html).toContain('<a href="https://a.example/" rel="noreferrer">x</a>');
    expect(html).toContain('<td><code>b</code></td>');
    expect(html).toContain('<details><summary>Logs</summary>');
    expect(html).toContain('</details>');
    expect(html).not.toContain('marker');
  });

  it.each([
    '<script>alert(1)</script>',
    'text <img src=x onerror=alert(1)>',
    '<details onclick="alert(1)">x</details>',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="https://a.example" onclick="alert(1)">x</a>',
    '[x](javascript:alert(1))',
    '[x](  JavaScript:alert(1))',
    '![x](data:text/html,<script>alert(1)</script>)',
    '<svg/onload=alert(1)>',
    '<<script>alert(1)</script>',
    '<details\nonclick=alert(1)>',
    '[x](https://a.example/"onmouseover="alert\\(1\\))',
    '<!-- --!><img src=x onerror=alert(1)> -->',
    '`<script>`',
    '| <script>alert(1)</script> |\n|---|',
  ])('can do nothing: %s', (text) => {
    const html = renderMarkdown(text);
    const tags = html.match(/<[^>]*>?/g) ?? [];
    const harmless =
      /^<\/?(p|details|summary|code|table|thead|tbody|tr|th|td|h\d)>$|^<(a|img) (href|src)="[^"<>]*"( (rel|alt)="[^"<>]*")?>$|^<\/a>$/;
    expect(tags.filter((one) => !harmless.test(one))).toEqual([]);
    expect(tags.filter((one) => /(href|src)="(?!https?:|mailto:|\/|#)/i.test(one))).toEqual([]);
  });
});
