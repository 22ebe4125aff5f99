import { badRequest } from '../api-error.js';
import type { JsonObject } from '../object.js';
import { protobufFields } from './protobuf-fields.js';

interface Field {
  name: string;
  /** '' one value, '*' a list, '<' a map, '!' a message whose fields stand in the parent. */
  shape: string;
  type: string;
}

type Message = ReadonlyMap<number, Field>;

/** What stands before each object: `k8s` and a zero byte. */
const magic = Buffer.from([0x6b, 0x38, 0x73, 0]);

let messages: Map<string, Message> | undefined;

/** Whether a body is an object in Kubernetes' protobuf envelope. */
export function isProtobuf(body: Buffer): boolean {
  return body.subarray(0, 4).equals(magic);
}

/** Reads an object in protobuf as the JSON that says the same. Throws BadRequest for what is not known here. */
export function decodeProtobuf(body: Buffer): JsonObject {
  const envelope = [...entries(body.subarray(4))];
  const typeMeta = bytesOf(envelope, 1);
  const apiVersion = bytesOf([...entries(typeMeta)], 1).toString('utf8');
  const kind = bytesOf([...entries(typeMeta)], 2).toString('utf8');
  const group = kind === 'DeleteOptions' ? 'meta' : packageOf(apiVersion);
  return { apiVersion, kind, ...decodeMessage(bytesOf(envelope, 2), `${group}.${kind}`) };
}

function packageOf(apiVersion: string): string {
  if (apiVersion === 'autoscaling/v1') return 'autoscaling1';
  return apiVersion.includes('/') ? (apiVersion.split(/[./]/)[0] ?? '') : 'core';
}

function messageOf(name: string): Message {
  messages ??= new Map(protobufFields.trim().split('\n').map(parseMessage));
  const found = messages.get(name);
  if (found === undefined) throw badRequest(`no kind "${name}" is known in protobuf here; send JSON`);
  return found;
}

function parseMessage(line: string): [string, Message] {
  const [name = '', ...fields] = line.split(' ');
  const parsed = fields.map((text): [number, Field] => {
    const [, number, field = '', shape = '', type = ''] = /^(\d+)(\w+):([*<!]?)(.*)$/.exec(text) ?? [];
    return [Number(number), { name: field, shape, type }];
  });
  return [name, new Map(parsed)];
}

function decodeMessage(bytes: Buffer, name: string): JsonObject {
  const fields = messageOf(name);
  const result: JsonObject = {};
  for (const entry of entries(bytes)) {
    const field = fields.get(entry.number);
    if (field === undefined)
      throw badRequest(`field ${entry.number} of ${name} is not known in protobuf here; send JSON`);
    if (field.type === '-') continue;
    if (field.shape === '!') Object.assign(result, decodeMessage(entry.bytes, field.type));
    else if (field.shape === '<') putInMap(result, field, entry.bytes);
    else put(result, field, decodeValue(entry, field.type));
  }
  return result;
}

/** Go writes empty values of fields that JSON leaves out; only optional numbers and booleans may be zero. */
const neverZero = new Set(
  'minReadySeconds generation observedGeneration deletionGracePeriodSeconds hostNetwork hostPID hostIPC stdin stdinOnce tty readOnly paused publishNotReadyAddresses hostPort containerPort nodePort port targetPort initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold healthCheckNodePort'.split(
    ' ',
  ),
);

function put(result: JsonObject, field: Field, value: unknown): void {
  if (value === undefined || (value === '' && field.shape === '')) return;
  if ((value === 0 || value === false) && neverZero.has(field.name)) return;
  if (field.shape !== '*') {
    result[field.name] = value;
    return;
  }
  const list = result[field.name];
  if (Array.isArray(list)) list.push(value);
  else result[field.name] = [value];
}

function putInMap(result: JsonObject, field: Field, bytes: Buffer): void {
  const pair = [...entries(bytes)];
  const value = pair.find((entry) => entry.number === 2);
  const map = (result[field.name] ?? {}) as JsonObject;
  const empty = field.type === 's' || field.type === 'y' ? '' : {};
  map[bytesOf(pair, 1).toString('utf8')] = value === undefined ? empty : (decodeValue(value, field.type) ?? empty);
  result[field.name] = map;
}

function decodeValue(entry: Entry, type: string): unknown {
  switch (type) {
    case 's':
      return entry.bytes.toString('utf8');
    case 'y':
      return entry.bytes.toString('base64');
    case 'i':
      return Number(BigInt.asIntN(64, entry.value));
    case 'b':
      return entry.value !== 0n;
    case 'd':
      return entry.bytes.readDoubleLE(0);
    case 'T':
    case 'U':
      return decodeTime(entry.bytes, type === 'U');
    case 'I':
      return decodeIntOrString([...entries(entry.bytes)]);
    case 'Q':
      return bytesOf([...entries(entry.bytes)], 1).toString('utf8');
    case 'R':
      return JSON.parse(bytesOf([...entries(entry.bytes)], 1).toString('utf8') || 'null');
    default:
      return decodeMessage(entry.bytes, type);
  }
}

function decodeTime(bytes: Buffer, withMicros: boolean): string | undefined {
  const parts = [...entries(bytes)];
  const seconds = Number(parts.find((part) => part.number === 1)?.value ?? 0n);
  const nanos = Number(parts.find((part) => part.number === 2)?.value ?? 0n);
  if (seconds <= 0) return undefined;
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return withMicros ? `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${text}Z`;
}

function decodeIntOrString(parts: Entry[]): number | string {
  const isText = parts.find((part) => part.number === 1)?.value === 1n;
  if (isText) return bytesOf(parts, 3).toString('utf8');
  return Number(BigInt.asIntN(64, parts.find((part) => part.number === 2)?.value ?? 0n));
}

/** One field as it stands in the bytes: a number, or a run of bytes. */
interface Entry {
  number: number;
  value: bigint;
  bytes: Buffer;
}

function bytesOf(parts: Entry[], number: number): Buffer {
  return parts.find((part) => part.number === number)?.bytes ?? Buffer.alloc(0);
}

function* entries(bytes: Buffer): Generator<Entry> {
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[offset++];
      if (byte === undefined || shift > 63n) throw badRequest('the protobuf body ends too early');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const run = (length: number): Buffer => {
    offset += length;
    if (offset > bytes.length) throw badRequest('the protobuf body ends too early');
    return bytes.subarray(offset - length, offset);
  };
  while (offset < bytes.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    const none = Buffer.alloc(0);
    if ((tag & 7) === 0) yield { number, value: varint(), bytes: none };
    else if ((tag & 7) === 2) yield { number, value: 0n, bytes: run(Number(varint())) };
    else if ((tag & 7) === 1) yield { number, value: 0n, bytes: run(8) };
    else yield { number, value: 0n, bytes: run(4) };
  }
}
