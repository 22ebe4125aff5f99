/** One page of a list as gitbeaker gives it when asked for a single page with `showExpanded`. */
interface Page {
  data: unknown;
  paginationInfo?: { next: number | null };
}

/**
 * The pages of a list, in order, each asked for when the one before was used: a reader that has seen enough stops
 * the reading. GitLab's pages may be short in the middle, so only the missing link to a next one ends the list.
 */
export async function* pages(readPage: (page: number) => Promise<unknown>): AsyncGenerator<unknown> {
  for (let page: number | null = 1; page !== null; ) {
    const answer = (await readPage(page)) as Page;
    yield answer.data;
    const next: number | null = answer.paginationInfo?.next ?? null;
    // A list that points backwards would never end.
    page = next !== null && next > page ? next : null;
  }
}
