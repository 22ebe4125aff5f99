import { badParameter } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { Call } from './call.js';

const defaultPerPage = 20;
const mostPerPage = 100;
const countedUpTo = 10_000;

export interface Page<T> {
  items: T[];
  headers: Record<string, string>;
}

function positive(value: string | undefined, fallback: number, name: string): number {
  if (value === undefined || value === '') return fallback;
  const number = Number(value);
  if (!Number.isInteger(number)) throw badParameter(`${name} is invalid`);
  return Math.max(1, number);
}

/** The page that the query asks for, with the headers that GitLab describes it by. */
export function paginate<T>(ctx: GitLabContext, call: Call, all: T[]): Page<T> {
  const page = positive(call.query.page, 1, 'page');
  const perPage = Math.min(mostPerPage, positive(call.query.per_page, defaultPerPage, 'per_page'));
  const pages = Math.max(1, Math.ceil(all.length / perPage));
  const items = all.slice((page - 1) * perPage, page * perPage);
  const counted = all.length <= countedUpTo;
  const next = page < pages ? String(page + 1) : '';
  const previous = page > 1 ? String(page - 1) : '';
  const link = (target: number, rel: string): string => {
    const query = new URLSearchParams(call.rawQuery);
    query.set('page', String(target));
    query.set('per_page', String(perPage));
    return `<${ctx.publicUrl()}${call.path}?${query}>; rel="${rel}"`;
  };
  const links = [
    ...(previous === '' ? [] : [link(page - 1, 'prev')]),
    ...(next === '' ? [] : [link(page + 1, 'next')]),
    link(1, 'first'),
    ...(counted ? [link(pages, 'last')] : []),
  ];
  return {
    items,
    headers: {
      link: links.join(', '),
      'x-page': String(page),
      'x-per-page': String(perPage),
      'x-next-page': next,
      'x-prev-page': previous,
      ...(counted ? { 'x-total': String(all.length), 'x-total-pages': String(pages) } : {}),
    },
  };
}
