import { badParameter } from '../api-error.js';
import type { Token, User } from '../model.js';

/** One request to the API, its credentials checked. */
export interface Call {
  user: User;
  token: Token;
  path: string;
  params: Record<string, string>;
  query: Record<string, string | undefined>;
  rawQuery: string;
  body: Record<string, unknown>;
}

/** An answer; a bare value is 200 with that body. */
export interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** A parameter from the body or, as GitLab accepts too, the query; undefined when it is absent or null. */
export function optional(call: Call, name: string): string | undefined {
  const value = call.body[name] ?? call.query[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') throw badParameter(`${name} is invalid`);
  return String(value);
}

/** All that are missing are named at once. */
export function required<Name extends string>(call: Call, ...names: Name[]): Record<Name, string> {
  const missing = names.filter((name) => optional(call, name) === undefined);
  if (missing.length > 0) throw badParameter(missing.map((name) => `${name} is missing`).join(', '));
  return Object.fromEntries(names.map((name) => [name, optional(call, name) ?? ''])) as Record<Name, string>;
}

export function flag(call: Call, name: string): boolean | undefined {
  const value = optional(call, name);
  if (value === undefined) return undefined;
  if (/^(true|t|on|1)$/i.test(value)) return true;
  if (/^(false|f|off|0|)$/i.test(value)) return false;
  throw badParameter(`${name} is invalid`);
}

export function integer(call: Call, name: string): number | undefined {
  const value = optional(call, name);
  if (value === undefined || value === '') return undefined;
  if (!/^-?\d+$/.test(value)) throw badParameter(`${name} is invalid`);
  return Number(value);
}

/** A comma-separated text, or an array. */
export function list(call: Call, name: string): string[] | undefined {
  const value = call.body[name] ?? call.body[`${name}[]`] ?? call.query[name] ?? call.query[`${name}[]`];
  if (value === undefined || value === null) return undefined;
  const parts = Array.isArray(value) ? value.map(String) : String(value).split(',');
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

export function oneOf<Value extends string>(call: Call, name: string, values: readonly Value[]): Value | undefined {
  const value = optional(call, name);
  if (value === undefined) return undefined;
  const found = values.find((one) => one === value);
  if (found === undefined) throw badParameter(`${name} does not have a valid value`);
  return found;
}

/** Epoch milliseconds. */
export function time(call: Call, name: string): number | undefined {
  const value = optional(call, name);
  if (value === undefined) return undefined;
  const parsed = Date.parse(value);
  if (Number.isNaN(parsed)) throw badParameter(`${name} is invalid`);
  return parsed;
}

/** A path parameter. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? '';
}
