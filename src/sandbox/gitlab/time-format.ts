/** `2016-01-19T09:05:50.355Z`: the REST API. */
export function apiTime(time: number): string;
export function apiTime(time: number | null): string | null;
export function apiTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** `2013-12-03T17:23:34Z`: merge request webhooks, whole seconds. */
export function hookTime(time: number): string;
export function hookTime(time: number | null): string | null;
export function hookTime(time: number | null): string | null {
  return time === null ? null : `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** `2016-08-12 15:23:28 UTC`: note, pipeline and emoji webhooks, whole seconds. */
export function hookUtcTime(time: number): string;
export function hookUtcTime(time: number | null): string | null;
export function hookUtcTime(time: number | null): string | null {
  return time === null ? null : `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
